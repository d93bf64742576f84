"""How many members at once, and on what: devices, cores, memory, shares of a minibatch.

More members than fit or help run in cohorts, one after another, in one program.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import psutil

from adama_jax.keys import key_of
from adama_jax.training.trainer import Trainer, TrainHyper

# Members take turns on a core: more add little speed and lengthen a chunk (docs/performance.md).
MOST_MEMBERS_PER_CORE = 6
# A program needs some memory that no figure foretells (fragmentation, the evaluation's worlds).
SHARE_OF_FREE_MEMORY = 0.8
# Transitions of a microbatch on a CPU: more fall out of the caches, fewer make matrices too small.
MOST_TRANSITIONS = 512
FEWEST_TRANSITIONS = 128


def cohort_width(members: int, devices: int, most: int, platform: str) -> int:
    """Members of a cohort, evenly over the devices; the last cohort is filled up with copies.

    Args:
        members: how many there are in all.
        devices: how many share them.
        most: that fit in one device's memory.
        platform: "cpu", where members take turns, so that a few at a time will do, or "gpu", where
            the more there is room for the faster each is.

    >>> cohort_width(500, devices=1, most=312, platform="gpu")
    250
    >>> counts = (1, 2, 5, 15, 32, 500)
    >>> [cohort_width(count, devices=2, most=1000, platform="cpu") for count in counts]
    [1, 2, 6, 4, 4, 4]
    """
    # A lone member on a device costs nearly as much as two: XLA's matrices are small.
    devices = min(devices, _divided_up(members, 2))
    if platform == "cpu":
        return devices * _members_per_core(members, devices, most)
    at_once = max(most, 1) * devices
    cohorts = _divided_up(members, at_once)
    per_device = _divided_up(members, cohorts * devices)
    return per_device * devices


def _members_per_core(members: int, devices: int, most: int) -> int:
    """What leaves the fewest rows to fill up with copies; the smallest of several such."""
    fewest = min(2, members)
    largest = max(min(MOST_MEMBERS_PER_CORE, most), fewest)

    def rows(each: int) -> int:
        width = each * devices
        return _divided_up(members, width) * width

    return min(range(fewest, largest + 1), key=rows)


def cohorts_of(members: Sequence[Any], width: int) -> list[list[Any]]:
    """Consecutive cohorts of at most `width`.

    >>> cohorts_of("abcde", 2)
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    starts = range(0, len(members), width)
    return [list(members[start : start + width]) for start in starts]


def devices_per_pair(members: int, devices: int) -> int:
    """How many devices there are for each two members, at least 1.

    >>> [devices_per_pair(members, devices=8) for members in (1, 2, 3, 5, 16)]
    [8, 8, 4, 2, 1]
    """
    pairs = _divided_up(members, 2)
    return devices // min(devices, pairs)


def count_microbatches(batch_size: int, platform: str, sharing: int = 1) -> int | None:
    """On a CPU, the fewest equal microbatches that the caches hold; elsewhere None.

    1 where no number of them has 128 to 512 transitions each (docs/performance.md).

    Args:
        batch_size: transitions of a minibatch.
        platform: of the devices, "cpu" or "gpu".
        sharing: devices that get equally many microbatches.

    >>> [count_microbatches(size, "cpu") for size in (1024, 1000, 768, 100, 1009)]
    [2, 2, 2, 1, 1]
    >>> count_microbatches(1024, "cpu", sharing=3)
    1
    """
    if platform != "cpu":
        return None
    for count in range(sharing, batch_size + 1, sharing):
        size, rest = divmod(batch_size, count)
        if rest == 0 and FEWEST_TRANSITIONS <= size <= MOST_TRANSITIONS:
            return count
    return 1


def most_sharing(batch_size: int, devices: int, platform: str) -> int:
    """The most devices, of so many, that can share a minibatch.

    >>> [most_sharing(1024, devices, "cpu") for devices in (1, 2, 3, 16, 64)]
    [1, 2, 2, 8, 8]
    >>> most_sharing(1009, 2, "cpu")
    1
    """
    for count in range(devices, 1, -1):
        microbatches = count_microbatches(batch_size, platform, count) or 1
        if microbatches % count == 0:
            return count
    return 1


def most_in_memory(trainer: Trainer, hyper: TrainHyper, device: Any) -> int:
    """Members whose states (replay included) fit in the device's free memory, at least 1.

    What a program needs beside the states is not in this figure; `fitted` measures it on the
    compiled program.
    """
    state = jax.eval_shape(trainer.init, key_of(0), hyper)
    per_member = bytes_of(state)
    if device.platform == "cpu":
        # The copy that becomes a checkpoint lies in the same memory.
        per_member *= 2
    room = SHARE_OF_FREE_MEMORY * free_memory(device)
    return max(1, int(room / per_member))


def bytes_of(shapes: Any) -> int:
    """Bytes of a tree of arrays or of their shapes."""
    leaves = jax.tree.leaves(shapes)
    return sum(leaf.size * leaf.dtype.itemsize for leaf in leaves)


def bytes_needed(program: Any) -> int:
    """Bytes a device needs while a compiled program runs: its state, donated, and its workspace."""
    used = program.memory_analysis()
    given = used.argument_size_in_bytes + used.output_size_in_bytes
    # The state is donated: what comes out lies where what went in lay, and counts once.
    return given - used.alias_size_in_bytes + used.temp_size_in_bytes


def fitted(width: int, needed: int, device: Any) -> int:
    """The width that fits, given the bytes a device needs for this one (`bytes_needed`)."""
    room = SHARE_OF_FREE_MEMORY * free_memory(device)
    if needed <= room:
        return width
    return max(1, int(width * room / needed))


def free_memory(device: Any) -> int:
    """Bytes free on a device; on a CPU the machine's or the job's, divided among its devices."""
    statistics = device.memory_stats()
    if statistics and "bytes_limit" in statistics:
        return statistics["bytes_limit"] - statistics["bytes_in_use"]
    # Host devices are threads of this process: they share its memory.
    return free_on_host() // len(jax.local_devices())


def free_on_host() -> int:
    """Bytes free on this machine, or in the part of it that a job was given."""
    machine = psutil.virtual_memory().available
    return min([machine, *free_in_groups()])


class GroupFiles(NamedTuple):
    """What the files are called in which a version of control groups says how much memory it has.

    inactive: the line of `statistics` with the part of the page cache that is given up at need.
    """

    limit: str
    used: str
    statistics: str
    inactive: str


VERSION_1 = GroupFiles(
    limit="memory.limit_in_bytes",
    used="memory.usage_in_bytes",
    statistics="memory.stat",
    inactive="total_inactive_file",
)
VERSION_2 = GroupFiles(
    limit="memory.max",
    used="memory.current",
    statistics="memory.stat",
    inactive="inactive_file",
)
# Version 1 writes no limit as the most whole pages that fit into 63 bits.
NO_LIMIT = 2**62


def free_in_groups(
    groups: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")
) -> list[int]:
    """Bytes left to this process in each control group that limits it; none outside Linux.

    Slurm and containers limit memory so; the machine's own figure does not show it.

    Args:
        groups: where the groups are mounted.
        own: the file that names this process's groups.
    """
    try:
        # A group's name may hold any bytes.
        named = own.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return []
    found = []
    for line in named.splitlines():
        # Version 2 has one line, without controllers; version 1 has one for each few of them.
        _, controllers, name = line.split(":", 2)
        if not controllers:
            found += _free_in_parents(groups, name, VERSION_2)
        elif "memory" in controllers.split(","):
            found += _free_in_parents(groups / "memory", name, VERSION_1)
    return found


def _free_in_parents(mount: Path, name: str, files: GroupFiles) -> list[int]:
    """Bytes left in a group and in those that it is within, as far as they set limits."""
    folder = mount / name.strip("/")
    found = [_free_in_group(each, files) for each in (folder, *folder.parents)]
    return [free for free in found if free is not None]


def _free_in_group(group: Path, files: GroupFiles) -> int | None:
    """Bytes left in one control group; None where it sets no limit, or its files cannot be read."""
    try:
        limit = (group / files.limit).read_text(encoding="utf-8").strip()
        if limit == "max" or int(limit) >= NO_LIMIT:
            return None
        used = int((group / files.used).read_text(encoding="utf-8"))
        statistics = (group / files.statistics).read_text(encoding="utf-8")
    except OSError:
        return None
    counts = dict(line.split() for line in statistics.splitlines())
    # The page cache counts as used, but the kernel gives it up before it refuses anybody memory.
    used -= int(counts[files.inactive])
    return max(0, int(limit) - used)


def usable_cores() -> int:
    """CPU cores that this process may use: its affinity where the system has one, else all."""
    # macOS has no affinity. Slurm and `taskset` set one, and os.cpu_count() does not see it.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _divided_up(count: int, by: int) -> int:
    """The quotient, rounded up."""
    return -(-count // by)
