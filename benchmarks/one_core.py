"""Keeping a benchmark on one core."""

import os


def take_one_core() -> None:
    """Stay on one core with one thread of XLA; call it before JAX is imported."""
    first = min(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {first})
    # XLA reads its flags once, when JAX starts.
    flags = os.environ.get("XLA_FLAGS", "")
    os.environ["XLA_FLAGS"] = flags + " --xla_cpu_multi_thread_eigen=false"
