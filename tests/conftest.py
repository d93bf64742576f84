"""Strict JAX for every test: no silent broadcasting, four host devices, a compilation cache for
this run only.
"""

import os
import signal
import tempfile
from collections.abc import Iterator

# A folder of its own, so that a run of the tests is not helped by an earlier one; who tests often
# names one to keep.
CACHE = tempfile.TemporaryDirectory(prefix="adama-jax-tests-")
os.environ["JAX_COMPILATION_CACHE_DIR"] = os.environ.get("ADAMA_TEST_CACHE", CACHE.name)
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ["MPLBACKEND"] = "agg"

import jax
import pytest

jax.config.update("jax_num_cpu_devices", 4)

# Most of the time goes into compiling what runs once: `make test` has XLA optimize nothing. The
# slow tests, and every process that a test starts, run what users run.
if os.environ.get("ADAMA_TEST_FAST"):
    before = os.environ.get("XLA_FLAGS")
    os.environ["XLA_FLAGS"] = f"{before or ''} --xla_backend_optimization_level=0"
    jax.jit(lambda x: x + 1)(1)  # XLA reads its flags once
    if before is None:
        del os.environ["XLA_FLAGS"]
    else:
        os.environ["XLA_FLAGS"] = before


@pytest.fixture(autouse=True, scope="session")
def signals_as_in_a_terminal() -> Iterator[None]:
    """A shell ignores SIGINT and SIGQUIT in what it starts in the background, `nohup` SIGHUP.

    What is ignored is inherited by every process that a test starts, and no Ctrl-C would reach it.
    A handler is not inherited: the process begins with the signal's usual effect.
    """
    changed = {}
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            changed[number] = signal.signal(number, signal.default_int_handler)
    yield
    for number, before in changed.items():
        signal.signal(number, before)


@pytest.fixture(autouse=True)
def strict_broadcasting() -> Iterator[None]:
    """Arrays of different ranks never meet by accident."""
    with jax.numpy_rank_promotion("raise"):
        yield


@pytest.fixture
def loose_broadcasting() -> Iterator[None]:
    """JaxMARL's own worlds and flashbax broadcast across ranks."""
    with jax.numpy_rank_promotion("allow"):
        yield


@pytest.fixture
def x64() -> Iterator[None]:
    """Double precision, for ratios of small differences."""
    with jax.enable_x64(True):
        yield
