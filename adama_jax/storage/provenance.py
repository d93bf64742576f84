"""Where a result was computed: versions, processor, devices, commit."""

import importlib.metadata
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

CPUS = Path("/proc/cpuinfo")  # Linux
CPU_NAME_ON_MACOS = ("sysctl", "-n", "machdep.cpu.brand_string")


def machine(used: int | None = None) -> dict[str, Any]:
    """Where a result was computed: versions, processor, devices (how many, and how many were used), commit."""
    import jax

    devices = jax.local_devices()
    packages = (
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
    return {
        "versions": {name: importlib.metadata.version(name) for name in packages}
        | {"python": platform.python_version()},
        "processor": processor(),
        "device": {
            "platform": devices[0].platform,
            "kind": devices[0].device_kind,
            "count": len(devices),
            "used": used or len(devices),
        },
        "git_commit": git_commit(),
    }


def processor() -> str:
    """The CPU's name, as the system has it; its family where the system has no name for it."""
    try:
        names = re.findall(r"^model name\s*:\s*(.+)$", CPUS.read_text(), re.MULTILINE)
    except OSError:
        names = []
    if names:
        return names[0]
    return _output_of(*CPU_NAME_ON_MACOS) or platform.processor() or platform.machine()


def _output_of(*command: str) -> str:
    """What a command prints; nothing where there is no such command, or it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def git_commit() -> str | None:
    """Commit of the checkout that this package runs from, with "+" where files were changed; None outside one."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(here), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", __file__)
        return git("rev-parse", "HEAD") + (
            "+" if git("status", "--porcelain", "--", str(here)) else ""
        )
    except (OSError, subprocess.CalledProcessError):
        return None
