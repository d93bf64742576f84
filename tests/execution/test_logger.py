"""Loggers: a stream for each member, with each point once; and none that fails stops training."""

import io
import os
import struct
import sys
import types
from importlib.machinery import ModuleSpec

import numpy as np
import pytest
from tensorboardX.proto.event_pb2 import Event

from adama_jax.cli.main import main
from adama_jax.execution import logger as logger_module
from adama_jax.execution.events import (
    Ended,
    Evaluated,
    Finished,
    Member,
    Resumed,
    Started,
    Where,
)
from adama_jax.execution.observer import Hooks, JobInfo, make_observers
from adama_jax.screen.console import Screen
from tests.helpers import short


class Server:
    """A wandb of our own: what `wandb.init` gives, and what is at the server."""

    def __init__(self):
        self.steps = {}
        self.configs = {}
        self.made = []
        self.closed = []
        self.broken = False
        self.Settings = dict

    def init(self, **options):
        if self.broken:
            raise OSError("no answer")
        self.made.append(options)
        self.configs[options["id"]] = options["config"]
        return ServerRun(self, options["id"])


class ServerRun:
    def __init__(self, server, name):
        self.server = server
        self.name = name
        self.resumed = name in server.steps
        self.steps = server.steps.setdefault(name, [])

    @property
    def step(self):
        return self.steps[-1][0] + 1 if self.steps else 0

    def log(self, numbers, step):
        if self.server.broken:
            raise OSError("no answer")
        self.steps.append((step, numbers))

    def finish(self):
        if self.server.broken:
            raise OSError("no answer")
        self.server.closed.append(self.name)


@pytest.fixture
def server(monkeypatch):
    server = Server()
    fake = types.ModuleType("wandb")
    fake.__spec__ = ModuleSpec("wandb", None)
    fake.__dict__.update(Settings=server.Settings, init=server.init)
    monkeypatch.setitem(sys.modules, "wandb", fake)
    return server


def numbers_in(folder):
    """Every scalar of TensorBoard's event files below a folder: (episode, name, value)."""
    found = []
    for path in sorted(folder.rglob("events*")):
        data = path.read_bytes()
        while data:
            (size,) = struct.unpack("<Q", data[:8])
            event = Event.FromString(data[12 : 12 + size])
            data = data[16 + size :]
            scalars = [
                value
                for value in event.summary.value
                if value.WhichOneof("value") == "simple_value"
            ]
            found += [(event.step, each.tag, each.simple_value) for each in scalars]
    return found


def point(members, episode):
    """A point of these members, whose numbers are their seeds and episodes."""
    seeds = np.array([member.seed for member in members])
    values = {
        "eval_return": 1000.0 * seeds + episode,
        "actor_rates": np.stack([seeds + 0.25, seeds + 0.5], axis=1),
    }
    return Evaluated(members, Where(1, 1, episode, 150), 50, 1.0, values)


@pytest.fixture
def members(tmp_path):
    folder = tmp_path / "going_together" / "adama-0123456789.partial"
    folder.mkdir(parents=True)
    return [Member(short(), "adama", seed, folder) for seed in (3, 4)]


class Process:
    """What one process tells its loggers."""

    def __init__(self, *names):
        self.screen = Screen(file=io.StringIO())
        self.lines = []
        with self.screen.bars() as bars:
            observers = make_observers(names, JobInfo("a job", self.screen, bars))
        self.hooks = Hooks(observers, report=self.lines.append)

    def __call__(self, *events):
        for event in events:
            self.hooks.tell(event)


def finished(members):
    return Finished(members, members[0].folder, np.array([50, 100, 150]), {})


def train_in_two_processes(members, *names):
    """The first is killed after two points, of which the second is in no checkpoint."""
    first = Process(*names)
    first(Started(members), point(members, 50), point(members, 100))
    saved = point(members, 50)
    second = Process(*names)
    second(Started(members), Resumed(members, [(50, saved.values)]))
    second(point(members, 100), point(members, 150), finished(members), Ended())
    return first.lines + second.lines


def test_tensorboard_has_each_point_once(members):
    assert train_in_two_processes(members, "tensorboard") == []
    for member in members:
        folder = member.folder / "loggers" / "tensorboard" / f"seed-{member.seed}"
        found = numbers_in(folder)
        returns = [(step, value) for step, tag, value in found if tag == "eval_return"]
        at = [50, 100, 150]
        assert returns == [(step, 1000.0 * member.seed + step) for step in at]
        rates = [each for each in found if each[1] == "actor_rates/agent_1"]
        assert rates == [
            (step, "actor_rates/agent_1", member.seed + 0.5) for step in at
        ]
        (file,) = folder.iterdir()
        assert b"rates.smoothing" in file.read_bytes()


def test_wandb_has_each_point_once(members, server):
    assert train_in_two_processes(members, "wandb") == []
    assert len(server.steps) == 2
    assert [options["group"] for options in server.made] == [
        "going_together/adama-0123456789"
    ] * 4
    by_seed = {
        server.configs[name]["seed"]: steps for name, steps in server.steps.items()
    }
    for seed, steps in by_seed.items():
        returns = [(step, numbers["eval_return"]) for step, numbers in steps]
        assert returns == [(step, 1000.0 * seed + step) for step in (50, 100, 150)]
    assert sorted(server.closed) == sorted(server.steps)


def test_what_is_trained_anew_is_another_run_at_wandb(members, server):
    train_in_two_processes(members, "wandb")
    (members[0].folder / "loggers" / "wandb" / "seed-3.txt").unlink()
    Process("wandb")(Started(members), point(members, 50))
    assert len(server.steps) == 3


def test_a_server_that_fails_is_reported_once_and_stops_nothing(members, server):
    server.broken = True
    process = Process("wandb", "tensorboard")
    process(Started(members), point(members, 50), finished(members), Ended())
    assert process.lines == ["an observer failed, training continues: no answer"]
    # The other one has it all.
    assert len(numbers_in(members[0].folder)) == 2 * 3


def test_a_server_that_fails_at_the_end_does_not_fail_the_run(members, server):
    process = Process("wandb")
    process(Started(members), point(members, 50))
    server.broken = True
    process(point(members, 100), finished(members), Ended())
    assert process.lines == ["an observer failed, training continues: no answer"]
    said = process.screen.file.getvalue()
    assert said.count("a job: wandb failed: OSError: no answer") == 2


def test_a_job_with_very_many_members_is_not_followed(members, monkeypatch):
    monkeypatch.setattr(logger_module, "MOST_STREAMS", 1)
    process = Process("tensorboard")
    process(Started(members), point(members, 50), finished(members), Ended())
    (line,) = process.lines
    assert "tensorboard follows 1 members of a job at most" in line


@pytest.mark.parametrize(
    ("name", "package"), [("tensorboard", "tensorboardX"), ("wandb", "wandb")]
)
@pytest.mark.parametrize("setting", ["logger", "observers"])
def test_a_missing_package_is_a_line_before_training(
    name, package, setting, monkeypatch, capsys, tmp_path
):
    monkeypatch.setitem(sys.modules, package, None)
    out = tmp_path / "results"
    assert main(["train", "clustering", f"{setting}={name}", f"out={out}"]) == 2
    printed, line = capsys.readouterr()
    need = f"logger={name} needs {package}: pip install '.[loggers]' in the clone"
    assert line == f"adama: error: {need}\n"
    assert printed == "" and not out.exists()


def test_a_logger_that_there_is_not(capsys):
    assert main(["train", "clustering", "logger=wand"]) == 2
    line = capsys.readouterr().err
    assert line.startswith("adama: error: logger=wand: did you mean wandb? It must be")


TINY = "train going_together seeds=2 episodes=4 horizon=5 batch_size=8 capacity=100"


@pytest.mark.slow
def test_wandb_itself_without_a_server(tmp_path, monkeypatch, capsys):
    """Its own package, which writes to the disk alone."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    out = tmp_path / "results"
    words = f"{TINY} evaluation.episodes=2 devices=4 logger=wandb,tensorboard out={out}"
    assert main(words.split()) == 0
    files = sorted((out / "wandb").glob("offline-run-*/run-*.wandb"))
    assert len(files) == 2
    for file in files:
        assert b"eval_return" in file.read_bytes()
    found = numbers_in(out)
    assert [step for step, tag, _ in found if tag == "eval_return"] == [4, 4]
    assert "failed" not in capsys.readouterr().out
    assert os.listdir(out / "going_together")
