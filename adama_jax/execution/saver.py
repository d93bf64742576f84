"""Saving a slice's checkpoints in the background, and reading them back.

In its folder are `state` and `replay`, apart so that the replay can be saved less often, and `slice.json`.
"""

import contextlib
import shutil
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from adama_jax.errors import CheckpointError, WrongShapes
from adama_jax.execution.history import Course, course_arrays, course_of
from adama_jax.execution.state import room_for
from adama_jax.storage.checkpoints import Checkpoints, Shapes
from adama_jax.storage.cohorts import LOST, Slice, describe
from adama_jax.storage.files import Arrays

REPLAY, PARAMETERS = "replay.", "learner.params."  # what the names of these leaves begin with


class Saving(NamedTuple):
    """When to save, and what if that fails."""

    minutes: float | None = 10.0  # None: only when told to stop
    keep_every: int | None = (
        None  # episodes between checkpoints that are kept beside the newest two
    )
    replay_every: int = 1  # the replay is saved with every so many checkpoints
    if_it_fails: Literal["go_on", "stop"] = "go_on"


class SavedSlice:
    """The checkpoints of one slice. `tell` hears, in a line each, what was bad and what could not be written."""

    def __init__(self, folder: Path, about: Slice, saving: Saving, tell: Callable[[str], None]):
        self.folder = folder
        self.about = about
        self._saving = saving
        self._tell = tell
        self._state = Checkpoints(folder / "state", keep_every=saving.keep_every)
        self._replay = Checkpoints(folder / "replay", keep=None)  # as long as a state needs it
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._pending: Future[None] | None = None
        self._last = time.monotonic()
        self._saves = 0
        self._room: Future[dict[str, np.ndarray]] | None = None
        self._replay_step = -1
        self.newest: int | None = None  # the last step that this object wrote

    def exists(self) -> bool:
        """Whether anything was saved."""
        return self.folder.is_dir()

    def make_room(self, shapes: Shapes) -> None:
        """Get memory for the copies of a state ready in the background."""
        if self._saving.minutes is not None:
            self._room = self._writer.submit(room_for, shapes)

    def room(self) -> Arrays | None:
        """Arrays to copy a state into, once what they held is written; None where none are ready."""
        self.wait()
        return self._room.result() if self._room is not None else None

    def due(self) -> bool:
        """Whether it is time to save."""
        minutes = self._saving.minutes
        return minutes is not None and time.monotonic() - self._last >= 60 * minutes

    def save(self, arrays: Arrays, course: Course, sound: np.ndarray | None = None) -> None:
        """Save in the background.

        Args:
            arrays: the state.
            course: the rest.
            sound: which rows must have finite parameters, [width], bool; None: all.

        Raises:
            CheckpointError: the save before failed, or a parameter is not finite, and that is to stop the run.
        """
        try:
            self.wait()
            _refuse_broken(arrays, sound)
            self._pending = self._writer.submit(self._write, arrays, course)
        except CheckpointError as error:
            self._failed(error)
        self._last = time.monotonic()

    def idle(self) -> bool:
        """Whether nothing is being written."""
        return self._pending is None or self._pending.done()

    def wait(self) -> None:
        """Until what is being saved is on disk.

        Raises:
            CheckpointError: it could not be written, and that is to stop the run.
        """
        pending, self._pending = self._pending, None
        try:
            if pending is not None:
                pending.result()
        except (CheckpointError, OSError) as error:
            self._failed(error)

    def restore(self, shapes: Shapes) -> tuple[dict[str, np.ndarray], Course] | None:
        """The newest checkpoint that verifies, with its replay; None where there is none.

        Args:
            shapes: of the state's leaves.

        Raises:
            WrongShapes: a checkpoint is good, but of other shapes or of another version.
        """
        replay_shapes = {name: shape for name, shape in shapes.items() if name.startswith(REPLAY)}
        state_shapes = {
            f"state.{name}": shape for name, shape in shapes.items() if name not in replay_shapes
        }
        for step in self._state.steps():
            try:
                state = self._state.read(step, state_shapes)
                replay = self._replay.read(state.about["replay"], replay_shapes)
            except WrongShapes:
                raise
            except CheckpointError as error:
                self._tell(f"a checkpoint is not used: {error}")
                continue
            self._set_aside(step)
            self._replay_step = replay.step
            if replay.step < step:
                self._tell(
                    f"the replay is that of episode {replay.step}: not equal to a run that was never interrupted"
                )
            values = {
                n.removeprefix("state."): v
                for n, v in state.arrays.items()
                if n.startswith("state.")
            }
            return values | replay.arrays, course_of(step, state.about["seconds"], state.arrays)
        self._set_aside(-1)
        return None

    def _set_aside(self, used: int) -> None:
        """What is newer than the step that is used, and would be taken for the newest."""
        for checkpoints in (self._state, self._replay):
            for step in checkpoints.steps():
                if step > used:
                    checkpoints.set_aside(step)

    def lose(self) -> None:
        """All lanes have diverged: the last good checkpoint stays, and nobody goes on from it."""
        self.close()
        if self.folder.is_dir():
            (self.folder / LOST).touch()

    def close(self) -> None:
        """Until what is being saved is on disk; then nothing more can be."""
        self._writer.shutdown(wait=True)
        self._state.close()
        self._replay.close()

    def discard(self) -> None:
        """The slice is finished."""
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, arrays: Arrays, course: Course) -> None:
        """The replay first: a state without its replay is none, and must not push an older one out."""
        if not (self.folder / "slice.json").is_file():
            describe(self.folder, self.about)
        if self._saves % self._saving.replay_every == 0:
            replay = {name: value for name, value in arrays.items() if name.startswith(REPLAY)}
            self._replay.save(course.episode, replay, {})
            self._replay_step = course.episode
        state = {
            f"state.{name}": value for name, value in arrays.items() if not name.startswith(REPLAY)
        }
        about = {
            "seconds": course.seconds,
            "replay": self._replay_step,
            "slice": self.about._asdict(),
        }
        self._state.save(course.episode, state | course_arrays(course), about)
        self._saves += 1
        self.newest = course.episode
        needed = set()
        for step in self._state.steps():
            # One that is damaged cannot be used, and needs nothing.
            with contextlib.suppress(CheckpointError):
                needed.add(self._state.about(step)["replay"])
        for step in set(self._replay.steps()) - needed:
            self._replay.remove(step)

    def _failed(self, error: Exception) -> None:
        if self._saving.if_it_fails == "stop":
            raise CheckpointError(str(error)) from error
        self._tell(f"a checkpoint could not be saved, training goes on: {error}")


def _refuse_broken(arrays: Arrays, sound: np.ndarray | None) -> None:
    for name, leaf in arrays.items():
        if (
            name.startswith(PARAMETERS)
            and not np.isfinite(leaf if sound is None else leaf[sound]).all()
        ):
            raise CheckpointError(f"leaf {name} is not finite")
