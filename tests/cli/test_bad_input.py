"""What is refused: one line that says what is allowed, code 2, nothing on disk, and no JAX."""

import os
import subprocess
import sys

import pytest

from adama_jax.cli import main as cli
from adama_jax.errors import OtherSettings

WRONG = [
    ("", "scenario"),
    ("train", "scenario=: must come first"),
    ("train nope", "scenario=nope: must be one of going_together"),
    ("train predator-prey", ": did you mean predator_prey? It must be one of goi"),
    ("train Clustering", ": did you mean clustering? It must be one of going"),
    ("trian clustering", "command=trian: did you mean train? It must be one"),
    ("version", "command=version: did you mean --version? It must be one of train"),
    ("help", "command=help: did you mean --help? It must be one of train, experi"),
    (
        "train clustering learning_rate=0.1",
        "; did you mean l, l_c or l_a?",
    ),
    ("train clustering buffer-size=9", "; did you mean capacity?"),
    ("train clustering batch-siz=9", "; did you mean batch_size?"),
    (
        "train clustering start=0.5",
        "start=0.5: must be given as world.start or exploration.start",
    ),
    ("train clustering direction=", "direction=: must be one of sgd, adabelief"),
    ("train clustering out=", "out=: must be a path, neither empty nor too long"),
    ("train clustering out=/proc/x", "out=/proc/x: must be writable; /"),
    ("sweep clustering", "sweep=clustering: must have a setting with several values"),
    ("train clustering seeds=3 --seeds 4", "seeds=3, --seeds=4: must be given once"),
    (
        "train clustering target_period=9223372036854775807",
        "target_period=9223372036854775807: must be at least 1 and at most 1,000,000,000",
    ),
    ("train clustering hidden=10000000000", "hidden=10000000000: must be one or more"),
    ("train clustering seeds=8589934592", "at least 1 and at most 100,000"),
    ("train clustering episodes=1e12", "at least 1 and at most 1,000,000,000"),
    ("train clustering episodes=1e99", "episodes=1e99: must be a whole number"),
    (
        "train clustering sedes=5",
        "sedes=5: must be the name of a setting; did you mean seeds?",
    ),
    (
        "train clustering --sedes 5",
        "sedes: must be the name of a setting; did you mean seeds?",
    ),
    ("train clustering seeds=abc", "seeds=abc: must be a whole number"),
    ("train clustering seeds=0", "seeds=0: must be at least 1"),
    ("train clustering seeds=", "seeds=: must be a whole number"),
    ("train clustering --seeds", "seeds=: must be a whole number"),
    ("train clustering --seeds method=fixed", "seeds=: must be a whole number"),
    ("train clustering --no-seeds", "no-seeds: must be the name of a setting"),
    ("train clustering force=maybe", "force=maybe: must be true or false"),
    (
        "train clustering optimiser=adm",
        "optimiser=adm: did you mean adam? It must be one of",
    ),
    (
        "train clustering direction=adm",
        "direction=adm: did you mean adam? It must be one of",
    ),
    ("train clustering episodes=-1", "episodes=-1: must be at least 1"),
    (
        "train clustering method=adma",
        "method=adma: did you mean adama? It must be one of",
    ),
    ("train clustering l=-0.01", "l=-0.01: must be above 0"),
    ("train clustering l_c=-1", "l_c=-1: must be above 0"),
    ("train clustering l=nan", "l=nan: must be above 0"),
    ("train clustering alpha=1", "alpha=1: must be at least 0 and below 1"),
    (
        "train clustering m=0",
        "m=0: must be above 0 and finite, or 'auto'",
    ),
    ("train clustering m=big", "m=big: must be a number, or 'auto'"),
    ("train clustering eps=0.5", "eps=0.5: must be at least 0 and below 0.5"),
    (
        "train clustering gamma=1.0",
        "gamma=1.0: must be at least 0 and below 1",
    ),
    ("train clustering world.num_agents=0", "world.num_agents=0: must be at least 1"),
    ("train going_together num_agents=3", "num_agents=3: must be exactly 2"),
    ("train clustering side=0", "side=0: must be above 0"),
    (
        "train clustering batch_size=2000 capacity=1000",
        "batch_size=2000: must be at most 1000",
    ),
    (
        "train predator_prey capacity=1039",
        "learning.batch_size=1024: must be at most 1020, the whole episodes",
    ),
    (
        "train clustering direction_floor=0.4",
        "direction_floor=0.4: must be below 1/sqrt(N)=0.354 with N=8 agents",
    ),
    (
        "train predator_prey prey_step=inf",
        "prey_step=inf: must be at least 0 and finite",
    ),
    (
        "train clustering capacity=5",
        "capacity=5: must be at least 10, an episode",
    ),
    (
        "train clustering method=adama_2nd curvature=exact",
        "curvature=exact: must be 'secant' or 'lookahead'",
    ),
    (
        "train clustering curvature=foo",
        "curvature=foo: must be one of 'exact', 'secant', 'lookahead'",
    ),
    (
        "train clustering hidden=64,x",
        "hidden=64,x: must be whole numbers, separated by commas",
    ),
    (
        "train clustering optimizer=adm",
        "optimizer=adm: did you mean adam? It must be one of",
    ),
    (
        "train clustering touch_radius=0.3",
        "touch_radius=0.3: must be the name of a setting",
    ),
    (
        "train clustering exploration.start=2",
        "exploration.start=2: must be at least 0 and at most 1",
    ),
    ("train clustering stray", "argument=stray: must be a setting, key=value"),
    ("train clustering envs_per_run=0", "envs_per_run=0: must be at least 1"),
    (
        "train clustering envs_per_run=3 episodes=100",
        "episodes=100: must be a multiple of envs_per_run=3, such",
    ),
    (
        "train ant_4x2 envs_per_run=2048 episodes=4096",
        "capacity=1000000: must be at least 2048000, an episode",
    ),
    (
        "train ant_4x2 direction_floor=0.9",
        "direction_floor=0.9: must be below 1/sqrt(N)=0.500 with N=4 agents",
    ),
    (
        "train ant_4x2 solver_iterations=0",
        "solver_iterations=0: must be at least 1",
    ),
    (
        "train ant_4x2_modern method=rmsprop optimizer=adam",
        "optimizer=adam: must be left out: method=rmsprop is rmsprop",
    ),
    (
        "train clustering envs_per_run=3 episodes=99 every=10",
        "every=10: must be a multiple of",
    ),
    (
        "train clustering critic=attention hidden=30,30",
        "hidden=30,30: must be led by a multiple of 4",
    ),
    ("train clustering scenario=going_together", "scenario"),
    ("train clustering devices=0", "devices=0: must be at least 1"),
    (
        "train clustering checkpoint_minutes=-1",
        "checkpoint_minutes=-1: must be at least 0 and finite, or None",
    ),
    (
        "train clustering keep_every=0",
        "keep_every=0: must be at least 1 and at most 1,000,000,000, or None",
    ),
    ("train clustering replay_every=0", "replay_every=0: must be at least 1"),
    ("sweep clustering gpus=-1", "gpus=-1: must be at least 0"),
    ("sweep clustering memory_gb=0", "memory_gb=0: must be at least 1"),
    ("play nowhere episodes=3", "episodes=3: must be at least 4"),
    ("play nowhere start_seed=-1", "start_seed=-1: must be from 0 to 2^31 - 1"),
    ("train MPE_simple_v3 num_obs=3", "num_obs=3: must be left out"),
    (
        "experiment clustering methods=adama,nope",
        "methods=adama,nope: must be one or more, each one of",
    ),
    (
        "experiment clustering methods=adama,adama",
        "methods=adama,adama: must be one or more different methods",
    ),
    ("experiment clustering method=fixed", "method=fixed: must be given as methods="),
    ("sweep clustering l_c=0.1:0.2", "l_c=0.1:0.2: must be start:stop:step"),
    (
        "sweep clustering method=fixed l_c=0.001,-1",
        "l_c=-1: must be above 0",
    ),
    (
        "sweep clustering l_c=0.001,0.002",
        "l_c=0.001,0.002: must be left out: method=adama does not read it",
    ),
    ("sweep clustering l_c=0.001,x", "l_c=x: must be a number"),
    ("sweep clustering methods=adama,nope", "methods=nope: must be one of adama"),
    ("sweep clustering seeds=2,3", "seeds=2,3: must be one number"),
    ("sweep clustering preset=gird", "preset=gird: must be 'grid', or None"),
    ("sweep clustering alpha=,", "alpha=,: must be one or more different values"),
    (
        "sweep clustering out=a,b devices=1,2",
        "devices=1,2: must be a whole number, or None",
    ),
    (
        "sweep clustering m=1,2 launcher=slurm",
        "launcher=slurm: must be here or local on a machine without Slurm",
    ),
    (
        "sweep clustering launcher=moon",
        "launcher=moon: must be one of 'here', 'local', 'slurm'",
    ),
    ("sweep clustering at_once=0", "at_once=0: must be at least 1"),
    ("sweep", "scenario=: must come first"),
    (
        "figures experiments=nowhere",
        "experiments=nowhere: must be a folder with TOML files, or one of them",
    ),
    (
        "reproduce experiments=nowhere",
        "experiments=nowhere: must be a folder with TOML files, or one of them",
    ),
    ("reproduce scale=0", "scale=0: must be above 0 and at most 100"),
    ("reproduce episodes=0", "episodes=0: must be at least 1"),
    (
        "reproduce only=nope",
        "only=nope: must be one or more, each one of going_together",
    ),
    ("report . page=.", "page=.: must be a file to write, not a folder"),
    ("report nowhere", "results=nowhere: must be a folder with finished runs"),
    (
        "calibrate clustering trial_updates=0",
        "trial_updates=0: must be at least 1",
    ),
    ("fly clustering", "command=fly: must be one of train"),
    ("methods loud", "argument=loud: must be left out"),
]


@pytest.mark.parametrize(("line", "message"), WRONG, ids=[line for line, _ in WRONG])
def test_bad_input_is_one_line_and_code_2(line, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = cli.main(line.split())
    out, err = capsys.readouterr()
    assert code == 2
    assert os.listdir(tmp_path) == []
    if line:
        assert err.count("\n") == 1 and err.startswith("adama: error: ")
        assert message in err
    assert "Traceback" not in out + err


def test_bad_input_imports_no_jax(tmp_path):
    """A fresh process, as a user has it; what it takes is in `make bench`.

    A file in the way of the results stays as it is.
    """
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    command = [
        sys.executable,
        "-X",
        "importtime",
        "-m",
        "adama_jax",
        "train",
        "clustering",
        "out=taken",
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 2
    assert "out=taken: must be a folder" in done.stderr
    assert not any(
        line.split("|")[-1].strip() == "jax" for line in done.stderr.splitlines()
    )
    assert (tmp_path / "taken").read_text(encoding="utf-8") == "mine"


def test_a_run_of_another_version_is_a_line_that_says_what_helps(monkeypatch, capsys):
    """Storage says what is wrong; the command line adds the setting that helps."""

    def refused(words):
        raise OtherSettings("adama-x: was trained with seeds=3")

    monkeypatch.setattr("adama_jax.cli.commands.verify.verify", refused)
    assert cli.main(["verify", "x"]) == 2
    line = (
        "adama: error: adama-x: was trained with seeds=3 (force=true trains it again)\n"
    )
    assert capsys.readouterr().err == line
