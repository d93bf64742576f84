"""The checkpoints of one group of a run's seeds: written whole, read back only if they verify."""

import contextlib
from collections.abc import Callable

import numpy as np

from adama_jax.config.options import Training
from adama_jax.errors import CheckpointError, WrongShapes
from adama_jax.execution.history import (
    History,
    history_about,
    history_arrays,
    history_of,
)
from adama_jax.execution.state import Arrays, Leaves
from adama_jax.storage.checkpoints import Checkpoints
from adama_jax.storage.groups import REPLAY, STATE, SavedGroup

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

    def write(
        self, arrays: Arrays, history: History, with_replay: bool = False
    ) -> None:
        """Write a checkpoint.

        Args:
            arrays: the group's rows of a state; a leaf without rows whole.
            history: of the group's members.
            with_replay: whether it is its turn or not.

        Raises:
            CheckpointError: it could not be written; earlier ones are as they were.
        """
        step = history.episode
        # The replay first: a state is unusable without it, and must not push out an older one.
        if with_replay or self._saves % self._replay_every == 0:
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

    def keep_newest(self) -> None:
        """Delete all checkpoints but the newest."""
        for step in self._state.steps()[1:]:
            self._state.remove(step)
        self._remove_replays()

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
