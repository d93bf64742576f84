"""Training what is missing and reading it back: one run that cannot be read costs itself alone."""

import io
from pathlib import Path

from adama_jax.cli.training import train_and_read
from adama_jax.config.options import Launch, Training
from adama_jax.screen.console import Screen
from tests.helpers import fake_config, fake_run


def test_a_finished_run_that_cannot_be_read_is_named_and_left_out(tmp_path):
    """Everything is on disk: nothing is trained."""
    out = tmp_path / "results[bold]"
    methods = ("adama", "fixed", "balance")
    runs = [fake_run(out, method) for method in methods]
    bad: Path = runs[1].folder / "metrics.npz"
    bad.write_bytes(b"no arrays")
    text = io.StringIO()
    console = Screen(file=text, width=300)
    configs = [fake_config(method) for method in methods]
    failed, found = train_and_read(configs, None, out, Training(), Launch(), console)
    assert failed
    assert [run.label for run in found] == ["adama", "balance"]
    (line,) = [line for line in text.getvalue().splitlines() if "left out" in line]
    assert line.startswith(f"left out: {bad}: ")
    assert line.endswith("without its folder the same command trains it again")
