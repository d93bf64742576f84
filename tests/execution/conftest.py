"""What several test modules of runs share: one run, for training takes seconds."""

import pytest

from adama_jax.execution.runner import run
from adama_jax.storage.folder import run_folder
from adama_jax.storage.reader import load_run
from tests.helpers import ONE, short


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """A run that nothing interrupts. Whoever changes it takes a copy."""
    out = tmp_path_factory.mktemp("whole")
    run([short()], out, devices=ONE)
    return load_run(run_folder(out, short()))
