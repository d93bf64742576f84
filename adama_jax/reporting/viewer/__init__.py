"""Brax's own viewer as one page that needs no network: a robot's episode in real time.

Brax's page (`brax.io.html`) fetches three.js, lil-gui and its own script from elsewhere;
`brax_viewer.min.js` holds them all. `tools/viewer` builds it.
"""

import base64
import html
import json
import warnings
import zlib
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.colors import to_rgba

from adama_jax.envs.robots.joints import ROBOTS
from adama_jax.envs.worlds import LocomotionWorld
from adama_jax.reporting.robot_film import colour, names_by_colour
from adama_jax.storage.reader import Rollout

SCRIPT = Path(__file__).with_name("brax_viewer.min.js")
DIGITS = 4  # of metres and of quaternions: a tenth of a millimetre
PAGE = Template("""<!doctype html>
<html lang=en>
<meta charset=utf-8>
<meta http-equiv=Content-Security-Policy content="default-src 'none'; script-src 'unsafe-inline';
 style-src 'unsafe-inline'; font-src data:; img-src data: blob:">
<title>$title</title>
<style>html, body, #brax-viewer { height: 100%; margin: 0; overflow: hidden; }
#legend { position: fixed; left: 1rem; bottom: 1rem; padding: .2rem .6rem; border-radius: .3rem; }
#legend { font: 14px sans-serif; color: #222; background: #fffd; }
#legend b { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 .8em; }</style>
<div id=brax-viewer></div>
$legend
<script id=system type=text/plain>$system</script>
<script>$script</script>
</html>
""")


def save_page(
    robot: Any,
    coordinates: np.ndarray,
    path: Path,
    name: str,
    drivers: Mapping[int, int] | None = None,
) -> Path:
    """Write an episode of a robot as a page with Brax's viewer, which a browser opens from disk.

    The camera keeps beside the robot. The ground is a checkerboard of metres, a kilometre each way.

    Args:
        robot: an environment of Brax; a step of it lasts `robot.dt` seconds, on the page too.
        coordinates: generalised positions at the reset and after each step, in metres and radians.
            [T + 1, Q]
        path: the file to write.
        name: the page's title.
        drivers: the agent that drives each link, by the link's number, -1: none. They get the
            agents' colours, and the page a legend. None: all have the model's colours.

    Raises:
        ValueError: the coordinates are not the robot's, or not finite.

    >>> import tempfile
    >>> from adama_jax.envs.robots.locomotion import brax_robot
    >>> from adama_jax.envs.worlds import LocomotionWorld
    >>> robot = brax_robot(LocomotionWorld(robot="hopper", partition="3x1"))
    >>> still = np.tile(robot.sys.init_q, (3, 1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = save_page(robot, still, Path(folder) / "still.html", "A hopper at rest")
    ...     page.name, page.stat().st_size < 600_000
    ('still.html', True)
    """
    size = robot.sys.q_size()
    if coordinates.ndim != 2 or not len(coordinates) or coordinates.shape[1] != size:
        raise ValueError(
            f"coordinates: must be [T + 1, {size}], not {list(coordinates.shape)}"
        )
    if not np.isfinite(coordinates).all():
        raise ValueError("coordinates: must be finite")
    drawn = _system(robot, coordinates)
    if drivers is not None:
        _colour_links(drawn, drivers)
    system = json.dumps(drawn, separators=(",", ":"))
    page = PAGE.substitute(
        title=html.escape(name),
        legend=_legend(drivers or {}),
        system=base64.b64encode(zlib.compress(system.encode(), 9)).decode(),
        script=SCRIPT.read_text(encoding="utf-8"),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


def rollout_page(
    rollout: Rollout,
    world: LocomotionWorld,
    heading: str,
    path: Path,
    row: int = 0,
) -> Path:
    """`save_page` of the first greedy episode of one seed's trained actors.

    It is shown until it ends or the physics break.

    Args:
        rollout: with its snapshots.
        world: where it was played.
        heading: the page's title.
        path: the file to write.
        row: which of the rollout's seeds.

    Raises:
        ValueError: the episodes were kept without snapshots, by an earlier version.
    """
    # Brax is slow to import, and only robots need it.
    from adama_jax.envs.robots.locomotion import brax_robot, coordinates

    if rollout.snapshot is None:
        raise ValueError(f"{heading}: the rollout has no snapshots")
    robot = brax_robot(world)
    # The start is no step, and cannot end an episode.
    ended = np.append(False, rollout.terminated[row, 0])
    snapshots = jnp.asarray(rollout.snapshot[row, 0])
    pose_of = coordinates(robot, ROBOTS[world.robot].unseen)
    poses = np.asarray(jax.jit(jax.vmap(pose_of))(snapshots))
    broken = ~np.isfinite(poses).all(axis=1)
    over = np.cumsum(ended | broken) > 0
    drivers = _drivers(rollout, robot.sys.mj_model)
    return save_page(robot, poses[~over], path, heading, drivers)


def _drivers(rollout: Rollout, model: Any) -> dict[int, int] | None:
    """Who drives each link, by its number; None where an earlier version did not keep that."""
    # As slow to import as Brax.
    from adama_jax.envs.robots.shapes import limbs

    # Each limb is two entities, its ends.
    agents = rollout.agent[rollout.kind == "limb"][::2].tolist()
    if all(agent < 0 for agent in agents):
        return None
    links = limbs(model).link.tolist()
    return dict(zip(links, agents, strict=True))


def _colour_links(system: dict[str, Any], drivers: Mapping[int, int]) -> None:
    """Give the shapes of a model, as Brax's JSON has them, their drivers' colours."""
    for shapes in system["geoms"].values():
        for shape in shapes:
            link = shape["link_idx"]
            if link in drivers:
                channels = to_rgba(colour(drivers[link]))
                shape["rgba"] = list(channels)


def _legend(drivers: Mapping[int, int]) -> str:
    """Which colour is whose, as HTML; nothing where nobody has one."""
    if not drivers:
        return ""
    agents = np.array(list(drivers.values()))
    entries = [
        f"<b style='background: {shade}'></b>{', '.join(names)}"
        for shade, names in names_by_colour(agents).items()
    ]
    return f"<div id=legend>agent{''.join(entries)}</div>"


def _system(robot: Any, coordinates: np.ndarray) -> dict[str, Any]:
    """What Brax's viewer draws: its JSON of the model, and the links' poses in every state."""
    # Here, where the caller's robot has silenced what Brax prints when it is imported.
    from brax.io import json as brax_json

    system = json.loads(brax_json.dumps(robot.sys, []))
    # The viewer takes states to be one timestep of the physics apart; ours are a step apart.
    system["opt"]["timestep"] = float(robot.dt)
    for geoms in system["geoms"].values():
        for geom in geoms:
            if geom["name"] == "Plane":
                # To the viewer that is endless, as the ground is to the physics; the models' own
                # sizes end.
                geom["size"] = [0, 0, 0]
    # Brax's kinematics broadcast ranks and call what newer versions of JAX deprecate.
    with jax.numpy_rank_promotion("allow"), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        positions, rotations = map(
            _rounded, _poses(robot.sys, jnp.asarray(coordinates))
        )
    states = zip(positions, rotations, strict=True)
    system["states"] = {"x": [{"pos": pos, "rot": rot} for pos, rot in states]}
    return system


@jax.jit
def _poses(system: Any, coordinates: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Where the links are and how they are turned. [T + 1, L, 3], [T + 1, L, 4]"""
    from brax import kinematics

    still = jnp.zeros(system.qd_size())
    poses, _ = jax.vmap(lambda position: kinematics.forward(system, position, still))(
        coordinates
    )
    return poses.pos, poses.rot


def _rounded(values: jax.Array) -> list[Any]:
    """In double precision, where a rounded number is short when written."""
    return np.asarray(values, np.float64).round(DIGITS).tolist()
