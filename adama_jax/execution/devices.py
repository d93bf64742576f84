"""How many runs share the devices at once: a population larger than that runs in slices, one program for all."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import psutil

from adama_jax.training.trainer import Trainer, TrainHyper

MOST_ON_A_CORE = 6  # runs, which take turns: more are hardly faster (docs/performance.md), and a chunk lasts longer
SHARE = 0.8  # of the free memory that a slice may fill


def slice_width(runs: int, devices: int, most: int, platform: str) -> int:
    """Runs in a slice, evenly over the devices; the last slice is filled up with copies.

    Args:
        runs: how many there are in all.
        devices: how many share them.
        most: that fit in one device's memory.
        platform: "cpu", where runs take turns, so that a few at a time will do, or "gpu", where the more
            there is room for the faster each is.

    >>> slice_width(500, devices=1, most=312, platform="gpu")
    250
    >>> [slice_width(runs, devices=2, most=1000, platform="cpu") for runs in (1, 2, 5, 15, 32, 500)]
    [1, 2, 6, 4, 4, 4]
    """
    devices = min(devices, -(-runs // 2))  # no device has a lone run
    if platform == "cpu":
        choices = range(min(2, runs), max(min(MOST_ON_A_CORE, most), min(2, runs)) + 1)
        return devices * min(choices, key=lambda each: _padded(runs, each * devices))
    slices = -(-runs // (max(most, 1) * devices))
    return -(-runs // (slices * devices)) * devices


def most_in_memory(trainer: Trainer, hyper: TrainHyper, device: Any) -> int:
    """Runs whose states (replay included) fit in the device's free memory, at least 1.

    What a program needs beside the states is not in this figure; `fitted` measures it on the compiled program.
    """
    state = jax.eval_shape(trainer.init, jax.random.key(0), hyper)
    a_run = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
    return max(1, int(SHARE * free_memory(device) / a_run))


def bytes_needed(program: Any) -> int:
    """Bytes a device needs while a compiled program runs: its state, donated, and its workspace."""
    used = program.memory_analysis()
    return (
        used.argument_size_in_bytes
        + used.output_size_in_bytes
        - used.alias_size_in_bytes
        + used.temp_size_in_bytes
    )


def fitted(width: int, needed: int, device: Any) -> int:
    """The width that fits, given the bytes a device needs for this one (`compiled.memory_analysis()`)."""
    room = SHARE * free_memory(device)
    return width if needed <= room else max(1, int(width * room / needed))


def free_memory(device: Any) -> int:
    """Bytes free on a device; on a CPU the machine's or the job's, divided among its host devices."""
    statistics = device.memory_stats()
    if statistics and "bytes_limit" in statistics:
        return statistics["bytes_limit"] - statistics["bytes_in_use"]
    return min([psutil.virtual_memory().available, *group_rooms()]) // len(jax.local_devices())


def group_rooms(
    groups: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")
) -> list[int]:
    """Bytes left to this process in each control group (version 2) that limits it, as Slurm and containers do.

    Args:
        groups: where the groups are mounted.
        own: the file that names this process's group.
    """
    if not own.exists():
        return []
    group = groups / own.read_text().rpartition("::/")[2].strip()
    rooms = []
    for folder in (group, *group.parents):
        limit = folder / "memory.max"
        if limit.exists() and limit.read_text().strip() != "max":
            counts = dict(
                line.split() for line in (folder / "memory.stat").read_text().splitlines()
            )
            used = int((folder / "memory.current").read_text()) - int(
                counts["inactive_file"]
            )  # cache, given up first
            rooms.append(max(0, int(limit.read_text()) - used))
    return rooms


def slices_of(runs: Sequence[Any], width: int) -> list[list[Any]]:
    """Consecutive slices of at most `width`.

    >>> slices_of("abcde", 2)
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    return [list(runs[start : start + width]) for start in range(0, len(runs), width)]


def _padded(runs: int, width: int) -> int:
    return -(-runs // width) * width


def set_up_jax(devices: int | None = None) -> None:
    """One host device a core (the population is sharded over them), and a persistent compilation cache.

    Call it before anything touches JAX's backends. `JAX_COMPILATION_CACHE_DIR`, where set, decides where the cache is.
    """
    os.environ.setdefault(
        "TF_CPP_MIN_LOG_LEVEL", "2"
    )  # XLA's note that a cached program was built on a like machine
    import jax

    jax.config.update("jax_num_cpu_devices", devices or len(os.sched_getaffinity(0)))
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
        jax.config.update("jax_compilation_cache_dir", str(home / "adama-jax" / "xla"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)
