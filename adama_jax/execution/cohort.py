"""Cohorts: members that are trained together in one program, row beside row.

A run is saved in its own folder, in groups of its seeds. Which groups share a cohort may differ
from one process to the next. What may not differ is the width and the devices of the program that
they were begun in, and members of one program are at the same episode.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from adama_jax.storage.groups import SavedGroup, read_group


class Group(NamedTuple):
    """Seeds of one run of a job, with what is saved of them."""

    run: int  # the run's index in the job
    saved: SavedGroup

    @property
    def episodes(self) -> tuple[int, ...]:
        """Where it can go on: newest first; 0 is the beginning."""
        return self.saved.episodes or (0,)

    def reread(self, report: Callable[[str], None]) -> "Group":
        """The group as it is on disk now; where nothing can be used any more it begins anew."""
        saved = read_group(self.saved.folder, report)
        if saved is None:
            report(
                f"{self.saved.folder}: no checkpoint can be used, its seeds begin anew"
            )
            saved = self.saved._replace(episodes=())
        return Group(self.run, saved)


class Cohort(NamedTuple):
    """Groups that are trained together, in the order of their rows."""

    groups: tuple[Group, ...]
    episode: int  # at which it begins or resumes

    @property
    def width(self) -> int:
        """Of its program."""
        return self.groups[0].saved.width

    @property
    def devices(self) -> int:
        """That its program was begun on."""
        return self.groups[0].saved.devices

    @property
    def members(self) -> list[tuple[int, int]]:
        """The run and the seed of each row."""
        found = []
        for group in self.groups:
            found += [(group.run, seed) for seed in group.saved.seeds]
        return found

    def rows(self) -> list[slice]:
        """The rows of each group."""
        found = []
        start = 0
        for group in self.groups:
            end = start + len(group.saved.seeds)
            found.append(slice(start, end))
            start = end
        return found


def cohorts_to_resume(groups: Sequence[Group]) -> list[Cohort]:
    """Groups of one program's width, devices and episode, as many as fit, together.

    A group goes back to the checkpoint before its newest if it then can go along with one that has
    none newer: after a kill in the middle of a save some runs have the new checkpoint and some not,
    and one program less is worth more than a few minutes of training.

    >>> from pathlib import Path
    >>> def group(run, *episodes, width=2):
    ...     return Group(run, SavedGroup(Path(), (0,), width, 1, episodes))
    >>> groups = [group(0, 75, 50), group(1, 50, 25), group(2, 75), group(3, 50, width=4)]
    >>> for cohort in cohorts_to_resume(groups):
    ...     print(cohort.width, cohort.episode, cohort.members)
    2 50 [(0, 0), (1, 0)]
    2 75 [(2, 0)]
    4 50 [(3, 0)]
    """
    programs: dict[tuple[int, int], list[Group]] = {}
    for group in groups:
        shape = (group.saved.width, group.saved.devices)
        programs.setdefault(shape, []).append(group)
    cohorts: list[Cohort] = []
    for _, left in sorted(programs.items()):
        while left:
            found = _least_far(left)
            cohorts += found
            # By identity: of thousands of groups none is compared with all others.
            taken = {id(group) for cohort in found for group in cohort.groups}
            left = [group for group in left if id(group) not in taken]
    return cohorts


def _least_far(groups: Sequence[Group]) -> list[Cohort]:
    """The cohorts that go on where the group goes on that is least far."""
    episode = min(group.episodes[0] for group in groups)
    # First those that lose nothing by it.
    here = [group for group in groups if group.episodes[0] == episode]
    able = here + [group for group in groups if episode in group.episodes[1:]]
    fewest = min(len(group.saved.seeds) for group in able)
    cohorts: list[Cohort] = []
    # Those that would go back do so beside others only.
    while able and able[0].episodes[0] == episode:
        taken, able = _filled(able, fewest)
        # In the order of the job, so that a cohort that was stopped whole is as it was.
        in_order = sorted(taken, key=lambda group: (group.run, group.saved.seeds))
        cohorts.append(Cohort(tuple(in_order), episode))
    return cohorts


def _filled(able: Sequence[Group], fewest: int) -> tuple[list[Group], list[Group]]:
    """The first groups that fit in a cohort together, and the others.

    No group has less than `fewest` members: without room for them no more is looked at.
    """
    room = able[0].saved.width
    taken: list[Group] = []
    passed: list[Group] = []
    for place, group in enumerate(able):
        members = len(group.saved.seeds)
        if members <= room:
            taken.append(group)
            room -= members
        else:
            passed.append(group)
        if room < fewest:
            return taken, [*passed, *able[place + 1 :]]
    return taken, passed
