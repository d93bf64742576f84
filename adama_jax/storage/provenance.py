"""Where a result was computed: versions, processor, devices, commit."""

import importlib.metadata
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

CPUS = Path("/proc/cpuinfo")


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
    """The CPU's name, as the system has it."""
    names = (
        re.findall(r"^model name\s*:\s*(.+)$", CPUS.read_text(), re.MULTILINE)
        if CPUS.exists()
        else []
    )
    return names[0] if names else platform.processor()


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
