"""What is shown once runs are finished: pictures, a film, a page for a robot, and a table.

The modules that draw are imported where they are used: SciPy and Matplotlib take seconds to load,
and the commands that train import this module before they begin.
"""

from collections.abc import Sequence
from pathlib import Path

from adama_jax.envs.worlds import LocomotionWorld, World
from adama_jax.reporting.labels import by_learner, lengths, machine_of, title
from adama_jax.reporting.style import default_style
from adama_jax.screen.console import Screen
from adama_jax.storage.reader import Rollout, Run, finite_seeds

MOST_MACHINES = 8  # runs of which the speed is printed
OTHER_WORLDS = (
    "Returns of different worlds are not comparable: this is no ranking of them."
)
MOST_SETTINGS = 20  # settings in a sweep's table on the screen; the CSV has all


def show_experiment(runs: Sequence[Run], folder: Path, console: Screen) -> None:
    """Draw the curves, the rates and a film of the first run; print the table and the paths.

    Args:
        runs: finished runs of one scenario.
        folder: for the pictures and the tables.
        console: for the table and the paths.
    """
    # Before Matplotlib is imported, first of all for its style: that alone takes seconds.
    film = " and a film" if any(map(_can_be_filmed, runs[:1])) else ""
    console.say(f"drawing the curves, the rates{film} ...")
    with default_style():
        from adama_jax.reporting import figures, summary, tables

        named = by_learner(runs)
        paths = [
            figures.learning_curves(named, folder / "learning_curves.png"),
            figures.rate_curves(named, folder / "rates.png"),
        ]
        first = runs[0]
        if first.rollout is not None and _can_be_filmed(first):
            row = int(finite_seeds(first).argmax())
            paths += show_episodes(
                first.rollout, first.config.world, title(first, row), folder, row
            )
        lines = []
        # Whom to compare with is told by the labels that the runs have on disk.
        for line, run in zip(summary.summarise(runs), named, strict=True):
            lines.append(line._replace(label=run.label))
        paths += tables.write(lines, folder / "results")
        worlds = " and ".join(dict.fromkeys(line.scenario for line in lines))
        heading = f"{worlds}, {lengths(runs)}"
        console.show(tables.table(lines, heading, console.options.ascii_only))
        _print_machines(named, console)
        _print_paths(paths, console)


def _can_be_filmed(run: Run) -> bool:
    """Whether a seed's greedy episodes are there, in a world that has something to draw."""
    # A run that was published has no rollout, and a seed that diverged has no actors to film.
    if run.rollout is None or not finite_seeds(run).any():
        return False
    return run.rollout.kind.size > 0


def show_sweep(
    runs: Sequence[Run],
    folder: Path,
    name: str,
    console: Screen,
) -> None:
    """Print the best settings, write all as CSV and Markdown; of a grid of rates a heat map too.

    Args:
        runs: the finished runs of a sweep.
        folder: for the files.
        name: of the files, without a suffix.
        console: for the table and the paths.
    """
    # Before the style, as above.
    console.say("comparing the settings ...")
    with default_style():
        from adama_jax.reporting import figures, grids, summary, tables

        lines = summary.ranked(summary.summarise(runs))
        worlds = ", ".join(sorted({line.scenario for line in lines}))
        best = f", the best {MOST_SETTINGS}" if len(lines) > MOST_SETTINGS else ""
        heading = f"{worlds}, {lengths(runs)}: {len(lines)} settings{best}"
        paths = tables.write(lines, folder / name)
        best_lines = lines[:MOST_SETTINGS]
        console.show(tables.ranking(best_lines, heading, console.options.ascii_only))
        rewards = {(run.config.world.as_rewarded, run.config.horizon) for run in runs}
        if len(rewards) > 1:
            console.say(OTHER_WORLDS, style="yellow")
        # All were trained on the same machine, so that one line says it.
        _print_machines(runs[:1], console)
        if grids.is_grid(runs):
            picture = figures.heat_map({runs[0].config.scenario: runs}, lengths(runs))
            paths.append(figures.save(picture, folder / f"{name}.png"))
        _print_paths(paths, console)


def show_episodes(
    rollout: Rollout,
    world: World,
    heading: str,
    folder: Path,
    row: int = 0,
) -> list[Path]:
    """Film greedy episodes; of a robot also write a page with Brax's viewer.

    Args:
        rollout: the episodes, and what there is to draw.
        world: where they were played.
        heading: of the film and the page.
        folder: for both.
        row: which of the rollout's seeds.

    Returns:
        What was written: nothing where the world has nothing to draw.
    """
    if not rollout.kind.size:
        return []
    from adama_jax.reporting import film

    gif = folder / "rollout.gif"
    touch = film.touch_radius(world)
    paths = [film.rollout_gif(rollout, heading, gif, row, touch=touch)]
    if isinstance(world, LocomotionWorld) and rollout.snapshot is not None:
        # Brax computes the poses of the links, and JAX with it; only robots need them.
        from adama_jax.reporting import viewer

        paths.append(
            viewer.rollout_page(rollout, world, heading, folder / "rollout.html", row)
        )
    return paths


def _print_machines(runs: Sequence[Run], console: Screen) -> None:
    """On what the runs were made, and how fast."""
    for run in runs[:MOST_MACHINES]:
        a_second = run.meta["updates_per_second"]
        # A robot's update may take longer than a second.
        number = f"{a_second:,.0f}" if a_second >= 10 else f"{a_second:.2g}"
        speed = f"{number} updates/s"
        console.say(f"{run.label}: {speed} on {machine_of(run)}")


def _print_paths(paths: Sequence[Path], console: Screen) -> None:
    for path in paths:
        console.say(f"  {path}")
