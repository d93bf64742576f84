"""Where a result was computed: versions, processor, devices, commit, and JAX's settings."""

import enum
import importlib.metadata
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from adama_jax.config.outside import sources_of
from adama_jax.config.schema import Config

# Where a member was trained, one machine after another: each a `machine`, and `from_episode`.
Stretches = Sequence[Mapping[str, Any]]

CPUS = Path("/proc/cpuinfo")  # Linux
CPU_NAME_ON_MACOS = ("sysctl", "-n", "machdep.cpu.brand_string")
PACKAGE = Path(__file__).parents[1]
# Those that decide what a program computes, and how fast.
PACKAGES = (
    "adama-jax",
    "jax",
    "jaxlib",
    "flax",
    "optax",
    "jaxmarl",
    "brax",
    "mujoco",
    "mujoco-mjx",
    "numpy",
)
# JAX's settings that can change a number, or whether one can be computed. Another version of JAX
# may lack some.
JAX_SETTINGS = (
    "jax_default_prng_impl",
    "jax_random_seed_offset",
    "jax_threefry_partitionable",
    "jax_threefry_gpu_kernel_lowering",
    "jax_enable_x64",
    "jax_explicit_x64_dtypes",
    "jax_numpy_dtype_promotion",
    "jax_default_matmul_precision",
    "jax_disable_jit",
    "jax_disable_most_optimizations",
    "jax_debug_nans",
    "jax_debug_infs",
    "jax_softmax_custom_jvp",
    "jax_use_direct_linearize",
    "jax_use_simplified_jaxpr_constants",
    "jax_embedded_constants_max_bytes",
    "jax_compiler_enable_remat_pass",
    "jax_enable_pgle",
    "jax_scan3",
    "jax_remat3",
    "jax_custom_vjp3",
)
# What XLA and its libraries read from the environment by themselves, and may round by.
XLA_VARIABLES = (
    "XLA_FLAGS",
    "LIBTPU_INIT_ARGS",
    "NVIDIA_TF32_OVERRIDE",
    "TF_CUDNN_DETERMINISTIC",
    "TF_DETERMINISTIC_OPS",
)
# Of a device, what a result can depend on beside the number that was used, which a resume keeps.
SAME_DEVICE = ("platform", "kind")
NOT_INSTALLED = "not installed"
OUTSIDE = "outside"  # the modules of a user's own, in a `machine`


def machine(used: int | None = None, config: Config | None = None) -> dict[str, Any]:
    """Where a result is computed: versions, processor, devices, commit, and whose code it is.

    Args:
        used: devices that the program uses; None: all.
        config: what is computed, for the modules from outside that it names; None: nothing.
    """
    found = {
        "versions": _versions(),
        "processor": processor(),
        "device": _devices(used),
        "git_commit": git_commit(),
        "jax_settings": jax_settings(),
    }
    outside = sources_of(config) if config is not None else {}
    if outside:
        found[OUTSIDE] = {name: each._asdict() for name, each in outside.items()}
    return found


def other_sources(before: Mapping[str, Any], config: Config) -> list[str]:
    """Modules from outside that are not what a run was trained with, in words.

    Args:
        before: a `machine`, or a run's `meta.json`, which is one.
        config: of the run.
    """
    now = {name: each._asdict() for name, each in sources_of(config).items()}
    return differences({OUTSIDE: before.get(OUTSIDE, {})}, {OUTSIDE: now})


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What can make the numbers of one machine another's, in words; each is a `machine`.

    >>> old = {"versions": {"jax": "0.10.1", "numpy": "2.4"}, "git_commit": "0123456789abcdef"}
    >>> new = {"versions": {"jax": "0.10.2", "numpy": "2.4"}, "git_commit": None}
    >>> differences(old, new)
    ['jax 0.10.1, now 0.10.2', 'commit 0123456789, now none']
    """
    one = _comparable(before)
    other = _comparable(now)
    return [
        f"{name} {one.get(name, 'none')}, now {other.get(name, 'none')}"
        for name in {**one, **other}
        if one.get(name) != other.get(name)
    ]


def moved(stretches: Iterable[Stretches], here: Mapping[str, Any]) -> list[str]:
    """A line for each other machine on which members were trained last, with what differs here.

    >>> moved([[{"git_commit": "a"}], [{"git_commit": "a"}], []], {"git_commit": "b"})
    ['trained before with commit a, now b: may not be equal bit for bit to a run in one stretch']
    """
    lines = []
    for each in stretches:
        # Earlier versions did not write it down.
        found = differences(each[-1], here) if each else []
        line = (
            f"trained before with {'; '.join(found)}: may not be equal bit for bit to a run in one "
            "stretch"
        )
        if found and line not in lines:
            lines.append(line)
    return lines


def _comparable(machine: Mapping[str, Any]) -> dict[str, Any]:
    """What two machines are compared by, flat; what a machine does not say is left out."""
    found = {**machine.get("versions", {})}
    if machine.get("git_commit"):
        # With the "+" of a changed package, if there is one.
        commit = machine["git_commit"]
        found["commit"] = commit[:10] + commit[40:]
    if "processor" in machine:
        found["processor"] = machine["processor"]
    device = machine.get("device", {})
    found |= {name: device[name] for name in SAME_DEVICE if name in device}
    for name, source in machine.get(OUTSIDE, {}).items():
        found[f"source of {name}"] = source["sha256"][:10]
    return found | machine.get("jax_settings", {})


def _versions() -> dict[str, str]:
    versions = {name: _version(name) for name in PACKAGES}
    versions["python"] = platform.python_version()
    return versions


def _version(package: str) -> str:
    """What the package's metadata say; a copy of its files has none, and trains as well."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return NOT_INSTALLED


def jax_settings() -> dict[str, bool | int | float | str | None]:
    """JAX's settings that can change a number, and what is set of XLA's variables."""
    import jax

    values = jax.config.values
    found = {name: _plain(values[name]) for name in JAX_SETTINGS if name in values}
    return found | {
        name: os.environ[name] for name in XLA_VARIABLES if os.environ.get(name)
    }


def _plain(value: Any) -> bool | int | float | str | None:
    """A setting's value as JSON has it."""
    return value.name.lower() if isinstance(value, enum.Enum) else value


def _devices(used: int | None) -> dict[str, Any]:
    # Slow to import: drawing, which asks for the commit alone, need not wait for it.
    import jax

    devices = jax.local_devices()
    return {
        "platform": devices[0].platform,
        "kind": devices[0].device_kind,
        "count": len(devices),
        "used": used or len(devices),
    }


def processor() -> str:
    """The CPU's name, as the system has it; its family where the system has no name for it."""
    try:
        text = CPUS.read_text(encoding="utf-8", errors="replace")
        names = re.findall(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    except OSError:
        names = []
    if names:
        return names[0]
    return _output_of(*CPU_NAME_ON_MACOS) or platform.processor() or platform.machine()


def _output_of(*command: str) -> str:
    """What a command prints; nothing where there is no such command, or it fails."""
    try:
        done = subprocess.run(
            command, capture_output=True, check=True, encoding="utf-8", errors="replace"
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def git_commit(package: Path = PACKAGE) -> str | None:
    """Commit of the checkout that the package runs from; None outside one.

    "+" behind it says that files of the package were changed.
    """

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(package), *arguments]
        return subprocess.run(
            command, capture_output=True, check=True, encoding="utf-8", errors="replace"
        ).stdout.strip()

    try:
        # The package may be installed within somebody else's repository, whose commit says nothing.
        git("ls-files", "--error-unmatch", str(package / "__init__.py"))
        changed = git("status", "--porcelain", "--", str(package))
        return git("rev-parse", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None
