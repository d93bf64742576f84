"""JAX as training needs it, whatever the machine's environment says.

What decides numbers is fixed here, so that a seed gives the same ones everywhere. What only a
person can decide (XLA's flags, the kind of device) is written down with a run
(`storage.provenance`), and compared when the run is resumed.
"""

import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax

from adama_jax.errors import SettingError, describe
from adama_jax.execution.devices import usable_cores
from adama_jax.keys import IMPLEMENTATION
from adama_jax.types import Device

Report = Callable[[str], object]

# The one of them that a person may choose, in the environment: on GPUs it is the choice between
# speed and figures. It is written down with a run like what is not fixed.
MATMUL_PRECISION = "jax_default_matmul_precision"
# JAX's defaults at version 0.10, by which the published runs were made.
FIXED: dict[str, Any] = {
    "jax_default_prng_impl": IMPLEMENTATION,
    "jax_random_seed_offset": 0,
    "jax_threefry_partitionable": True,
    "jax_enable_x64": False,
    "jax_numpy_dtype_promotion": "standard",
    MATMUL_PRECISION: None,
    # Whole programs are compiled here, and a sum that is compiled otherwise rounds otherwise.
    "jax_disable_jit": False,
    "jax_disable_most_optimizations": False,
    # A seed that diverges is named, and the others train on: NaN is no reason to end a program.
    "jax_debug_nans": False,
    "jax_debug_infs": False,
    # These change no number, but what Brax and JaxMARL do on the host would end a program.
    "jax_transfer_guard": None,
    "jax_transfer_guard_host_to_device": None,
    "jax_transfer_guard_device_to_device": None,
    "jax_transfer_guard_device_to_host": None,
}
# Programs that take less long to compile are not kept: reading one back costs about as much.
LEAST_SECONDS_TO_COMPILE = 0.5
SECONDS_TO_COMPILE = "jax_persistent_cache_min_compile_time_secs"
SECONDS_OF_JAX = 1.0  # its default


def set_up_jax(devices: int | None = None, report: Report = warnings.warn) -> None:
    """Fix what decides numbers; one host device per core; a cache of compiled programs on disk.

    Call it before anything touches JAX's backends: afterwards the number of devices is as it is.
    A cache that the caller has set (`jax_compilation_cache_dir`) stays, and so does one that
    `JAX_COMPILATION_CACHE_DIR` names. `JAX_DEFAULT_MATMUL_PRECISION` stays too, where set.

    Args:
        devices: host devices on a CPU; None: one per core.
        report: given a line for each setting of the environment that is not used, and why.

    Raises:
        SettingError: JAX has been used with another number of devices than is asked for.
    """
    for name, value in _fixed().items():
        _fix(name, value, report)
    _make_devices(devices, report)
    _keep_programs(report)
    if jax.config.values[SECONDS_TO_COMPILE] == SECONDS_OF_JAX:
        # Nobody said how long.
        jax.config.update(SECONDS_TO_COMPILE, LEAST_SECONDS_TO_COMPILE)


def use_cores(unless_named: bool = False) -> None:
    """Keep JAX off GPUs in this process: one that only looks after others must take none of theirs.

    Call it before anything touches JAX's backends.

    Args:
        unless_named: leave it to `JAX_PLATFORMS`, where that is set.
    """
    if not (unless_named and jax.config.values["jax_platforms"]):
        jax.config.update("jax_platforms", "cpu")


def _fixed() -> dict[str, Any]:
    """What decides numbers here, by the names of JAX's settings."""
    precision = os.environ.get(MATMUL_PRECISION.upper(), "")
    return FIXED | ({MATMUL_PRECISION: precision} if precision else {})


def check_fixed() -> None:
    """Check that what decides numbers is as `set_up_jax` leaves it.

    Raises:
        SettingError: it is not; the message names the setting.
    """
    for name, value in _fixed().items():
        present = jax.config.values.get(name, value)
        if present != value:
            raise SettingError(
                f"{name}={present}: must be {value} for training: call adama_jax.set_up_jax(), "
                f"or leave {name.upper()} unset"
            )


def local_devices() -> list[Device]:
    """This process's devices.

    Raises:
        SettingError: `JAX_PLATFORMS` names a platform that is not there.
    """
    try:
        return jax.local_devices()
    # Which error it is depends on the platform; without CUDA's plugin an assertion fails.
    except Exception as error:
        wanted = jax.config.values["jax_platforms"]
        # An assertion that fails says nothing.
        why = f" ({describe(error)})" if str(error) else ""
        raise SettingError(
            f"JAX_PLATFORMS={wanted}: must name a platform that JAX finds here, such as cpu{why}"
        ) from error


def _fix(name: str, value: Any, report: Report) -> None:
    # Another version of JAX may not have the setting: then nobody can have changed it.
    present = jax.config.values.get(name, value)
    if present == value:
        return
    report(f"{name.upper()}={present} is not used: runs are trained with {value}")
    jax.config.update(name, value)


def _make_devices(wanted: int | None, report: Report) -> None:
    count = wanted or usable_cores()
    try:
        jax.config.update("jax_num_cpu_devices", count)
    except RuntimeError as error:
        # It was used before: its devices are made once, and there they are.
        if jax.default_backend() != "cpu":
            return
        there = len(jax.local_devices())
        if wanted is not None and wanted != there:
            raise SettingError(
                f"devices={wanted}: must be {there}, or set_up_jax must be called before JAX is "
                "used: its devices are made once"
            ) from error
        if there != count:
            report(
                f"JAX was used before set_up_jax: what it trains on is {there} of the processor's "
                f"{count} cores (in a module of your own, such as a world's, make no jax.numpy "
                "array where it is imported)"
            )


def _keep_programs(report: Report) -> None:
    """Keep compiled programs in the user's cache folder, where there is one."""
    # By the caller's own code, or by the environment.
    in_code = jax.config.values["jax_compilation_cache_dir"]
    named = in_code or os.environ.get("JAX_COMPILATION_CACHE_DIR")
    if named is None:
        folder = _cache_folder()
        jax.config.update("jax_compilation_cache_dir", str(folder) if folder else None)
    # One of another machine has an address, which JAX itself looks at.
    elif named and "://" not in named:
        folder = Path(named)
    else:
        return
    if folder is None:
        report("compiled programs are not kept: there is no home folder")
    elif why := _cannot_write(folder):
        report(f"{folder}: compiled programs are not kept: {why}")
        jax.config.update("jax_compilation_cache_dir", None)


def _cache_folder() -> Path | None:
    """Where this package's programs go by default; None where the user has no home folder."""
    caches = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(caches):
        # As the standard says: a relative path, or an empty one, counts as none.
        try:
            caches = Path.home() / ".cache"
        except RuntimeError:
            return None
    return Path(caches) / "adama-jax" / "xla"


def _cannot_write(folder: Path) -> str | None:
    """Why no file can be written to a folder, which is made if need be; None: it can."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return describe(error)
