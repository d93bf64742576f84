"""MuJoCo, imported whatever `MUJOCO_GL` says: nothing here is drawn with OpenGL."""

import os
import sys
from importlib import import_module
from typing import Any

from adama_jax.errors import MissingPackage, needed_by


def import_mujoco() -> Any:
    """The package `mujoco`, without its contexts for OpenGL where these cannot be had.

    Its names are in a compiled module, which pyright cannot read.

    Raises:
        MissingPackage: it is not installed.

    >>> import_mujoco().MjModel.__name__
    'MjModel'
    """
    wanted = os.environ.get("MUJOCO_GL")
    try:
        with needed_by("a robot"):
            return import_module("mujoco")
    # A name that it does not know, a library that is not installed: each ends in another error.
    except Exception as error:
        if wanted is None or isinstance(error, MissingPackage):
            raise
    os.environ["MUJOCO_GL"] = "disabled"
    try:
        mujoco = import_module("mujoco")
    finally:
        os.environ["MUJOCO_GL"] = wanted
    # Its modules came with the import that failed, and Python binds them only as they come.
    for name, module in list(sys.modules.items()):
        package, _, own = name.rpartition(".")
        if package == "mujoco":
            setattr(mujoco, own, module)
    return mujoco
