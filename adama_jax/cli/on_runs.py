"""What one does with a run's folder: go on with it, verify it, play what it learned."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console

from adama_jax.cli.options import PlayCommand
from adama_jax.config.options import Training
from adama_jax.config.schema import Config
from adama_jax.envs.worlds import LocomotionWorld
from adama_jax.errors import CheckpointError, DamagedFile, SettingError
from adama_jax.storage.checkpoints import Checkpoints
from adama_jax.storage.cohorts import read_description
from adama_jax.storage.files import digest_of_file, unseal
from adama_jax.storage.folder import RunFiles, RunFolder
from adama_jax.storage.reader import diverged_seeds, load_run, read_config
from adama_jax.storage.writer import read_kept


def resume(folder: Path, config: Config, training: Training, console: Console) -> int:
    """Go on with a run that was interrupted.

    Returns:
        The exit code: 1 if it failed or a seed diverged.
    """
    from adama_jax.studies.experiment import experiment

    return experiment([config], folder.absolute().parents[1], training, console, folder)


def verify(path: Path, console: Console) -> int:
    """Check a run's files against what was written: results of a finished one, kept seeds and checkpoints of another.

    Returns:
        The exit code: 1 if anything is not what was written.
    """
    folder = RunFolder.named(path)
    whole, place = folder.is_finished(), folder.current.path
    read_config(place)
    bad, good = _finished_files(folder.path) if whole else _kept_seeds(place)
    for description in sorted(place.glob("checkpoints/*/slice.json")):
        bad += _trouble(lambda path=description: read_description(path.parent))
        good += 1
    for state in sorted(place.glob("checkpoints/*/*")):
        if state.is_dir():
            checkpoints = Checkpoints(state, read_only=True)
            for step in checkpoints.steps():
                bad += _trouble(lambda c=checkpoints, s=step: c.read(s))
                good += 1
            checkpoints.close()
    for line in bad:
        console.print(f"bad: {line}", style="red", highlight=False, soft_wrap=True)
    kind = "finished" if whole else "begun, not finished"
    if held := folder.holder():
        console.print(
            f"it is being trained by {held}, and its files change", style="yellow", soft_wrap=True
        )
    console.print(
        f"{place}: {kind}; {good - len(bad)} of {good} parts verified",
        highlight=False,
        soft_wrap=True,
    )
    return 1 if bad else 0


def play(path: Path, command: PlayCommand, console: Console) -> int:
    """Play a run's trained actors: from `actors.npz`, without a learner or a critic.

    Returns:
        The exit code.
    """
    import jax

    from adama_jax.execution.actors import load_actors
    from adama_jax.execution.build import make_env
    from adama_jax.reporting import film as render
    from adama_jax.reporting import viewer
    from adama_jax.training.rollout import episode_return, make_rollout

    config = read_config(path)
    try:
        run, actors = load_run(path), load_actors(RunFiles(path).actors)
    except (FileNotFoundError, DamagedFile) as error:
        raise SettingError(
            f"run={path}: must be a finished run's folder whose files can be read: {error}"
        ) from error
    if run.rollout is None:
        raise SettingError(f"run={path}: must have rollout.npz, which says what there is to draw")
    index = _seed_index(actors.seeds, diverged_seeds(run), command.seed)
    env = make_env(config)
    params = jax.tree.map(lambda leaf: leaf[index], actors.params)
    keys = jax.random.split(jax.random.key(command.start_seed), command.episodes)
    episodes = jax.jit(jax.vmap(make_rollout(env, actors.act), in_axes=(0, None, None)))(
        keys, params, 0.0
    )
    returns = np.asarray(jax.vmap(episode_return)(episodes))
    if int(actors.seeds[index]) in diverged_seeds(run):
        console.print(
            f"seed {actors.seeds[index]} diverged: its actors are not finite", style="red"
        )
    deviation = returns.std(ddof=1) if len(returns) > 1 else 0.0
    console.print(
        f"{run.config.scenario}, {run.label}, seed {actors.seeds[index]}: greedy return {returns.mean():.4g} "
        f"± {deviation:.3g} over {len(returns)} episodes", highlight=False,
    )  # fmt: skip
    few = jax.tree.map(lambda leaf: np.asarray(leaf)[None, :4], episodes)
    positions = np.asarray(jax.jit(jax.vmap(jax.vmap(env.positions)))(few.snapshot[0]))[None]
    played = {
        "positions": positions,
        "snapshot": few.snapshot,
        "reward": few.reward,
        "terminated": few.terminated,
    }
    rollout = run.rollout._replace(**played)
    shown = run._replace(rollout=rollout, metrics=run.metrics | {"seed": actors.seeds[[index]]})
    folder = command.out or path / "play"
    paths = [render.rollout_gif(shown, folder / "rollout.gif", 0)]
    if isinstance(config.world, LocomotionWorld):
        paths.append(viewer.rollout_page(shown, config.world, folder / "rollout.html", 0))
    for written in paths:
        console.print(f"  {written}", highlight=False, soft_wrap=True)
    return 0


def _seed_index(seeds: np.ndarray, diverged: list[int], seed: int | None) -> int:
    if seed is None:
        finite = [int(each) for each in seeds if int(each) not in diverged]
        return list(seeds).index(finite[0]) if finite else 0
    if seed not in seeds.tolist():
        raise SettingError(
            f"seed={seed}: must be one of {', '.join(map(str, seeds.tolist()))}, or None"
        )
    return seeds.tolist().index(seed)


def _finished_files(folder: Path) -> tuple[list[str], int]:
    try:
        meta = json.loads(RunFiles(folder).meta.read_text())
        digests = unseal(meta)["sha256"] if "sha256" in meta else {}
    except (OSError, ValueError, AttributeError) as error:
        return [f"{RunFiles(folder).meta}: {error}"], 1
    bad = []
    for name, digest in digests.items():
        if not (folder / name).is_file():
            bad.append(f"{folder / name}: is missing")
        elif digest_of_file(folder / name) != digest:
            bad.append(f"{folder / name}: is not what was written (sha256)")
    if not digests:
        bad.append(
            f"{RunFiles(folder).meta}: has no digests: the run is of an earlier version, nothing can be verified"
        )
    return bad, len(digests) + 1


def _kept_seeds(partial: Path) -> tuple[list[str], int]:
    bad, count = [], 0
    for about in RunFiles(partial).kept_seeds():
        count += 1
        bad += _trouble(lambda path=about: read_kept(path))
    return bad, count


def _trouble(read: Callable[[], object]) -> list[str]:
    try:
        read()
    except (CheckpointError, ValueError) as error:
        return [str(error)]
    return []
