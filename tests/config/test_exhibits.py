"""Exhibits as TOML: what is read, and what is refused with the file's name."""

from pathlib import Path

import pytest

from adama_jax.config.exhibits import DRAWINGS, Curve, Length, load_exhibits
from adama_jax.errors import SettingError

GOOD = """
title = "Returns"
draw = "returns"
scenarios = ["clustering"]
methods = ["adama"]
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_s_fields_are_the_exhibit_s(tmp_path):
    curves = """
seeds = 3
seed = 100
episodes = 700
settings = { clip = 0.2 }
[[curves]]
method = "fixed"
label = "tuned"
axes = { l_c = [0.001, 0.002] }
"""
    path = write(tmp_path, "figure3", GOOD + curves)
    (exhibit,) = load_exhibits(path).values()
    assert (exhibit.name, exhibit.title, exhibit.draw) == (
        "figure3",
        "Returns",
        "returns",
    )
    assert (exhibit.seeds, exhibit.seed, exhibit.episodes) == (3, 100, 700)
    assert exhibit.settings == {"clip": 0.2}
    # The methods that are only named come first, in the order of the legend.
    tuned = Curve("fixed", "tuned", axes={"l_c": [0.001, 0.002]})
    assert exhibit.curves == (Curve("adama"), tuned)


TABLE = 'title = "x"\ndraw = "settings"\nscenarios = ["clustering"]\n'
MEANINGLESS = [
    (GOOD + 'rows = ["rates.clip"]', "rows: must be left out: draw=returns does not"),
    (TABLE + 'methods = ["adama"]', "methods: must be left out: draw=settings does n"),
    (TABLE + '[[curves]]\nmethod = "adama"', "curves: must be left out: draw=setting"),
    (TABLE + "seeds = 3", "seeds: must be left out: draw=settings does not read it"),
    (TABLE + "episodes = 3", "episodes: must be left out: draw=settings does not read"),
    (TABLE + "settings = { m = 3 }", "settings: must be left out: draw=settings does"),
    (GOOD.replace("methods", "#"), "curves: must be one or more, or methods"),
    (
        GOOD + '[[curves]]\nmethod = "fixed"\nbest_of = "a"\naxes = { m = [1] }',
        "axes: must be left out: best_of=a is one run",
    ),
]


@pytest.mark.parametrize(("text", "message"), MEANINGLESS)
def test_what_would_mean_nothing_is_refused(tmp_path, text, message):
    path = write(tmp_path, "a", text)
    with pytest.raises(SettingError) as error:
        load_exhibits(path)
    assert str(error.value).startswith(f"{path}: {message}")


def test_a_table_of_settings_has_rows(tmp_path):
    path = write(tmp_path, "a", TABLE + 'rows = ["rates.clip"]')
    assert load_exhibits(path)["a"].rows == ("rates.clip",)


def test_what_a_file_leaves_out(tmp_path):
    exhibit = load_exhibits(write(tmp_path, "a", GOOD))["a"]
    assert (exhibit.seeds, exhibit.seed, exhibit.episodes, exhibit.rows) == (
        5,
        0,
        None,
        (),
    )


def test_a_folder_s_exhibits_are_in_order_of_their_names(tmp_path):
    for name in ("b", "c", "a"):
        write(tmp_path, name, GOOD)
    (tmp_path / "notes.txt").write_text("no exhibit", encoding="utf-8")
    assert list(load_exhibits(tmp_path)) == ["a", "b", "c"]


def test_one_file_brings_what_it_chooses_from_and_nothing_else(tmp_path):
    best = '[[curves]]\nmethod = "fixed"\nbest_of = "grid"\n'
    path = write(tmp_path, "figure3", GOOD + best)
    write(tmp_path, "grid", GOOD)
    write(tmp_path, "other", GOOD)
    assert list(load_exhibits(path)) == ["figure3", "grid"]


def test_a_choice_from_a_choice_is_refused(tmp_path):
    best = '[[curves]]\nmethod = "fixed"\nbest_of = "{}"\n'
    write(tmp_path, "a", GOOD + best.format("b"))
    write(tmp_path, "b", GOOD + best.format("c"))
    write(tmp_path, "c", GOOD)
    with pytest.raises(
        SettingError, match=r"^a: best_of=b: must be an exhibit without"
    ):
        load_exhibits(tmp_path)


def test_the_paper_s_exhibits_are_found_from_anywhere(tmp_path, monkeypatch):
    there = Path(__file__).parents[2] / "experiments"
    monkeypatch.chdir(tmp_path)
    assert load_exhibits() == load_exhibits(there)
    modern = Path("experiments") / "modern"
    assert load_exhibits(modern) == load_exhibits(there / "modern")
    # What is here goes before it, where it was asked for.
    modern.mkdir(parents=True)
    write(modern, "a", GOOD)
    assert list(load_exhibits(modern)) == ["a"]
    assert "figure3" in load_exhibits()
    with pytest.raises(SettingError, match=r"^experiments=experiments/mine: must"):
        load_exhibits(Path("experiments/mine"))


@pytest.mark.parametrize("name", ["nowhere", "nowhere.toml", "empty"])
def test_nothing_to_read_is_said(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        SettingError, match=rf"^experiments=.*{name}: must be a folder with TOML"
    ):
        load_exhibits(tmp_path / name)


def test_an_exhibit_to_choose_from_that_is_missing_is_named(tmp_path):
    path = write(
        tmp_path, "a", GOOD + '[[curves]]\nmethod = "fixed"\nbest_of = "grid"\n'
    )
    with pytest.raises(
        SettingError, match=r"grid\.toml: must be a folder with TOML files"
    ):
        load_exhibits(path)


WRONG = [
    ("title = ", "must be an exhibit's description: "),
    (GOOD + 'colour = "red"', "must be an exhibit's description: "),
    (GOOD + '[[curves]]\nlabel = "no method"', "must be an exhibit's description: "),
    (
        'title = "no drawing"\nscenarios = ["clustering"]',
        "must be an exhibit's description: ",
    ),
    (GOOD.replace("returns", "pie"), "draw=pie: must be one of returns, actor_rates, "),
    (
        GOOD.replace('["clustering"]', "[]"),
        r"scenarios=\[\]: must be one or more scenarios",
    ),
    (GOOD + "episodes = 0", "episodes=0: must be a number, at least 1"),
    (GOOD + "episodes = 1.5", "episodes=1.5: must be a number, at least 1"),
    (GOOD + "settings = 3", "settings=3: must be a table of names and values"),
    (
        GOOD + '[[curves]]\nmethod = "fixed"\nsettings = "m"',
        "settings=m: must be a table of names and values",
    ),
    (
        GOOD + '[[curves]]\nmethod = "fixed"\naxes = { m = 40 }',
        "axes=.*: must be a table of names and lists of values",
    ),
    (GOOD + 'rows = ["clip"]', "rows=clip: must be full names of settings"),
    (
        GOOD.replace('"returns"', '"critic_scale"').replace(
            "ing", 'ing", "predator_prey'
        ),
        "scenarios=.*: must be one scenario for draw=critic_scale",
    ),
]


@pytest.mark.parametrize(("text", "words"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_said_in_a_line_with_the_file(tmp_path, text, words):
    path = write(tmp_path, "figure9", text)
    with pytest.raises(SettingError, match=rf"^{path}: {words}") as error:
        load_exhibits(path)
    assert "\n" not in str(error.value)


def test_a_scenario_that_there_is_not(tmp_path):
    with pytest.raises(SettingError, match="scenario=chess: must be one of"):
        load_exhibits(write(tmp_path, "a", GOOD.replace("clustering", "chess")))


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "a.toml"
    path.write_bytes(b"title = '\xff'")
    with pytest.raises(
        SettingError, match=f"^{path}: must be an exhibit's description"
    ):
        load_exhibits(path)


def test_which_drawings_need_runs():
    """A table of settings can be written before anything is trained."""
    without = [name for name, drawing in DRAWINGS.items() if not drawing.of_runs]
    assert without == ["settings"]
    assert [name for name, drawing in DRAWINGS.items() if drawing.one_scenario] == [
        "critic_scale"
    ]


LENGTHS = [
    (Length(), 50_000, 50_000),
    (Length(0.5), 3, 2),  # rounded to the even number
    (Length(1e-9), 50_000, 1),
    (Length(1.0, 10), 10, 10),
    (Length(1.0, 10), 11, 10),
    (Length(0.1, 10), 50, 5),
]


@pytest.mark.parametrize(("length", "full", "expected"), LENGTHS)
def test_shorter_lengths(length, full, expected):
    assert length.of(full) == expected


def test_a_file_that_begins_with_a_byte_order_mark_is_read(tmp_path):
    """As some editors write it."""
    path = tmp_path / "marked.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    (exhibit,) = load_exhibits(path).values()
    assert exhibit.title == "Returns"


def test_a_title_is_read_as_utf_8(tmp_path):
    path = tmp_path / "umlaut.toml"
    path.write_bytes(GOOD.replace("Returns", "Erträge").encode())
    (exhibit,) = load_exhibits(path).values()
    assert exhibit.title == "Erträge"
