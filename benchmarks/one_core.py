"""Keeping a benchmark on one core."""

import os


def take_one_core() -> None:
    """Stay on one core with one thread of XLA; call it before JAX is imported."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    os.environ["XLA_FLAGS"] = (
        os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"
    )
