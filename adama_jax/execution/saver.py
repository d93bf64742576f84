"""Saving a cohort's checkpoints in the background, each group of seeds in its own run's folder."""

import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from adama_jax.config.options import Training
from adama_jax.errors import CheckpointError, WrongShapes
from adama_jax.execution.cohort import Cohort
from adama_jax.execution.history import (
    History,
    beside,
    history_about,
    history_arrays,
    history_of,
)
from adama_jax.execution.state import Arrays, Leaves, room_for
from adama_jax.storage.checkpoints import Checkpoints
from adama_jax.storage.groups import (
    REPLAY,
    STATE,
    SavedGroup,
    discard_group,
    keep_as_diverged,
)

Report = Callable[[str], None]
# A state, or a group's rows of one; its history.
Saved = tuple[dict[str, np.ndarray], History]
Shapes = dict[str, tuple[tuple[int, ...], str]]
# Before the leaves' names in a checkpoint, which holds the history too.
IN_STATE = "state."


class GroupSaver:
    """The checkpoints of one group."""

    def __init__(self, group: SavedGroup, leaves: Leaves, training: Training):
        self.group = group
        self._leaves = leaves
        self._replay_every = training.replay_every
        self._state = Checkpoints(group.folder / STATE, keep_every=training.keep_every)
        # A replay stays for as long as a state needs it.
        self._replay = Checkpoints(group.folder / REPLAY, keep=None)
        self._replay_of: dict[int, int] = {}  # the replay's episode, by the state's
        self._newest_replay = -1
        self._saves = 0

    def write(self, arrays: Arrays, history: History) -> None:
        """Write a checkpoint.

        Args:
            arrays: the group's rows of a state; a leaf without rows whole.
            history: of the group's members.

        Raises:
            CheckpointError: it could not be written; earlier ones are as they were.
        """
        step = history.episode
        # The replay first: a state is unusable without it, and must not push out an older one.
        if self._saves % self._replay_every == 0:
            replay = {
                name: leaf for name, leaf in arrays.items() if self._leaves[name].replay
            }
            self._replay.save(step, replay, {})
            self._newest_replay = step
        state = {}
        for name, leaf in arrays.items():
            if not self._leaves[name].replay:
                state[IN_STATE + name] = leaf
        about = self.group.described() | history_about(history)
        about["replay"] = self._newest_replay
        self._state.save(step, state | history_arrays(history), about)
        self._replay_of[step] = self._newest_replay
        self._saves += 1
        self._remove_replays()

    def read(self, step: int, report: Report) -> Saved | None:
        """A checkpoint, verified; None if it cannot be used, after it was set aside and reported.

        Raises:
            WrongShapes: it is good, but of other shapes or of another version.
        """
        replay_shapes, state_shapes = self._shapes()
        try:
            state = self._state.read(step, state_shapes)
            replay = self._replay.read(state.about["replay"], replay_shapes)
        except WrongShapes:
            raise
        except CheckpointError as error:
            report(f"a checkpoint is not used: {error}")
            self.set_aside_from(step)
            return None
        self._replay_of[step] = self._newest_replay = replay.step
        if replay.step < step:
            report(
                f"the replay is that of episode {replay.step}: "
                "not equal to a run that was never interrupted"
            )
        leaves = dict(replay.arrays)
        for name, leaf in state.arrays.items():
            if name.startswith(IN_STATE):
                leaves[name.removeprefix(IN_STATE)] = leaf
        return leaves, history_of(step, state.about, state.arrays)

    def set_aside_from(self, step: int) -> None:
        """Take that checkpoint and newer ones out of the way: else they would count as newest."""
        for checkpoints in (self._state, self._replay):
            for each in checkpoints.steps():
                if each >= step:
                    checkpoints.set_aside(each)

    def close(self) -> None:
        """Nothing more is to be done here."""
        self._state.close()
        self._replay.close()

    def _shapes(self) -> tuple[Shapes, Shapes]:
        """What the leaves of this group's replay and state must be, as `Checkpoints` takes it."""
        members = len(self.group.seeds)
        replay = {}
        state = {}
        for name, leaf in self._leaves.items():
            shape = leaf.shape
            if leaf.per_member:
                shape = (members, *leaf.shape[1:])
            if leaf.replay:
                replay[name] = (shape, leaf.dtype)
            else:
                state[IN_STATE + name] = (shape, leaf.dtype)
        return replay, state

    def _remove_replays(self) -> None:
        """Those that no state needs any more."""
        needed = set()
        for step in self._state.steps():
            if step in self._replay_of:
                needed.add(self._replay_of[step])
                continue
            # One that an earlier process wrote. Damaged, it cannot be used and needs nothing.
            with contextlib.suppress(CheckpointError):
                needed.add(self._state.about(step)["replay"])
        for step in set(self._replay.steps()) - needed:
            self._replay.remove(step)


class CohortSaver:
    """The checkpoints of a cohort's groups.

    Args:
        cohort: whose.
        leaves: of the state of its program.
        training: when to save, and what if that fails.
        report: hears, in a line each, what was bad and what could not be written.
    """

    def __init__(
        self, cohort: Cohort, leaves: Leaves, training: Training, report: Report
    ):
        self.cohort = cohort
        self.newest: int | None = None  # the last episode that this object saved
        self._leaves = leaves
        self._training = training
        self._report = report
        self._groups: list[GroupSaver] = []
        for group in cohort.groups:
            self._groups.append(GroupSaver(group.saved, leaves, training))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._pending: Future[None] | None = None
        self._last = time.monotonic()
        self._room: Future[dict[str, np.ndarray]] | None = None

    def make_room(self) -> None:
        """Get memory for the copies of a state ready in the background."""
        if self._training.checkpoint_minutes is not None:
            self._room = self._thread.submit(room_for, self._leaves)

    def room(self) -> Arrays | None:
        """Arrays to copy a state into, once what they held is written; None: there are none."""
        self.wait()
        return self._room.result() if self._room is not None else None

    def due(self) -> bool:
        """Whether it is time to save."""
        minutes = self._training.checkpoint_minutes
        if minutes is None:
            return False
        waited = time.monotonic() - self._last
        return waited >= 60 * minutes

    def save(
        self, arrays: Arrays, history: History, finite: np.ndarray | None = None
    ) -> None:
        """Save in the background, all groups but those of which no member is finite.

        Args:
            arrays: the state.
            history: of the members.
            finite: which members' parameters must be finite. [members], bool; None: all.

        Raises:
            CheckpointError: the save before failed, or a parameter is not finite, and that is to
                stop training.
        """
        if finite is None:
            finite = np.ones(len(self.cohort.members), bool)
        try:
            self.wait()
            _check_finite(arrays, self._leaves, finite)
            self._pending = self._thread.submit(self._write, arrays, history, finite)
        except CheckpointError as error:
            self._failed(error)
        self._last = time.monotonic()

    def idle(self) -> bool:
        """Whether nothing is being written."""
        return self._pending is None or self._pending.done()

    def wait(self) -> None:
        """Until what is being saved is on disk.

        Raises:
            CheckpointError: it could not be written, and that is to stop training.
        """
        pending = self._pending
        self._pending = None
        try:
            if pending is not None:
                pending.result()
        except (CheckpointError, OSError) as error:
            self._failed(error)

    def restore(self) -> tuple[Saved | None, list[int]]:
        """All groups' checkpoints of the cohort's episode, as one state and one history.

        Returns:
            The state and the history, or None if a group's checkpoint cannot be used; the places of
            these groups.

        Raises:
            WrongShapes: a checkpoint is good, but of other shapes or of another version.
        """
        reported: set[str] = set()
        found = []
        bad = []
        for place, group in enumerate(self._groups):
            saved = group.read(self.cohort.episode, reported.add)
            if saved is None:
                bad.append(place)
            found.append(saved)
        # A line that holds for several groups is reported once.
        for line in sorted(reported):
            self._report(line)
        if bad:
            return None, bad
        for group in self._groups:
            group.set_aside_from(self.cohort.episode + 1)
        return self._as_one(found), []

    def _as_one(self, found: Sequence[Saved]) -> Saved:
        """A state of the program's width, and one history, of the groups' own."""
        room = self.room()
        arrays = dict(room) if room is not None else room_for(self._leaves)
        of_groups = [own for own, _ in found]
        for name, leaf in self._leaves.items():
            if not leaf.per_member:
                # A counter, which is equal at equal episodes.
                arrays[name][...] = of_groups[0][name]
                continue
            for rows, own in zip(self.cohort.rows(), of_groups, strict=True):
                arrays[name][rows] = own[name]
            self._fill_up(arrays[name])
        try:
            history = beside([own for _, own in found])
        except ValueError as error:
            raise CheckpointError(f"{self._groups[0].group.folder}: {error}") from error
        return arrays, history

    def _fill_up(self, leaf: np.ndarray) -> None:
        """Copies in the rows that no member has, as in a new population."""
        members = len(self.cohort.members)
        for row in range(members, self.cohort.width):
            leaf[row] = leaf[row % members]

    def close(self) -> None:
        """Until what is being saved is on disk; then nothing more can be."""
        self._thread.shutdown(wait=True)
        for group in self._groups:
            group.close()

    def finish(self, finite: np.ndarray) -> None:
        """All members are at their end, which is on disk: checkpoints are needed no more.

        A group of which no member is finite keeps its last good one.

        Args:
            finite: which members are. [members], bool
        """
        self.close()
        for rows, saver in zip(self.cohort.rows(), self._groups, strict=True):
            if finite[rows].any():
                discard_group(saver.group.folder)
            else:
                keep_as_diverged(saver.group.folder)

    def _write(self, arrays: Arrays, history: History, finite: np.ndarray) -> None:
        first_error = None
        for rows, saver in zip(self.cohort.rows(), self._groups, strict=True):
            if not finite[rows].any():
                continue
            own = {}
            for name, leaf in arrays.items():
                own[name] = leaf[rows] if self._leaves[name].per_member else leaf
            try:
                saver.write(own, history.of(rows))
            except CheckpointError as error:
                # The others may well have room: an older checkpoint of theirs has been deleted.
                first_error = first_error or error
        if first_error is not None:
            raise first_error
        self.newest = history.episode

    def _failed(self, error: Exception) -> None:
        if self._training.if_save_fails == "stop":
            raise CheckpointError(str(error)) from error
        self._report(f"a checkpoint could not be saved, training continues: {error}")


def _check_finite(arrays: Arrays, leaves: Leaves, finite: np.ndarray) -> None:
    rows = np.flatnonzero(finite)
    for name, leaf in leaves.items():
        if not leaf.parameter:
            continue
        own = arrays[name][rows]
        if not np.isfinite(own).all():
            raise CheckpointError(f"leaf {name} is not finite")
