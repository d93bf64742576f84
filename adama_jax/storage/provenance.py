"""Where a result was computed: versions, processor, devices, commit."""

import importlib.metadata
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

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


def machine(used: int | None = None) -> dict[str, Any]:
    """Where a result is computed: versions, processor, devices, commit.

    Args:
        used: devices that the program uses; None: all.
    """
    return {
        "versions": _versions(),
        "processor": processor(),
        "device": _devices(used),
        "git_commit": git_commit(),
    }


def _versions() -> dict[str, str]:
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    versions["python"] = platform.python_version()
    return versions


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
