"""Sweeps: what shares a program, what is skipped, what fails; and the command line for them."""

import json
import os
import signal
from concurrent.futures import wait

import jax
import numpy as np
import pytest

from adama_jax.cli.commands.sweep import read_sweep, run_sweep
from adama_jax.cli.options import SweepCommand
from adama_jax.config.command_line import split_axes
from adama_jax.config.identity import program_key
from adama_jax.config.labels import labels
from adama_jax.config.names import setting, traced_settings, with_settings
from adama_jax.config.options import Launch, Training
from adama_jax.config.schema import scenario_config
from adama_jax.errors import SettingError
from adama_jax.execution import devices as slicing
from adama_jax.execution import program
from adama_jax.execution.build import make_hyper, make_train
from adama_jax.execution.events import Advanced, Evaluated
from adama_jax.execution.log import write_log
from adama_jax.execution.observer import Hooks
from adama_jax.execution.runner import run
from adama_jax.screen.console import Screen
from adama_jax.storage.folder import RunFolder, run_folder
from adama_jax.storage.reader import load_run
from adama_jax.studies.jobs import jobs, last_line
from adama_jax.studies.launch import launch
from adama_jax.studies.submitted import slurm_resources
from adama_jax.studies.sweep import product
from tests.helpers import HANG, QUIET, assert_equal_arrays, tiny, wait_until

GRID = {"rates.critic_rate": [0.001, 0.004], "rates.actor_budget": [0.002, 0.008]}


def test_traced_settings_are_the_leaves_of_the_hyperparameters():
    """Each changes one leaf and nothing else; so one program serves them all.

    Any other setting is another program.
    """
    base = tiny("adama", **{"rates.schedule": "linear"})
    plain = jax.tree.leaves(make_hyper(base))
    assert len(plain) == len(traced_settings(base))
    for name in traced_settings(base):
        value = setting(base, name)
        changes = {name: not value if isinstance(value, bool) else value * 0.5 or 0.5}
        other = with_settings(base, changes)
        changed = [
            a != b
            for a, b in zip(plain, jax.tree.leaves(make_hyper(other)), strict=True)
        ]
        assert sum(changed) == 1, name
        assert program_key(other) == program_key(base)
    for name, value in {
        "method": "balance",
        "episodes": 121,
        "horizon": 5,
        "optimizer": "adam",
        "learning.batch_size": 16,
        "networks.hidden": (8,),
        "networks.critic_activation": "tanh",
        "rates.critic_scale": "auto",
        "world.observe_own": True,
        "rates.curvature": "exact",
        "rates.trial_updates": 3,
        "evaluation.episodes": 7,
        "learning.targets": "soft",
    }.items():
        assert program_key(with_settings(base, {name: value})) != program_key(base), (
            name
        )


def test_a_traced_setting_leaves_the_program_as_it_is():
    base = tiny("adama")
    halved = with_settings(
        base, {name: setting(base, name) * 0.5 for name in traced_settings(base)}
    )

    def program(config):
        train = make_train(config)
        state = jax.eval_shape(train.init, jax.random.key(0), make_hyper(config))
        return str(jax.make_jaxpr(lambda state: train.chunk(state, 3))(state))

    assert program(base) == program(halved)


def counting(monkeypatch):
    """Count how often the training loop is traced."""
    traces = []

    def counted(config, **options):
        train = make_train(config, **options)

        def chunk(state, length):
            traces.append(length)
            return train.chunk(state, length)

        return train._replace(chunk=chunk)

    monkeypatch.setattr(program, "make_train", counted)
    return traces


def test_a_grid_is_one_program_and_each_run_is_what_it_is_alone(tmp_path, monkeypatch):
    """Four settings x 2 seeds in cohorts of 3: compiled once, and equal to runs of their own."""
    traces = counting(monkeypatch)
    configs = product(tiny(), GRID)
    events = []
    hooks = Hooks(observers=[write_log, events.append])
    assert (
        run(configs, tmp_path / "grid", hooks, jax.devices()[:1], width=3) == [{}] * 4
    )
    moves = [event for event in events if isinstance(event, Advanced)]
    points = [event for event in events if isinstance(event, Evaluated)]
    assert [
        (move.where.cohort, move.where.episode, move.chunk) for move in moves[:2]
    ] == [
        (1, 100, 100),
        (1, 120, 20),
    ]
    assert len(moves) == len(points) and all(move.seconds > 0 for move in moves)
    assert traces == [100, 20]  # two lengths of chunk
    cohorts = [(point.where.cohort, point.where.cohorts) for point in points]
    assert cohorts == [(1, 3), (1, 3), (2, 3), (2, 3), (3, 3), (3, 3)]
    assert [len(point.members) for point in points] == [3, 3, 3, 3, 2, 2]
    assert [len(point.values["value"]) for point in points] == [3, 3, 3, 3, 2, 2]
    for config in configs[1:3]:
        run([config], tmp_path / "alone", devices=jax.devices()[:1], width=3)
        one, other = (
            load_run(run_folder(tmp_path / where, config))
            for where in ("grid", "alone")
        )
        assert_equal_arrays(one, other)
        np.testing.assert_allclose(
            one.metrics["critic_rate"], config.rates.critic_rate, rtol=1e-6
        )
    lines = (one.folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert sorted(seed for line in lines for seed in json.loads(line)["seed"]) == [
        0,
        0,
        1,
        1,
    ]


@pytest.mark.slow
def test_another_width_is_equal_to_rounding(tmp_path):
    config = tiny(episodes=40)
    for width in (2, 4):
        run([config], tmp_path / str(width), devices=jax.devices()[:1], width=width)
    two, four = (
        load_run(run_folder(tmp_path / str(width), config)).metrics for width in (2, 4)
    )
    np.testing.assert_allclose(two["eval_return"], four["eval_return"], rtol=1e-3)


def test_configurations_of_two_programs_are_refused(tmp_path):
    with pytest.raises(ValueError, match="one program"):
        run([tiny(), tiny("adama")], tmp_path)
    assert not list(tmp_path.iterdir())


class Card:
    """A device with that much memory."""

    platform = "gpu"

    def __init__(self, free):
        self.free = free

    def memory_stats(self):
        return {"bytes_limit": self.free + 7, "bytes_in_use": 7}


def test_slices_fit_in_memory():
    """500 members of predator-prey at full capacity: one cohort on 141 GB, two on 40, many on 1."""
    config = with_settings(scenario_config("predator_prey"), {"method": "fixed"})
    widths = {}
    for gigabytes in (141, 40, 1):
        most = slicing.most_in_memory(
            make_train(config), make_hyper(config), Card(gigabytes * 10**9)
        )
        widths[gigabytes] = slicing.cohort_width(500, 1, most, "gpu")
    assert widths[141] == 500 and widths[40] == 250 and 5 <= widths[1] <= 12
    # On a CPU the copy for a checkpoint takes as much of the same memory.
    host = Card(10**9)
    host.platform = "cpu"
    both = [
        slicing.most_in_memory(make_train(config), make_hyper(config), device)
        for device in (Card(2 * 10**9), host)
    ]
    assert both[0] == pytest.approx(4 * both[1], abs=4)
    assert slicing.fitted(500, 10**9, Card(2 * 10**9)) == 500
    assert slicing.fitted(500, 4 * 10**9, Card(2 * 10**9)) == 200
    assert slicing.fitted(3, 10**12, Card(10**9)) == 1


@pytest.mark.slow
def test_too_little_memory_makes_more_cohorts_and_the_same_results(
    tmp_path, monkeypatch
):
    """As it happens on a GPU: the compiled program does not fit, and a narrower one is compiled."""
    config = tiny(seeds=5, episodes=40)
    events = []
    hooks = Hooks(observers=[write_log, events.append])
    run([config], tmp_path / "wide", hooks, jax.devices()[:2], width=5)
    needed = []

    def little(width, bytes_needed, device):
        needed.append(bytes_needed)
        return min(width, 3)

    monkeypatch.setattr(program, "fitted", little)
    run([config], tmp_path / "narrow", hooks, jax.devices()[:2])
    cohorts = {event.where.cohorts for event in events if isinstance(event, Evaluated)}
    assert cohorts == {1, 2} and len(needed) == 2 and min(needed) > 10_000
    wide, narrow = (
        load_run(run_folder(tmp_path / where, config)).metrics
        for where in ("wide", "narrow")
    )
    np.testing.assert_allclose(wide["eval_return"], narrow["eval_return"], rtol=1e-3)


def test_metrics_of_500_runs_are_small():
    """All that the host holds of the paper's whole grid, five seeds, full length."""
    config = scenario_config("predator_prey")
    train = make_train(config)
    state = jax.eval_shape(train.init, jax.random.key(0), make_hyper(config))
    metrics = jax.eval_shape(lambda state: train.chunk(state, 2)[1], state)
    a_point = (
        sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(metrics)) + 4
    )
    points = -(-config.episodes // config.points_every)
    assert points == 200 and 500 * points * a_point < 20e6


@pytest.mark.slow
def test_a_failed_job_is_named_the_rest_finish_and_only_it_runs_again(
    tmp_path, monkeypatch
):
    configs = product(tiny(episodes=30), {"method": ["fixed", "balance"]})
    started = []

    def breaks(which):
        def instead(configs, *arguments, **options):
            started.append(configs[0].method)
            if configs[0].method == which:
                raise RuntimeError("out of luck\nat the end")
            return run(configs, *arguments, **options)

        monkeypatch.setattr("adama_jax.studies.here.run", instead)

    breaks("balance")
    console = Screen(record=True, width=200)
    assert run_sweep(configs, tmp_path, Training(), Launch(), console) == 1
    text = console.export_text()
    assert "going_together: balance: failed: RuntimeError: at the end" in text
    assert [RunFolder.of(tmp_path, config).is_finished() for config in configs] == [
        True,
        False,
    ]
    assert sorted(started) == ["balance", "fixed"]
    started.clear()
    breaks("")
    assert run_sweep(configs, tmp_path, Training(), Launch(), console) == 0
    assert started == ["balance"]
    assert "fixed: finished already" in console.export_text()
    (table,) = (tmp_path / "going_together").glob("sweep-*.csv")
    assert table.read_text(encoding="utf-8").count("\n") == 3


@pytest.mark.slow
def test_an_interrupt_stops_all_jobs(tmp_path, monkeypatch):
    """Ctrl-C in the waiting thread.

    Jobs that run stop at a chunk's edge with a checkpoint, the others never start.
    """
    configs = product(
        tiny(episodes=10_000), {"method": ["fixed", "balance", "adagrad"]}
    )

    def begun():
        return sum(
            log.stat().st_size > 0 for log in tmp_path.glob("*/*.partial/metrics.jsonl")
        )

    def interrupted(futures):
        wait_until(lambda: begun() >= 2, 10 * HANG)
        os.kill(os.getpid(), signal.SIGINT)
        return wait(futures)

    monkeypatch.setattr("adama_jax.studies.here.wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        launch(jobs(configs, labels(configs)), tmp_path, Launch(at_once=2), QUIET)
    assert not any(RunFolder.of(tmp_path, config).is_finished() for config in configs)
    # One of each job that ran.
    assert len(list(tmp_path.glob("*/*.partial/checkpoints/*/state/[0-9]*"))) == 2


def test_why_a_submitted_job_failed_is_its_own_last_line():
    """As submitit words it: a traceback between rules, then the logs."""
    rule, logs = "-" * 22, "  - /x/1_0_log.err\n  - /x/1_0_log.out"
    where = 'Traceback (most recent call last):\n  File "x.py", line 1, in <module>'
    trace = f"{where}\nMemoryError: too much\n"
    advice = (
        "You can check full logs with 'job.stderr(0)' and 'job.stdout(0)'or at paths:"
    )
    first = "Job (task=0) failed during processing with trace:"
    text = "\n".join([first, rule, trace, rule, advice, logs])
    assert last_line(RuntimeError(text)) == "RuntimeError: MemoryError: too much"
    assert last_line(ValueError()) == "ValueError: no message"
    path = "/results/a/replay/50: leaf replay.rows is missing"
    # Of ours, where submitit's paths are left out.
    assert last_line(RuntimeError(path)) == f"RuntimeError: {path}"


def test_slurm_gets_its_resources():
    options = Launch("slurm", minutes=30, gpus=1, cores=4, memory_gb=8, partition="gpu")
    assert slurm_resources(options) == {
        "timeout_min": 30,
        "cpus_per_task": 4,
        "mem_gb": 8,
        "gpus_per_node": 1,
        "slurm_partition": "gpu",
    }


def test_jobs_group_by_program_and_divide_into_parts():
    configs = product(tiny(), {"method": ["fixed", "adama"], **GRID})
    names = labels(configs)
    assert names == [
        "fixed l_c=0.001 l_a=0.002", "fixed l_c=0.001 l_a=0.008", "fixed l_c=0.004 l_a=0.002",
        "fixed l_c=0.004 l_a=0.008", "adama",
    ]  # fmt: skip
    assert [len(job.configs) for job in jobs(configs, names)] == [4, 1]
    parts = jobs(configs, names, parts=2)
    assert [len(job.configs) for job in parts] == [2, 2, 1]
    assert parts[0].name == "going_together: fixed, 2 settings (part 1)"
    assert {config for job in parts for config in job.configs} == set(configs)


def test_a_job_of_another_robot_is_not_called_as_its_scenario():
    changes = {"world.robot": "walker2d", "world.partition": "3x2"}
    config = with_settings(scenario_config("halfcheetah_2x3"), changes)
    (job,) = jobs([config], labels([config]))
    assert job.name.startswith("walker2d_3x2_like_halfcheetah_2x3: ")


def test_a_label_names_the_optimizer_once():
    configs = product(
        tiny(), {"optimizer": [None, "adam"], "rates.critic_rate": [0.001]}
    )
    assert labels(configs) == ["fixed", "fixed (adam)"]


def test_the_longest_job_comes_first():
    """Eight agents before four before two, and twice as many seeds before half as many."""
    names = ["going_together", "predator_prey", "clustering"]
    configs = [
        with_settings(scenario_config(name), {"episodes": 100}) for name in names
    ]
    configs.append(with_settings(configs[0], {"seeds": 20, "method": "fixed"}))
    ordered = [
        (job.configs[0].scenario, job.work)
        for job in jobs(configs, ["a", "b", "c", "d"])
    ]
    assert ordered == [
        ("clustering", 4000),
        ("going_together", 4000),
        ("predator_prey", 2000),
        ("going_together", 1000),
    ]


def test_a_label_says_its_optimizer_once():
    base = scenario_config("clustering")
    configs = [with_settings(base, {"optimizer": name}) for name in ("adam", "lion")]
    assert labels(configs) == ["adama (adam)", "adama (lion)"]


def test_axes_of_the_command_line():
    default = SweepCommand(scenario_config("clustering"))
    words = [
        "--l_c",
        "0.001,0.002",
        "hidden=32,32",
        "curvature=exact,secant",
        "m=10:30:10",
        "--seeds",
        "3",
    ]
    rest, axes = split_axes(words, default)
    assert rest == ["hidden=32,32", "--seeds=3"]
    assert axes == {
        "rates.critic_rate": ["0.001", "0.002"], "rates.curvature": ["exact", "secant"],
        "rates.critic_scale": ["10", "20", "30"],
    }  # fmt: skip
    for wrong in ("m=1:2", "m=3:1:1", "m=1:2:0", "m=a:b:c", "l_c=0.1,0.1", "seeds=2,3"):
        with pytest.raises(SettingError, match=wrong.partition("=")[0]):
            split_axes([wrong], default)


def test_the_grid_is_a_preset():
    _, full = read_sweep(["predator_prey", "preset=grid"])
    given = ["l_a=0.002", "l_c=0.001,0.005", "seeds=2"]
    _, part = read_sweep(["predator_prey", "preset=grid", *given])
    pairs = {(config.rates.critic_rate, config.rates.actor_budget) for config in full}
    assert len(full) == len(pairs) == 100 and {config.seeds for config in full} == {5}
    assert {config.method for config in full} == {"fixed"} and len(
        {program_key(config) for config in full}
    ) == 1
    assert min(pairs) == (0.001, 0.001) and max(pairs) == (0.01, 0.01)
    found = [
        (each.rates.critic_rate, each.rates.actor_budget, each.seeds) for each in part
    ]
    assert found == [(0.001, 0.002, 2), (0.005, 0.002, 2)]


def test_the_memory_of_a_job_is_its_control_group_s(tmp_path, monkeypatch):
    """Slurm's job within the machine: 3 GB of its own limit left, 10 GB of the one above."""
    job = tmp_path / "slice" / "job_7"
    job.mkdir(parents=True)
    for folder, limit, used in (
        (job, "4000000000", 1500000000),
        (job.parent, "12000000000", 2500000000),
    ):
        (folder / "memory.max").write_text(f"{limit}\n", encoding="utf-8")
        (folder / "memory.current").write_text(f"{used}\n", encoding="utf-8")
        (folder / "memory.stat").write_text(
            "anon 7\ninactive_file 500000000\n", encoding="utf-8"
        )
    (tmp_path / "own").write_text(
        "1:name=systemd:/\n0::/slice/job_7\n", encoding="utf-8"
    )
    assert slicing.free_in_groups(tmp_path, tmp_path / "own") == [3 * 10**9, 10 * 10**9]
    (job / "memory.max").write_text("max\n", encoding="utf-8")
    assert slicing.free_in_groups(tmp_path, tmp_path / "own") == [10 * 10**9]
    assert slicing.free_in_groups(tmp_path, tmp_path / "nothing") == []

    class Host:
        def memory_stats(self):
            return None

    monkeypatch.setattr(
        slicing, "free_in_groups", lambda: [12345 * len(jax.local_devices())]
    )
    assert slicing.free_memory(Host()) == 12345
