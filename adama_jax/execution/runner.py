"""Training the runs of one program, new ones and unfinished ones, into their folders."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from adama_jax.config.identity import program_key
from adama_jax.config.options import Training
from adama_jax.config.schema import Config
from adama_jax.errors import CheckpointError
from adama_jax.execution.cohort import Cohort, Group, cohorts_to_resume
from adama_jax.execution.devices import cohorts_of
from adama_jax.execution.events import (
    Divergence,
    Ended,
    Finished,
    Member,
    Resumed,
    Started,
)
from adama_jax.execution.jax_setup import check_fixed, local_devices
from adama_jax.execution.loop import train_cohort
from adama_jax.execution.observer import Hooks
from adama_jax.execution.program import Program, compiled, schedule
from adama_jax.execution.results import finish_run, keep_member, other_machines
from adama_jax.execution.saver import CohortSaver, Saved
from adama_jax.execution.state import leaves_of
from adama_jax.storage.folder import RunFolder
from adama_jax.storage.groups import (
    SavedGroup,
    discard_group,
    discard_leftovers,
    find_groups,
    group_folder,
    keep_as_diverged,
    keep_as_last,
    refuse_older_versions,
)
from adama_jax.storage.writer import RunWriter
from adama_jax.types import Device

Devices = Sequence[Device]
Divergences = dict[int, Divergence]  # by the seed


def run(
    configs: Sequence[Config],
    out: Path | str,
    hooks: Hooks = Hooks(),
    devices: Devices | None = None,
    width: int | None = None,
    training: Training = Training(),
    labels: Sequence[str] | None = None,
) -> list[Divergences]:
    """Train all seeds of configurations that share a program, and write their run folders.

    Unfinished runs are resumed, with the width and number of devices they were begun with.

    Args:
        configs: validated configurations, equal but for traced settings and seeds.
        out: results folder; a run folder that exists is replaced at the end.
        hooks: told what happens, and asked whether to stop.
        devices: JAX devices to share the members; None: all local ones.
        width: members at once; None: what is fast and fits in the free memory.
        training: when checkpoints are written, and whether to begin anew (`force`).
        labels: what observers are told the runs are called; None: by their methods.

    Returns:
        For each configuration the seeds that diverged, and where.

    Raises:
        ValueError: the configurations need different programs.
        Interrupted: `hooks.stop` said so.
        RunBusy: another process trains one of these runs.
        SettingError: what an earlier process left has other settings, or is of an older version; or
            JAX is set to what would give other numbers (`set_up_jax`).
        CheckpointError: a checkpoint could not be written, and `training` says to stop then.
    """
    if len({program_key(config) for config in configs}) != 1:
        raise ValueError(
            "configurations of one program may differ in traced settings and seeds only"
        )
    labels = labels or [config.label for config in configs]
    check_fixed()
    devices = list(devices or local_devices())
    with _Job(configs, labels, Path(out), hooks, training, devices) as job:
        try:
            job.start()
            job.train(width)
        finally:
            hooks.tell(Ended())
        return job.divergences()


class _Job:
    """Runs that share a program. Their folders are held for as long as the block lasts."""

    def __init__(
        self,
        configs: Sequence[Config],
        labels: Sequence[str],
        out: Path,
        hooks: Hooks,
        training: Training,
        devices: Devices,
    ):
        self._configs = configs
        self._labels = labels
        self._out = out
        self._hooks = hooks
        self._training = training
        self._devices = devices
        self._writers: list[RunWriter] = []
        self._to_train = 0  # members, of all runs
        self._programs: dict[tuple[int, int], Program] = {}  # by width and devices
        self._open = ExitStack()

    def __enter__(self) -> "_Job":
        try:
            for config in self._configs:
                folder = RunFolder.of(self._out, config)
                again = self._training.force
                if not again:
                    refuse_older_versions(folder)
                writer = RunWriter(folder.path, config, again, self._hooks.report)
                self._writers.append(self._open.enter_context(writer))
        except BaseException:
            self._open.close()
            raise
        self._to_train = len(self._missing())
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def start(self) -> None:
        """Tell what there is; name the runs that a kill left between their last seed and that."""
        for run in range(len(self._configs)):
            self._hooks.tell(Started(self._members(run)))
        for run, writer in enumerate(self._writers):
            for member in self._members(run):
                if member.seed in writer.finished:
                    self._hooks.tell(Resumed([member], writer.points(member.seed)))
        for line in other_machines(self._writers, self._configs[0]):
            self._hooks.report(line)
        self._finish_whole_runs(None)

    def train(self, width: int | None) -> None:
        """Train all members that are not on disk, those first that were begun."""
        begun = self._begun_groups()
        taken = {(group.run, seed) for group in begun for seed in group.saved.seeds}
        new = self._new_groups(
            [one for one in self._missing() if one not in taken], width
        )
        # All programs are compiled before anything is trained: what does not fit fails early.
        cohorts = cohorts_to_resume(begun)
        for cohort in cohorts:
            self._program_of(cohort)
        later = cohorts_to_resume(new)
        done = self._train_groups(begun, done=0, later=len(later))
        self._train_groups(new, done, later=0)

    def divergences(self) -> list[Divergences]:
        """For each run the seeds that diverged, and where."""
        found = []
        for writer in self._writers:
            seeds = {}
            for seed, finished in writer.finished.items():
                if finished.diverged:
                    seeds[seed] = Divergence(**finished.diverged)
            found.append(seeds)
        return found

    def _members(self, run: int) -> list[Member]:
        return [self._member(run, seed) for seed in self._configs[run].seed_range]

    def _member(self, run: int, seed: int) -> Member:
        return Member(
            config=self._configs[run],
            label=self._labels[run],
            seed=seed,
            folder=self._writers[run].partial,
        )

    def _missing(self) -> list[tuple[int, int]]:
        """The run and the seed of each member that is not on disk."""
        found = []
        for run, writer in enumerate(self._writers):
            found += [(run, seed) for seed in writer.missing]
        return found

    def _begun_groups(self) -> list[Group]:
        """What earlier processes began; what they left of seeds that are finished goes."""
        found = []
        for run, writer in enumerate(self._writers):
            missing = set(writer.missing)
            for saved in find_groups(writer.partial, self._hooks.report):
                # A group goes on whole, so that its rows are as they were. That some of its seeds
                # are on disk happens only where a kill came between the last two.
                if missing.intersection(saved.seeds):
                    found.append(Group(run, saved))
                    continue
                self._remove_checkpoints(writer, saved)
        return found

    def _new_groups(
        self, members: Sequence[tuple[int, int]], width: int | None
    ) -> list[Group]:
        """Members that nobody began, in groups of one run and one cohort."""
        if not members:
            return []
        program = compiled(self._configs[0], len(members), self._devices, width)
        width = program.width
        devices = program.population.devices
        self._programs.setdefault((width, devices), program)
        found = []
        for cohort in cohorts_of(members, width):
            for run in sorted({run for run, _ in cohort}):
                seeds = tuple(seed for own, seed in cohort if own == run)
                saved = SavedGroup(
                    folder=group_folder(self._writers[run].partial, seeds),
                    seeds=seeds,
                    width=width,
                    devices=devices,
                    episodes=(),
                )
                found.append(Group(run, saved))
        return found

    def _train_groups(self, groups: Sequence[Group], done: int, later: int) -> int:
        """Train groups to their end, cohort by cohort.

        Args:
            groups: in whatever cohorts they fit.
            done: cohorts that were trained before.
            later: cohorts that come after them.

        Returns:
            Cohorts that are done then.
        """
        left = list(groups)
        while left:
            cohorts = cohorts_to_resume(left)
            cohort = cohorts[0]
            left = [group for group in left if group not in cohort.groups]
            program = self._program_of(cohort)
            leaves = leaves_of(program.shapes)
            saver = CohortSaver(cohort, leaves, self._training, self._hooks.report)
            saver.make_room()
            restored, bad = (None, []) if cohort.episode == 0 else self._restored(saver)
            if bad:
                # Those go back to an older checkpoint, in whichever cohort that is possible.
                saver.close()
                for place, group in enumerate(cohort.groups):
                    left.append(
                        group.reread(self._hooks.report) if place in bad else group
                    )
                continue
            done += 1
            number = (done, done + len(cohorts) - 1 + later)
            self._train(cohort, program, saver, number, restored)
        return done

    def _restored(self, saver: CohortSaver) -> tuple[Saved | None, list[int]]:
        """As `saver.restore`, once it is sure that this version can go on from there."""
        episode = 0
        ends = set()
        for chunks in schedule(self._configs[0]):
            for length in chunks:
                episode += length
                ends.add(episode)
        if saver.cohort.episode not in ends:
            folder = saver.cohort.groups[0].saved.folder
            raise CheckpointError(
                f"{folder}: was begun by a version with other chunks: finish it with that "
                "version, or begin anew (force=true)"
            )
        return saver.restore()

    def _program_of(self, cohort: Cohort) -> Program:
        shape = (cohort.width, cohort.devices)
        if shape not in self._programs:
            used = self._devices[: self._count_devices(cohort)]
            config = self._configs[0]
            self._programs[shape] = compiled(config, cohort.width, used, cohort.width)
        return self._programs[shape]

    def _count_devices(self, cohort: Cohort) -> int:
        """As many as it was begun on, or as near to that as its width can be divided among."""
        available = len(self._devices)
        if cohort.devices <= available:
            return cohort.devices
        counts = range(1, available + 1)
        found = max(count for count in counts if cohort.width % count == 0)
        self._hooks.report(
            f"begun on {cohort.devices} devices, resumes on {found}: no longer equal bit for bit"
        )
        return found

    def _train(
        self,
        cohort: Cohort,
        program: Program,
        saver: CohortSaver,
        number: tuple[int, int],
        restored: Saved | None,
    ) -> None:
        """Train a cohort, keep what it learned, give the runs that are whole their names."""
        members = [self._member(run, seed) for run, seed in cohort.members]
        try:
            learned = train_cohort(
                members, program, saver, self._hooks, number, restored
            )
            for row, (run, seed) in enumerate(cohort.members):
                if seed in self._writers[run].missing:
                    keep_member(self._writers[run], seed, row, learned)
        except BaseException:
            # Wait here for what is being saved and compiled: the stop signal's grace period still
            # applies, and no thread is left behind.
            saver.close()
            program.evaluate.wait()
            raise
        finite = [row not in learned.diverged for row in range(len(members))]
        saver.finish(np.array(finite))
        self._finish_whole_runs(program)

    def _finish_whole_runs(self, program: Program | None) -> None:
        """Give the runs of which all seeds are on disk their names."""
        for run, writer in enumerate(self._writers):
            if writer.missing or writer.named:
                continue
            discard_leftovers(writer.partial)
            episode, curves = writer.curves()
            self._hooks.tell(
                Finished(self._members(run), writer.partial, episode, curves)
            )
            finish_run(writer, self._configs[run], program, self._to_train)

    def _remove_checkpoints(self, writer: RunWriter, saved: SavedGroup) -> None:
        """Of seeds that are on disk; a kill came before that."""
        if all(writer.finished[seed].diverged for seed in saved.seeds):
            keep_as_diverged(saved.folder)
        elif self._training.keep_last:
            keep_as_last(saved.folder)
        else:
            discard_group(saved.folder)
