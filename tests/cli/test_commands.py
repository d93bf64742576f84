"""What commands do with their words, up to where JAX would be needed."""

import shlex
from typing import NamedTuple

import numpy as np
import pytest

import adama_jax
from adama_jax.cli import main as cli
from adama_jax.cli.commands.experiment import _configs, _modern_configs
from adama_jax.cli.commands.play import _row_of, play_run
from adama_jax.cli.commands.sweep import read_sweep
from adama_jax.cli.options import ExperimentCommand, PlayCommand
from adama_jax.config.command_line import with_given
from adama_jax.config.methods import METHODS
from adama_jax.config.names import with_settings
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.config.schema import scenario_config
from adama_jax.errors import AdamaError, SettingError, Stopped
from adama_jax.screen.console import Screen
from adama_jax.storage.folder import RunFolder
from adama_jax.storage.publish import main as publish
from adama_jax.studies.exhibits import first_look
from tests.helpers import fake_run

BASE = scenario_config("clustering")


def replaced(monkeypatch, instead):
    """`adama train` does this instead."""
    monkeypatch.setattr("adama_jax.cli.commands.train.train", instead)


def fails(error):
    def command(words):
        raise error

    return command


def test_a_command_gets_the_words_after_its_name_and_gives_the_exit_code(monkeypatch):
    heard = []

    def command(words):
        heard.extend(words)
        return 7

    replaced(monkeypatch, command)
    assert cli.main(["train", "clustering", "seeds=3"]) == 7
    assert heard == ["clustering", "seeds=3"]


def test_an_error_is_one_line_and_code_2(monkeypatch, capsys):
    replaced(monkeypatch, fails(AdamaError("disk: is full")))
    assert cli.main(["train", "clustering"]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", "adama: error: disk: is full\n")


def test_an_error_of_the_program_is_not_hidden(monkeypatch):
    replaced(monkeypatch, fails(ValueError("a bug")))
    with pytest.raises(ValueError, match="a bug"):
        cli.main(["train", "clustering"])


STOPPED = [
    ("train clustering out='my results'", "train clustering 'out=my results'"),
    ("train clustering force=true seeds=3", "train clustering seeds=3"),
    ("train clustering --force seeds=3", "train clustering seeds=3"),
    ("train clustering enforce=true", "train clustering enforce=true"),
]


@pytest.mark.parametrize(("given", "again"), STOPPED)
def test_what_was_stopped_is_resumed_by_the_same_words_without_force(
    monkeypatch, capsys, given, again
):
    replaced(monkeypatch, fails(Stopped(143)))
    assert cli.main(shlex.split(given)) == 143
    assert capsys.readouterr().err == f"adama: stopped; to resume: adama {again}\n"


def test_ctrl_c_before_training_is_code_130(monkeypatch):
    replaced(monkeypatch, fails(KeyboardInterrupt()))
    assert cli.main(["train", "clustering"]) == 130


def test_help_is_asked_for_or_given(capsys):
    assert cli.main(["--help"]) == cli.main(["-h"]) == 0
    asked = capsys.readouterr().out
    assert cli.main([]) == 2
    given = capsys.readouterr().out
    assert asked == given * 2
    for name, command in cli.COMMANDS.items():
        assert f"adama {name} {command.takes}".strip() in given
        assert command.summary in given


def test_the_version_is_told(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"adama-jax {adama_jax.__version__}\n"


@pytest.mark.parametrize(
    "line",
    ["methods --help", "scenarios -h", "verify --help", "verify results/x/y --help"],
)
def test_a_command_without_settings_has_a_help(line, capsys):
    name = line.split()[0]
    assert cli.main(line.split()) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: adama {name}")
    assert cli.COMMANDS[name].summary in text


@pytest.mark.parametrize(
    "line", ["train -h", "play --help", "resume --help", "figures -h", "report --help"]
)
def test_a_command_with_settings_shows_them(line, capsys):
    assert cli.main(line.split()) == 0
    assert "usage: adama " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "registry"), [("methods", METHODS), ("scenarios", SCENARIOS)]
)
def test_lists_have_a_line_each(capsys, name, registry):
    assert cli.main([name]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(registry)
    for line, each in zip(lines, registry.values(), strict=True):
        assert line.endswith(f"[{each.source}]") and each.summary in line


def experiment(values, **options):
    return _configs(ExperimentCommand(BASE, **options), values)


def test_an_experiment_has_a_configuration_a_method():
    assert [config.method for config in experiment({})] == ["adama", "fixed"]
    two = experiment({}, methods=("balance", "adama_2nd"))
    assert two == [
        with_settings(BASE, {"method": name}) for name in ("balance", "adama_2nd")
    ]


@pytest.mark.parametrize(
    "methods", [(), ("adama", "adama"), ("fixed", "adama", "fixed")]
)
def test_an_experiment_compares_different_methods(methods):
    with pytest.raises(SettingError, match="must be one or more different methods"):
        experiment({}, methods=methods)


def test_an_experiment_has_no_single_method():
    with pytest.raises(SettingError, match=r"^method=adama: must be given as methods="):
        experiment({"method": "adama"})


def modern(scenario, **values):
    """What is trained on today's learner, by the values of a command line."""
    command = ExperimentCommand(scenario_config(scenario))
    return _modern_configs(with_given(command, values), values)


def test_an_experiment_has_today_s_learner_with_the_settings_that_were_given():
    methods = ("fixed", "adagrad", "balance")
    found = modern("clustering", episodes=300, methods=methods)
    base = with_settings(scenario_config("clustering_modern"), {"episodes": 300})
    # AdaGrad is an optimizer of its own: there is no AdaGrad on Adam.
    assert found == [
        with_settings(base, {"method": name}) for name in ("fixed", "balance")
    ]


def test_an_experiment_can_do_without_today_s_learner():
    assert modern("clustering", modern=False) == []
    assert modern("clustering", methods=("adagrad",)) == []
    (prodigy,) = modern("clustering", methods=("prodigy",))
    assert prodigy.optimizer_name == "prodigy"
    # 200 updates an episode would take hours beside the paper's one.
    assert modern("ant_4x2") == []


def sweep(*words):
    return read_sweep(["clustering", *words])[1]


def test_a_sweep_has_every_combination_in_order():
    found = sweep("method=fixed", "l_c=0.001,0.002", "l_a=0.01,0.02")
    pairs = [(config.rates.critic_rate, config.rates.actor_budget) for config in found]
    assert pairs == [(0.001, 0.01), (0.001, 0.02), (0.002, 0.01), (0.002, 0.02)]


def test_an_axis_is_swept_by_the_methods_that_read_it_alone():
    found = sweep("methods=adama,fixed", "m=10,20")
    assert [(config.method, config.rates.critic_scale) for config in found] == [
        ("adama", 10.0),
        ("adama", 20.0),
        ("fixed", 80.0),
    ]


def test_a_range_has_its_stop():
    found = sweep("method=fixed", "l_c=0.001:0.010:0.003")
    assert [config.rates.critic_rate for config in found] == [0.001, 0.004, 0.007, 0.01]
    less = sweep("method=fixed", "l_c=0.001:0.009:0.003")
    assert [config.rates.critic_rate for config in less] == [0.001, 0.004, 0.007]


def test_a_range_can_go_down():
    found = sweep("alpha=0.9:0.5:-0.2")
    assert [config.rates.smoothing for config in found] == [0.9, 0.7, 0.5]


def test_words_and_numbers_in_one_axis():
    found = sweep("m=auto,40")
    assert [config.rates.critic_scale for config in found] == ["auto", 40.0]


def test_what_the_words_say_goes_before_the_preset():
    _, found = read_sweep(["clustering", "preset=grid", "l_c=0.5", "method=rmsprop"])
    assert {config.method for config in found} == {"rmsprop"}
    assert {config.rates.critic_rate for config in found} == {0.5}
    assert len({config.rates.actor_budget for config in found}) == 10


def test_an_axis_that_no_method_reads_is_refused():
    with pytest.raises(
        SettingError,
        match=r"^rates\.critic_rate=0.001,0.002: must be left out: method=b",
    ):
        sweep("method=balance", "l_c=0.001,0.002")


@pytest.mark.parametrize("word", ["seed=1,2", "seeds=1:3:1"])
def test_seeds_are_no_axis(word):
    with pytest.raises(SettingError, match=f"^{word}: must be one number$"):
        sweep(word)


def test_a_range_of_too_many_numbers_is_refused():
    assert len(sweep("alpha=0:0.5:0.01")) == 51
    with pytest.raises(SettingError, match="at most 10,000 numbers"):
        sweep("alpha=0:0.99999:0.00001")


def test_which_seed_is_played():
    assert _row_of(None, [100, 101], []) == 0
    assert _row_of(None, [100, 101], [100]) == 1
    assert _row_of(None, [100, 101], [100, 101]) == 0
    assert _row_of(101, [100, 101], [101]) == 1
    with pytest.raises(
        SettingError, match=r"^seed=1: must be one of 100, 101, or None$"
    ):
        _row_of(1, [100, 101], [])


class _Seeds(NamedTuple):
    """Of loaded actors what says whose they are."""

    seeds: np.ndarray


@pytest.fixture
def player(monkeypatch):
    """Plays in no world; the rows that were played."""
    rows = []

    def play(config, actors, row, rollout, episodes, start_seed):
        rows.append(row)
        return np.ones(episodes), rollout

    monkeypatch.setattr(
        "adama_jax.execution.actors.load_actors", lambda path: _Seeds(np.arange(5))
    )
    monkeypatch.setattr("adama_jax.execution.play.play_episodes", play)
    monkeypatch.setattr("adama_jax.reporting.present.show_episodes", lambda *_: [])
    return rows


def test_a_seed_that_diverged_is_not_played(tmp_path, player, capsys):
    folder = fake_run(tmp_path, diverged={"0": 7, "2": 9}).folder
    assert play_run(folder, PlayCommand(), Screen()) == 0
    assert player == [1]
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "2 of 5 seeds diverged: seed 1 did not, and is played"
    assert play_run(folder, PlayCommand(seed=2), Screen()) == 1
    (line,) = capsys.readouterr().out.splitlines()
    why = "seed 2 diverged: its actors are not finite"
    assert line == f"{folder}: {why} (2 of 5 seeds diverged)"
    assert play_run(folder, PlayCommand(seed=3), Screen()) == 0
    assert player == [1, 3]
    assert "diverged" not in capsys.readouterr().out


def test_a_run_whose_every_seed_diverged_is_not_played(tmp_path, player, capsys):
    folder = fake_run(tmp_path, diverged={str(seed): 7 for seed in range(5)}).folder
    assert play_run(folder, PlayCommand(), Screen()) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith("its actors are not finite (5 of 5 seeds diverged)")
    assert player == []


def test_a_world_that_has_changed_since_is_told_of(
    tmp_path, player, capsys, monkeypatch
):
    folder = fake_run(tmp_path).folder
    changed = ["source of mine 0123456789, now 9876543210"]
    monkeypatch.setattr(
        "adama_jax.cli.commands.play.other_sources", lambda meta, config: changed
    )
    assert play_run(folder, PlayCommand(), Screen()) == 0
    assert capsys.readouterr().out.startswith(f"adama: trained with {changed[0]}\n")


def test_verifying_a_run_says_what_is_damaged(tmp_path, capsys):
    folder = fake_run(tmp_path).folder
    assert cli.main(["verify", str(folder)]) == 0
    assert "finished; " in capsys.readouterr().out
    (folder / "actors.npz").unlink()
    assert cli.main(["verify", str(folder)]) == 1
    out = capsys.readouterr().out
    assert f"bad: {folder / 'actors.npz'}: is missing" in out
    (tmp_path / "empty").mkdir()
    assert cli.main(["verify", str(tmp_path / "empty")]) == 2
    assert "must be a run's folder" in capsys.readouterr().err


def test_a_run_is_resumed_without_force(tmp_path, capsys):
    folder = fake_run(tmp_path).folder
    assert cli.main(["resume", str(folder), "force=true"]) == 2
    assert "force=true: must be left out" in capsys.readouterr().err


def test_a_run_without_actors_is_not_played(tmp_path, capsys):
    folder = fake_run(tmp_path).folder
    (folder / "actors.npz").unlink()
    assert cli.main(["play", str(folder)]) == 2
    assert (
        "must be a finished run's folder, with actors.npz in it"
        in capsys.readouterr().err
    )


def test_actors_that_cannot_be_read_are_a_line_without_python(tmp_path):
    folder = fake_run(tmp_path).folder
    np.savez(folder / "actors.npz", seed=np.arange(5))
    with pytest.raises(SettingError) as error:
        play_run(folder, PlayCommand(), Screen())
    said = "must be a finished run whose files can be read: actors.npz: cannot be read"
    assert str(error.value) == f"run={folder}: {said}: about is missing"


def test_an_exhibit_is_drawn_or_said_to_be_missing(tmp_path, capsys):
    """Nothing is on disk: code 1, and no picture."""
    path = tmp_path / "figure.toml"
    path.write_text(
        'title = "x"\ndraw = "returns"\nscenarios = ["clustering"]\nmethods=["adama"]',
        encoding="utf-8",
    )
    words = ["figures", f"experiments={path}", f"out={tmp_path / 'results'}"]
    assert cli.main(words) == 1
    shown = capsys.readouterr().out
    assert shown.startswith("drawing 1 figure or table ...\n")
    assert "clustering: all 1" in shown
    nothing = f"nothing drawn: out={tmp_path / 'results'}: must be a folder with runs"
    assert nothing in shown
    assert not list(tmp_path.rglob("*.png"))


@pytest.mark.parametrize("command", ["figures", "report", "publish"])
def test_a_run_that_was_killed_before_its_renaming_is_not_missing(tmp_path, command):
    folder = RunFolder(fake_run(tmp_path / "results").folder)
    folder.path.rename(folder.partial.path)
    path = tmp_path / "table.toml"
    path.write_text(
        'title = "x"\ndraw = "settings"\nscenarios = ["clustering"]', encoding="utf-8"
    )
    results = str(tmp_path / "results")
    calls = {
        "figures": lambda: cli.main(
            ["figures", f"experiments={path}", f"out={results}"]
        ),
        "report": lambda: cli.main(["report", results]),
        "publish": lambda: publish([results, str(tmp_path / "runs")]),
    }
    assert calls[command]() == 0
    assert folder.is_finished()


@pytest.mark.parametrize(
    ("words", "episodes"), [([], 300), (["episodes=20"], 20), (["scale=0.001"], None)]
)
def test_a_first_look_says_what_it_leaves_out(
    tmp_path, monkeypatch, capsys, words, episodes
):
    trained = []

    def train(*arguments, **options):
        trained.append((arguments[1], options["keep"]))
        return []

    commands = "adama_jax.cli.commands.reproduce"
    monkeypatch.setattr("adama_jax.studies.reproduce.train_exhibits", train)
    monkeypatch.setattr(f"{commands}.prepare", lambda *_: None)
    monkeypatch.setattr(f"{commands}.draw_exhibits", lambda *_: 0)
    out = f"out={tmp_path}"
    assert cli.main(["reproduce", "first_look=yes", out, *words]) == 0
    ((length, keep),) = trained
    assert length.most == episodes and keep is first_look
    said = " ".join(capsys.readouterr().out.split())
    assert "adama and fixed alone" in said
    assert "direction, balance, adagrad, rmsprop, fixed_best" in said
    assert "the grid" in said


def test_of_many_runs_that_are_played_a_bad_one_costs_itself_alone(
    tmp_path, monkeypatch, capsys
):
    played = []

    def play_run(folder, command, screen):
        if not played:
            played.append(folder)
            raise SettingError(f"run={folder}: must be one that can be read")
        played.append(folder)
        return 0

    for method in ("adama", "fixed"):
        actors = fake_run(tmp_path, method).folder / "actors.npz"
        actors.touch()
    monkeypatch.setattr("adama_jax.cli.commands.play.play_run", play_run)
    monkeypatch.setattr("adama_jax.cli.commands.play.start_jax", lambda *_: None)
    assert cli.main(["play", str(tmp_path)]) == 1
    assert len(played) == 2
    assert f"run={played[0]}: must be one that can be read" in capsys.readouterr().out


def test_a_seed_that_no_run_of_a_folder_has_is_bad_input(
    tmp_path, player, monkeypatch, capsys
):
    """As it is with one run; a seed that some run has costs the others alone."""
    for method in ("adama", "fixed"):
        (fake_run(tmp_path, method).folder / "actors.npz").touch()
    monkeypatch.setattr("adama_jax.cli.commands.play.start_jax", lambda *_: None)
    assert cli.main(["play", str(tmp_path), "seed=7"]) == 2
    assert capsys.readouterr().out.count("seed=7: must be") == 2
    assert player == []
