"""What the commands that train have in common."""

import contextlib
import os
import sys

import pytest

from adama_jax.cli.main import main


@pytest.mark.parametrize("command", ["train", "experiment", "sweep", "calibrate"])
def test_a_line_says_what_goes_on_before_jax_is_imported(
    command, capsys, monkeypatch, tmp_path
):
    """And no line comes before the settings were checked."""
    # Importing what imports JAX fails, as if nobody waited for it.
    for module in ("devices", "jax_setup", "build"):
        monkeypatch.setitem(sys.modules, f"adama_jax.execution.{module}", None)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    assert main([command, "clustering", "alpha=2"]) == 2
    assert capsys.readouterr().out == ""
    words = [command, "clustering", *(["l_c=0.1,0.2"] if command == "sweep" else [])]
    if command == "sweep":
        words.append("method=fixed")
    with contextlib.suppress(ImportError):
        main(words)
    assert capsys.readouterr().out == "loading JAX ...\n"
    # XLA's alarms about slow compilations are for its developers.
    assert os.environ.pop("TF_CPP_MIN_LOG_LEVEL") == "3"
