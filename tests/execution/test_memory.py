"""What cannot fit in memory is refused in one line, before anything compiles or is written."""

import io

import jax
import psutil
import pytest

from adama_jax.cli import main as cli
from adama_jax.config.methods import METHODS
from adama_jax.config.names import with_settings
from adama_jax.config.options import Launch, Training
from adama_jax.config.schema import scenario_config
from adama_jax.errors import SettingError
from adama_jax.execution import memory
from adama_jax.execution.build import make_env, make_hyper, make_train
from adama_jax.execution.devices import bytes_needed
from adama_jax.execution.memory import GB, Room, check_memory, check_needs, needs
from adama_jax.screen.console import Screen
from adama_jax.studies import missing
from adama_jax.studies.calibrate import trial, trial_config
from adama_jax.training.population import population
from tests.helpers import ONE, QUIET, small

BASE = scenario_config("clustering")
ON_CPU = Room(None, int(8 * GB))
ON_GPU = Room(int(8 * GB), int(64 * GB))


def config(**changes):
    return with_settings(
        BASE, {name.replace("__", "."): v for name, v in changes.items()}
    )


@pytest.mark.parametrize("scenario", ["predator_prey", "going_together", "clustering"])
def test_the_paper_s_settings_fit_in_any_machine(scenario):
    room = Room(None, int(1 * GB))
    configs = [with_settings(scenario_config(scenario), {"method": m}) for m in METHODS]
    check_memory([[each] for each in configs], beside=2, room=room, saved=True)


TOO_LARGE = [
    (
        {"learning__capacity": 10**9, "episodes": 10**9},
        "learning.capacity=1000000000 with horizon=10 and world.num_agents=8: ",
        "299.2 GB",
        "the replay",
    ),
    (
        {"learning__capacity": 10**9, "episodes": 10**8, "horizon": 20},
        "learning.capacity=1000000000 with horizon=20",
        "285.6 GB",
        "the replay",
    ),
    (
        {"learning__capacity": 10**9, "episodes": 9 * 10**6},
        "episodes=9000000 with horizon=10",
        "26.9 GB",
        "the replay",
    ),
    (
        {"networks__hidden": (70_000, 70_000)},
        "networks.hidden=70000,70000 with world.num_agents=8: ",
        "705.9 GB",
        "the networks",
    ),
    (
        {"world__num_agents": 1000},
        "world.num_agents=1000 with episodes=50000 and horizon=10: ",
        "17.6 GB",
        "the replay",
    ),
    (
        {"learning__batch_size": 10**8, "learning__capacity": 10**8, "episodes": 10},
        "learning.batch_size=100000000: ",
        "27.2 GB",
        "a minibatch",
    ),
    (
        {"learning__envs_per_run": 10**6, "learning__capacity": 10**7, "horizon": 100},
        "learning.envs_per_run=1000000 with horizon=100: ",
        "14.2 GB",
        "a round of episodes",
    ),
    (
        {"evaluation__episodes": 10**6, "horizon": 2000, "episodes": 100},
        "evaluation.episodes=1000000 with horizon=2000: ",
        "8.4 GB",
        "an evaluation",
    ),
    (
        {"episodes": 10**7, "evaluation__every": 1, "learning__capacity": 10**5},
        "episodes=10000000 with evaluation.every=1 and seeds=5: ",
        "17.2 GB",
        "the curves",
    ),
    (
        {"seeds": 100_000, "episodes": 5000, "evaluation__every": 10},
        "episodes=5000 with evaluation.every=10 and seeds=100000: ",
        "5.2 GB",
        "the curves",
    ),
]


@pytest.mark.parametrize(
    ("changes", "blamed", "size", "what"), TOO_LARGE, ids=[str(t[0]) for t in TOO_LARGE]
)
def test_what_cannot_fit_names_its_settings_and_both_figures(
    changes, blamed, size, what
):
    with pytest.raises(SettingError) as error:
        room = Room(None, int(5 * GB))
        check_memory([[config(**changes)]], beside=1, room=room, saved=True)
    message = str(error.value)
    assert message.startswith(blamed)
    assert ": must fit in memory: training needs " in message
    assert f"{size} of it for {what}, and 5.0 GB of the machine's are free" in message
    assert "\n" not in message


def test_a_gpu_s_memory_and_the_host_s_are_apart():
    large = [config(learning__capacity=10**8, episodes=10**8)]
    with pytest.raises(SettingError, match=r"8\.0 GB of a device's are free$"):
        check_memory([large], 1, ON_GPU, saved=True)
    # The host holds a copy for the checkpoints, if there are any.
    half = [config(learning__capacity=3 * 10**7, episodes=10**8)]
    check_memory([half], 1, ON_GPU, saved=True)
    check_memory([half], 1, ON_CPU, saved=False)
    with pytest.raises(SettingError, match=r"needs 9\.0 GB at the least"):
        check_memory([half], 1, ON_CPU, saved=True)


def test_programs_side_by_side_share_the_host():
    half = [[config(learning__capacity=2 * 10**7, episodes=10**8)]] * 3
    assert check_memory(half, beside=1, room=ON_CPU, saved=True, at_once=1) == 1
    words = r"^at_once=5: must be at most 1: programs side by side need 12\.0 GB"
    with pytest.raises(SettingError, match=words):
        check_memory(half, beside=2, room=ON_CPU, saved=True, at_once=5)
    # Nobody asked for two.
    assert check_memory(half, beside=2, room=ON_CPU, saved=True) == 1
    assert check_memory(half, beside=3, room=ON_GPU, saved=True) == 3


def test_a_command_that_has_no_number_of_programs_runs_as_many_as_fit(
    tmp_path, monkeypatch
):
    launched = []
    monkeypatch.setattr(missing, "room_here", lambda: ON_CPU)
    monkeypatch.setattr(missing, "usable_cores", lambda: 3)
    monkeypatch.setattr(missing, "launch", lambda *given: launched.append(given))
    configs = [
        config(learning__capacity=10**7, episodes=10**8, learning__batch_size=size)
        for size in (64, 128, 256)
    ]
    screen = Screen(file=io.StringIO(), width=200)
    local = Launch("local")
    missing.complete(configs, tmp_path, Training(), local, screen)
    ((_, _, options, *_),) = launched
    assert options == Launch("local", at_once=2)
    assert screen.file.getvalue() == (
        "memory holds 2 of 3 programs at a time; the others wait\n"
    )


def test_the_seeds_of_a_trial_are_divided_over_gpus(monkeypatch):
    class Found(Exception):
        """What is asked of each device."""

    def check(_, found, room):
        raise Found(found[0].on_device)

    ten = config(seeds=10)
    one = needs(trial_config(ten))[0].on_device
    monkeypatch.setattr(memory, "check_needs", check)
    devices = [object()] * 4
    monkeypatch.setattr("adama_jax.execution.jax_setup.local_devices", lambda: devices)
    for room, members in ((ON_GPU, 3), (ON_CPU, 10)):
        monkeypatch.setattr(memory, "room_here", lambda room=room: room)
        with pytest.raises(Found) as found:
            trial(ten)
        assert found.value.args == (members * one,)


def test_all_members_of_a_trial_are_trained_together():
    one = config(seeds=300)
    check_needs(one, needs(one, members=1, saved=False), ON_CPU)
    with pytest.raises(SettingError, match=r"^seeds=300 with .* training needs 22\."):
        check_needs(one, needs(one, members=300, saved=False), ON_CPU)


@pytest.fixture
def small_machine(monkeypatch):
    """One with little memory free, on which nothing may be compiled."""

    class Free:
        available = int(0.1 * GB)

    monkeypatch.setattr(psutil, "virtual_memory", lambda: Free)
    monkeypatch.setattr("adama_jax.execution.jax_setup.set_up_jax", lambda *_: None)
    monkeypatch.setattr(jax.stages.Lowered, "compile", None)


@pytest.mark.parametrize(
    "line",
    [
        "train predator_prey",
        "experiment predator_prey modern=false",
        "sweep predator_prey m=1,2",
        "calibrate predator_prey seeds=1000",
    ],
)
def test_a_command_says_so_before_anything_is_compiled_or_written(
    line, small_machine, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert cli.main(line.split()) == 2
    error = capsys.readouterr().err
    assert ": must fit in memory: training needs " in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_job_of_slurm_has_the_memory_that_it_asks_for(small_machine, tmp_path):
    large = config(learning__capacity=2 * 10**7, episodes=10**8)
    options = Launch("slurm", memory_gb=4)
    with pytest.raises(SettingError, match=r"4\.0 GB of the machine's are free$"):
        missing.complete([large], tmp_path, Training(), options, QUIET)


@pytest.mark.slow
def test_no_program_needs_less_than_is_said():
    """The figure is a least one: whoever is refused could not have trained."""
    one = with_settings(small(), {"episodes": 100})
    trainer = make_train(one, platform="cpu")
    members = population(trainer, 1, ONE)
    shapes = members.shapes(make_hyper(one))
    program = members.chunk.lower(shapes, 5).compile()
    parts = {need.what: need.on_device for need in needs(one)}
    training = sum(parts[what] for what in ("the replay", "the networks"))
    assert training <= bytes_needed(program) <= 50 * training + 10**8
    assert parts["an evaluation"] <= bytes_needed(
        members.evaluate.lower(shapes).compile()
    )
    assert make_env(one).spec.num_agents == 2
