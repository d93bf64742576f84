"""Import paths where names stand: what a user brings is found, checked and named in one line."""

import importlib.metadata
import json
import os
import pickle
import sys

import jax
import pytest

from adama_jax.cli import training
from adama_jax.cli.main import main
from adama_jax.cli.options import SweepCommand, TrainCommand
from adama_jax.config.checks import validate
from adama_jax.config.command_line import parse, split_axes
from adama_jax.config.identity import config_hash, from_dict, to_dict, world_name
from adama_jax.config.methods import METHODS
from adama_jax.config.names import with_settings
from adama_jax.config.options import OBSERVERS, Output
from adama_jax.config.schema import scenario_config
from adama_jax.errors import CannotImport, SettingError
from adama_jax.execution.build import make_env, make_hyper, make_train
from adama_jax.plugins import names
from adama_jax.plugins.names import register
from adama_jax.plugins.registry import without_imports
from adama_jax.storage.folder import run_folder
from adama_jax.storage.reader import read_config
from tests.helpers import fake_run
from tests.plugins.conftest import REGISTRIES

EVERYTHING = {
    "networks.critic": "mine:Mine",
    "algorithm": "mine:masac",
    "method": "mine:WARM",
    "seeds": 1,
}


def read(*words, scenario="mine:make"):
    default = TrainCommand(scenario_config(scenario))
    return parse(TrainCommand, default, words, "adama train").config


def refused(*words, scenario="mine:make"):
    with pytest.raises(SettingError) as error:
        make_train(read(*words, scenario=scenario))
    line = str(error.value)
    assert "\n" not in line
    return line


def test_a_world_of_a_file_in_the_current_folder_has_its_settings_and_its_horizon(mine):
    config = read("length=3", "agents=4")
    assert (config.horizon, config.episodes) == (5, 4_000)
    validate(config)
    assert make_env(config).spec.num_agents == 4
    # The time limit is the run's, whatever the factory makes of it.
    assert make_env(read("horizon=9")).spec.horizon == 9
    assert make_env(read(scenario="mine:plain")).spec.horizon == 20
    assert "length=-1: must be above 0" in refused("length=-1")


def test_a_world_from_outside_begins_with_today_s_learner(mine):
    """No paper has settings for it; Adam and an m that it measures itself learn anywhere."""
    config = read()
    modern = scenario_config("predator_prey_modern")
    assert config.label == "adama"
    assert (config.optimizer, config.rates.critic_scale) == ("adam", "auto")
    for name in ("learning", "rates", "exploration", "episodes"):
        assert getattr(config, name) == getattr(modern, name)
    assert read("optimizer=sgd").label == "adama (sgd)"


def test_a_scenario_of_one_s_own_has_a_preset(mine):
    config = read(scenario="mine:SHORT")
    assert (config.horizon, config.episodes, config.learning.discount) == (6, 12, 0.5)
    assert make_env(config).spec.name == "corridor"


def test_its_folder_has_a_name_that_every_system_takes_and_that_stays(mine, tmp_path):
    config = read("method=mine:WARM")
    folder = run_folder(tmp_path, config)
    assert world_name(config) == folder.parent.name == "mine.make"
    assert folder.name == f"mine.WARM-{config_hash(config)}"
    assert config_hash(config) == config_hash(read("method=mine:WARM", "w=0.5"))
    assert config_hash(config) != config_hash(read("method=mine:WARM", "w=0.6"))


def test_settings_of_one_s_own_are_stored_read_back_and_sent(mine):
    config = read("method=mine:WARM", "warmth=0.25", "length=3")
    assert config.rates.warmth == 0.25
    assert from_dict(json.loads(json.dumps(to_dict(config)))) == config
    assert pickle.loads(pickle.dumps(config)) == config
    assert (
        with_settings(config, {"method": "adama"}).rates
        == scenario_config("mine:make").rates
    )


def test_all_of_them_together_are_a_program(mine):
    config = with_settings(read(), EVERYTHING)
    validate(config)
    train = make_train(config)
    state = jax.eval_shape(train.init, jax.random.key(0), make_hyper(config))
    _, metrics = jax.eval_shape(lambda state: train.chunk(state, 2), state)
    assert metrics.actor_rates.shape[-1] == 2
    make_train(with_settings(config, {"method": "fixed", "optimizer": "mine:adam"}))
    make_train(with_settings(config, {"method": "mine:rule", "optimizer": "mine:slow"}))


def test_a_factory_of_a_rule_reads_all_rates_and_measures_no_scale(mine):
    config = read("method=mine:rule", "l_c=0.01", "m=40", "alpha=0.5")
    assert config.rates.critic_rate == 0.01
    with pytest.raises(SettingError, match="method=mine:rule does not measure it"):
        validate(read("method=mine:rule", "m=auto"))


@pytest.mark.parametrize(
    ("scenario", "line"),
    [
        ("mine:mak", "scenario=mine:mak: must be the name of something in mine, which has no "
         "mak; did you mean make?"),
        ("mines:make", "scenario=mines:make: no module mines is found: run it in the folder of "
         "mines.py, or put that on PYTHONPATH"),
        ("mines.world:make", f": no module mines is found: run it in the folder of mines{os.sep},"),
        ("mine:NUMBER", "scenario=mine:NUMBER: must be a factory of an Env, or a Scenario"),
        ("mine:needs_more", "must be called with horizon and name and world at most; its "
         "parameter 'size' needs a default"),
        ("mine:no_env", "the factory made a int, and must make an adama_jax.envs.env.Env"),
        ("mine:wrong_shape", "observe gives (2, 2), and must give (N, O) = (2, 9)"),
        ("mine:fails", "scenario=mine:fails: KeyError: 'no such key' (mine.py, line 120)"),
    ],
)  # fmt: skip
def test_a_world_that_will_not_do_is_one_line(mine, scenario, line):
    assert line in refused(scenario=scenario)


def test_others_that_will_not_do_are_one_line(mine):
    allowed = "critic=mine:NUMBER: must be a class of Flax modules, or a CriticEntry"
    assert refused("critic=mine:NUMBER") == allowed
    line = refused("critic=mine:make")
    assert line.startswith("critic=mine:make: TypeError: ")
    assert refused("algorithm=mine:plain").startswith("algorithm=mine:plain: TypeError")
    assert "must be a Method, or a factory" in refused("method=mine:NUMBER")
    line = refused("optimizer=mine:NUMBER")
    assert line.endswith("must be a function that makes an optax transformation")


def test_an_import_that_fails_is_one_line_with_its_place_and_leaves_nothing(
    mine, capsys
):
    (mine / "broken.py").write_text(
        "import os\nraise RuntimeError('a\\nb')\n", encoding="utf-8"
    )
    (mine / "script.py").write_text("raise SystemExit(3)\n", encoding="utf-8")
    for word in (
        "critic=broken:Mine",
        "observers=jsonl,broken:log",
        "method=broken:rule",
    ):
        assert main(["train", "going_together", word]) == 2
        said = capsys.readouterr()
        name = word.partition("=")[0]
        start = f"adama: error: {name}=broken:"
        assert said.err.startswith(start) and said.err.count("\n") == 1
        assert "cannot be imported: RuntimeError: a (broken.py, line 2)" in said.err
    assert main(["train", "script:make"]) == 2
    assert "cannot be imported: SystemExit: 3" in capsys.readouterr().err
    assert {path.name for path in mine.iterdir()} <= {
        "mine.py", "broken.py", "script.py", "__pycache__",
    }  # fmt: skip


def test_a_module_that_a_user_s_module_needs_is_named_as_such(mine):
    (mine / "broken.py").write_text("import no_such_module\n", encoding="utf-8")
    line = refused(scenario="broken:make")
    why = "ModuleNotFoundError: No module named 'no_such_module'"
    assert line == f"scenario=broken:make: cannot be imported: {why}"


def test_a_module_s_name_alone_is_told_from_an_unknown_scenario(mine, capsys):
    (mine / "folder").mkdir()
    assert main(["train", "mine"]) == 2
    said = f"scenario=mine: must be mine:make, or whatever else in {mine / 'mine.py'}"
    assert said in capsys.readouterr().err
    assert "mine" not in sys.modules
    # A folder, and a module of Python's own, are no worlds of anybody's.
    for word in ("folder", "calendar"):
        with pytest.raises(SettingError, match=f"^scenario={word}: .*clustering"):
            scenario_config(word)


def test_a_run_of_a_world_that_is_not_found_here_says_where_to_look(mine, capsys):
    folder = fake_run(mine / "results", config=read("seeds=5")).folder
    for registry in REGISTRIES:
        registry.pop("mine:make", None)
    (mine / "mine.py").rename(mine / "gone.py")
    sys.modules.pop("mine")
    with pytest.raises(CannotImport) as error:
        read_config(folder)
    assert str(error.value) == (
        f"run={folder}: scenario=mine:make: no module mine is found: run it in the folder of "
        "mine.py, or put that on PYTHONPATH"
    )
    # Its files are whole, which can be seen without its code.
    assert main(["verify", str(folder)]) == 0
    assert "finished; " in capsys.readouterr().out


def test_a_colon_is_a_range_of_numbers_only(mine):
    default = SweepCommand(scenario_config("going_together"))
    words = ["critic=joint,mine:Mine", "l_c=0.1:0.2:0.1", "method=mine:WARM"]
    rest, axes = split_axes(words, default)
    assert rest == ["method=mine:WARM"]
    assert axes == {
        "networks.critic": ["joint", "mine:Mine"],
        "rates.critic_rate": ["0.1", "0.2"],
    }


def test_a_name_is_given_in_python_or_by_an_installed_package(mine, monkeypatch):
    register("critic", "my_critic", "mine:Mine")
    config = read("critic=my_critic", scenario="going_together")
    assert config.networks.critic == "my_critic"
    found = importlib.metadata.EntryPoint("hot", "mine:WARM", "adama_jax.method")
    monkeypatch.setattr(
        importlib.metadata,
        "entry_points",
        lambda group: [found] * (group == found.group),
    )
    names._installed.cache_clear()
    try:
        assert read("method=hot").rates.warmth == 0.5
    finally:
        names._installed.cache_clear()
    with pytest.raises(ValueError, match="kind='critics'"):
        register("critics", "mine", "mine:Mine")
    # The package's own names go on meaning what they mean.
    register("method", "adama", "mine:WARM")
    assert METHODS["adama"].rule == "adama_jax.rates.rules:adama"


def test_who_only_reads_imports_nothing(mine):
    with without_imports():
        assert "mine:Mine" not in METHODS
        with pytest.raises(SettingError, match="scenario=mine:make: must be one of"):
            scenario_config("mine:make")
    scenario_config("mine:make")
    # What the process uses itself is known.
    with without_imports():
        assert scenario_config("mine:make").horizon == 5


def test_help_has_a_world_s_own_settings(mine, capsys):
    assert main(["train", "mine:make", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--world.length" in shown and "Where agents start." in shown


def test_options_that_cannot_be_settings_are_named(mine):
    text = (mine / "mine.py").read_text(encoding="utf-8")
    changed = text.replace("agents: int = 2", "agents: dict = None")
    (mine / "mine.py").write_text(changed, encoding="utf-8")
    assert "Corridor.agents must be of int, float, bool" in refused()


def test_an_observer_is_anybody_s(mine):
    assert "mine:observer" in OBSERVERS
    options = TrainCommand(scenario_config("going_together"))
    words = ["observers=jsonl,mine:observer"]
    command = parse(TrainCommand, options, words, "adama train")
    assert command.output.training.observers == ("jsonl", "mine:observer")


def test_noise_that_outlasts_a_short_run_is_said_once(
    mine, monkeypatch, capsys, tmp_path
):
    monkeypatch.setattr(training, "start_jax", lambda *rest: None)
    output = Output(out=tmp_path)
    long = read("episodes=30")
    training.prepare([long, long], output)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("mine:make: exploration.episodes=2000 is more than ")
    short = read("episodes=30", "exploration.episodes=15")
    package_s = read("episodes=30", scenario="clustering")
    training.prepare([short, package_s], output)
    assert capsys.readouterr().out == ""
