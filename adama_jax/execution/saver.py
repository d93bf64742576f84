"""Saving a cohort's checkpoints in the background, each group of seeds in its own run's folder."""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from adama_jax.config.options import Training
from adama_jax.errors import CheckpointError
from adama_jax.execution.cohort import Cohort
from adama_jax.execution.group_saver import GroupSaver, Report, Saved
from adama_jax.execution.history import History, beside
from adama_jax.execution.state import Arrays, Leaves, room_for
from adama_jax.storage.groups import discard_group, keep_as_diverged, keep_as_last


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

    @property
    def keeps_last(self) -> bool:
        """Whether the end of training is to be kept, for a longer run to go on from."""
        return self._training.keep_last

    def save(
        self,
        arrays: Arrays,
        history: History,
        finite: np.ndarray | None = None,
        with_replay: bool = False,
    ) -> None:
        """Save in the background, all groups but those of which no member is finite.

        Args:
            arrays: the state.
            history: of the members.
            finite: which members' parameters must be finite. [members], bool; None: all.
            with_replay: as `GroupSaver.write` has it.

        Raises:
            CheckpointError: the save before failed, or a parameter is not finite, and that is to
                stop training.
        """
        if finite is None:
            finite = np.ones(len(self.cohort.members), bool)
        try:
            self.wait()
            _check_finite(arrays, self._leaves, finite)
            self._pending = self._thread.submit(
                self._write, arrays, history, finite, with_replay
            )
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

        A group of which no member is finite keeps its last good one; with `keep_last` the others
        keep their newest.

        Args:
            finite: which members are. [members], bool
        """
        self.close()
        for rows, saver in zip(self.cohort.rows(), self._groups, strict=True):
            folder = saver.group.folder
            if not finite[rows].any():
                keep_as_diverged(folder)
            elif self.keeps_last:
                saver.keep_newest()
                keep_as_last(folder)
            else:
                discard_group(folder)

    def _write(
        self,
        arrays: Arrays,
        history: History,
        finite: np.ndarray,
        with_replay: bool,
    ) -> None:
        first_error = None
        for rows, saver in zip(self.cohort.rows(), self._groups, strict=True):
            if not finite[rows].any():
                continue
            own = {}
            for name, leaf in arrays.items():
                own[name] = leaf[rows] if self._leaves[name].per_member else leaf
            try:
                saver.write(own, history.of(rows), with_replay)
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
