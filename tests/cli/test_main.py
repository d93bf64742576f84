"""The command line as a user meets it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from adama_jax.cli import main as cli
from adama_jax.cli.options import TrainCommand
from adama_jax.config.command_line import parse
from adama_jax.config.schema import scenario_config


def test_pictures_need_no_backend_that_a_notebook_left(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    assert cli.main(["--help"]) == 0
    assert os.environ["MPLBACKEND"] == "agg"


BEFORE_TRAINING = """
import sys
kept = sys.stdout, sys.stderr
import adama_jax.cli.commands.experiment
import adama_jax.reporting.present
import adama_jax.studies.missing
from adama_jax.execution.build import make_env
from adama_jax.config.schema import scenario_config
make_env(scenario_config("predator_prey"))
slow = {"scipy.stats", "matplotlib", "brax", "mujoco", "jaxmarl", "submitit", "orbax"}
print(*sorted(slow & set(sys.modules)))
from adama_jax.envs.mpe.jaxmarl_import import whole_jaxmarl
jaxmarl = whole_jaxmarl()
print(jaxmarl.make("MPE_simple_spread_v3").num_agents, jaxmarl.environments.mpe.SimpleMPE.__name__)
print(whole_jaxmarl() is jaxmarl, kept == (sys.stdout, sys.stderr))
"""


def test_a_start_imports_what_training_needs():
    """Neither plots nor statistics nor other worlds, which would be seconds on a cold start.

    JaxMARL is whole for whoever imports it, whatever OpenGL the environment asks for.
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BEFORE_TRAINING],
        env=os.environ | {"MUJOCO_GL": "not there"},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert lines == ["", "3 SimpleMPE", "True True"]


@pytest.mark.parametrize(
    "line",
    [
        "--help",
        "train --help",
        "experiment predator_prey --help",
        "methods",
        "scenarios",
    ],
)
def test_help_and_lists_without_jax(line):
    command = [sys.executable, "-X", "importtime", "-m", "adama_jax", *line.split()]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    assert done.returncode == 0
    assert not any(
        entry.split("|")[-1].strip() == "jax" for entry in done.stderr.splitlines()
    )
    words = {"methods": "balance", "scenarios": "MPE_simple_tag_v3"}.get(line, "adama")
    assert words in done.stdout


@pytest.mark.parametrize("line", ["scenarios", "train clustering --help", "--help"])
def test_a_closed_pipe_ends_quietly(line):
    """`adama scenarios | head -0`."""
    command = [sys.executable, "-m", "adama_jax", *line.split()]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, encoding="utf-8"
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


def test_settings_are_words_or_flags():
    default = TrainCommand(scenario_config("predator_prey"))
    words = [
        "seeds=7",
        "--method",
        "balance",
        "l=0.02",
        "hidden=32,16",
        "--rates.critic-scale",
        "auto",
        "touch_radius=0.5",
        "force=true",
    ]
    command = parse(TrainCommand, default, words, "adama")
    config = command.config
    assert (
        config.seeds,
        config.method,
        config.rates.total_rate,
        config.networks.hidden,
    ) == (
        7,
        "balance",
        0.02,
        (32, 16),
    )
    assert (
        config.rates.critic_scale,
        config.world.touch_radius,
        command.output.training.force,
    ) == ("auto", 0.5, True)
    assert config.learning == default.config.learning


@pytest.mark.parametrize("name", ["my results", "runs(1)", "[a]b", "a,b"])
def test_a_path_is_taken_as_it_is(name):
    default = TrainCommand(scenario_config("clustering"))
    assert parse(TrainCommand, default, [f"out={name}"], "adama").output.out == Path(
        name
    )
    assert parse(TrainCommand, default, ["--out", name], "adama").output.out == Path(
        name
    )


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_of_the_table_is_there(name):
    assert callable(cli.command_of(name))
    assert f"  adama {name} " in cli.usage()


def test_drawing_needs_no_jax(tmp_path):
    """Figures from the published runs, in a process of its own."""
    root = Path(__file__).parents[2]
    code = (
        "import sys; from adama_jax.cli.main import main; code = main(sys.argv[1:]); "
    )
    code += "print(code, sorted({'jax', 'flax', 'orbax', 'brax'} & set(sys.modules)))"
    experiments = f"experiments={root / 'experiments' / 'figure8.toml'}"
    results = f"out={root / 'docs' / 'results' / 'runs'}"
    words = ["figures", experiments, results, f"figures={tmp_path}"]
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.stdout.splitlines()[-1] == "0 []", done.stderr
    assert (tmp_path / "figure8.png").is_file()
