"""The page about a results folder."""

import base64
import html
import json
import re
from pathlib import Path

import pytest

from adama_jax.cli.commands.figures import draw_exhibits
from adama_jax.cli.options import FiguresCommand
from adama_jax.config.exhibits import load_exhibits
from adama_jax.config.labels import labels
from adama_jax.config.names import with_settings
from adama_jax.config.schema import scenario_config
from adama_jax.errors import SettingError
from adama_jax.reporting.figures import learning_curves
from adama_jax.reporting.page import report
from adama_jax.storage.reader import find_run, load_run
from tests.helpers import (
    EXPERIMENTS,
    QUIET,
    fake_config,
    fake_grid,
    fake_run,
    of_an_earlier_version,
    of_going_together,
)

PUBLISHED = Path(__file__).parents[2] / "docs" / "results" / "runs"


def test_the_report_stands_alone(tmp_path):
    fake_grid(tmp_path)
    exhibits = load_exhibits(EXPERIMENTS)
    for row in of_going_together(exhibits["figure3"], tmp_path):
        fake_run(tmp_path, config=row.config)
    command = FiguresCommand(
        EXPERIMENTS, scale=0.01, only=("going_together",), out=tmp_path
    )
    draw_exhibits(command, QUIET)
    text = report(tmp_path, tmp_path / "page.html").read_text(encoding="utf-8")
    assert (
        not re.search(r'(src|href)=(?!"(data:|#))', text)
        and "@import" not in text
        and "<script" not in text
    )
    assert text.count("data:image/png") >= 4 and "data:image/gif" in text
    assert "l_c=0.004" in text and "0000000" in text and "seed 101 at 7" in text
    with pytest.raises(SettingError, match="must be a folder with finished runs"):
        report(tmp_path / "figures", tmp_path / "none.html")


def test_the_report_shows_one_run_s_own_figures_and_the_common_settings(tmp_path):
    """After `adama train`, whose figures are in the run's folder."""
    run = fake_run(tmp_path)
    learning_curves([run], run.folder / "learning_curves.png")
    text = report(tmp_path, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "adama: learning curves" in text and "data:image/png" in text
    # A page is no Markdown.
    assert "`" not in text
    assert (
        "<td>rates.critic_scale<td>10.0" in text
        and "<td>learning.batch_size<td>1024" in text
    )


def test_runs_that_an_experiment_drew_elsewhere_have_their_curves(tmp_path):
    """It draws those on today's learner beside the paper's, in the folder of that one."""
    modern = scenario_config("going_together_modern")
    run = fake_run(tmp_path, config=with_settings(modern, {"seeds": 5}))
    text = told(tmp_path)[0]
    assert text.count("data:image/png") == 1
    assert f"learning curves, {modern.episodes:,} episodes" in text
    # Those that are drawn in its own folder are shown, and no others.
    (run.folder / "rates.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    text = told(tmp_path)[0]
    assert text.count("data:image/png") == 1
    assert "learning curves," not in text


def test_the_published_runs_can_be_read(tmp_path):
    """All of them, of every version since they began."""
    text = report(PUBLISHED, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "-2.96 [-3.05, -2.91]" in text and "seed 2 at 38,477" in text
    assert (
        find_run(
            PUBLISHED, with_settings(scenario_config("predator_prey"), {"seeds": 5})
        )
        is not None
    )


def test_runs_without_their_rollouts_can_be_read(tmp_path):
    run = fake_run(tmp_path)
    (run.folder / "rollout.npz").unlink()
    assert load_run(run.folder).rollout is None
    assert "data:image/gif" not in report(tmp_path, tmp_path / "page.html").read_text(
        encoding="utf-8"
    )


def test_a_run_of_a_scenario_that_is_no_more_is_still_shown(tmp_path):
    """Another version's scenario, with settings that this version does not have."""
    run = fake_run(tmp_path)
    of_an_earlier_version(run.folder)
    stored = json.loads((run.folder / "config.json").read_text(encoding="utf-8"))
    stored |= {
        "scenario": "a_world_of_old",
        "world": {"robot": "crab", "backend": "clay"},
        "colour": "red",
    }
    (run.folder / "config.json").write_text(json.dumps(stored), encoding="utf-8")
    read = load_run(run.folder)
    assert (read.config.scenario, read.config.episodes) == (
        "a_world_of_old",
        run.config.episodes,
    )
    assert read.config.rates == run.config.rates
    page = report(tmp_path, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "a world of old" in page and "a_world_of_old (crab" in page


def told(folder, **options):
    """The page, and what is said of what is left out."""
    lines = []
    path = report(folder, folder.parent / "page.html", lines.append, **options)
    return path.read_text(encoding="utf-8"), lines


@pytest.mark.parametrize(
    "name", ["metrics.npz", "rollout.npz", "meta.json", "config.json"]
)
@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", None])
def test_one_bad_file_among_many_costs_its_run_alone(tmp_path, name, content):
    results = tmp_path / "results"
    fake_run(results)
    bad = fake_run(results, "fixed", finals=(1.0, 2.0))
    of_an_earlier_version(bad.folder)
    path = bad.folder / name
    if content is None:
        # Another run's, whole and of other shapes; of settings and digests, of another scenario.
        other = fake_run(tmp_path / "others", finals=(5.0, 4.0, 3.0))
        content = (other.folder / name).read_bytes()
    path.write_bytes(content)
    text, lines = told(results)
    (line,) = lines
    assert str(bad.folder) in line and "\n" not in line
    assert "1 setting in 1 scenario" in text
    assert html.escape(line) in text and "Left out" in text


def test_where_no_run_can_be_read_there_is_no_page(tmp_path):
    run = fake_run(tmp_path / "results")
    (run.folder / "metrics.npz").write_bytes(b"")
    with pytest.raises(SettingError, match=r"must be a folder .*metrics\.npz: "):
        told(tmp_path / "results")
    assert not (tmp_path / "page.html").exists()


ABOUT = {"title": "A title", "missing": [], "runs": [], "drawn_at": "now"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"title": NaN}',
        json.dumps(ABOUT | {"missing": 3}),
        json.dumps(ABOUT | {"missing": [1]}),
        json.dumps(ABOUT | {"runs": None}),
        json.dumps({"title": "A title"}),
        99_999 * "[",
    ],
    ids=range(9),
)
def test_a_damaged_description_costs_its_figure_alone(tmp_path, text):
    results = tmp_path / "results"
    fake_run(results)
    folder = results / "figures"
    folder.mkdir()
    for name, content in (("bad", text), ("good", json.dumps(ABOUT))):
        (folder / f"{name}.json").write_text(content, encoding="utf-8")
    page, (line,) = told(results)
    assert line.startswith(f"{folder / 'bad.json'}: ") and "\n" not in line
    assert "A title" in page


def test_a_table_that_is_none_and_a_picture_that_is_none_are_named(tmp_path):
    results = tmp_path / "results"
    run = fake_run(results)
    folder = results / "figures"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / f"{name}.json").write_text(json.dumps(ABOUT), encoding="utf-8")
    (folder / "one.md").write_text("no table", encoding="utf-8")
    (folder / "two.png").write_text("neither is this", encoding="utf-8")
    (run.folder / "rates.png").write_bytes(b"")
    page, lines = told(results)
    assert [line.split(": ")[0] for line in lines] == [
        str(folder / "one.md"),
        str(folder / "two.png"),
        str(run.folder / "rates.png"),
    ]
    assert base64.b64encode(b"neither is this").decode() not in page


SECRET = "what only the owner may read"


@pytest.mark.parametrize(
    "name",
    [
        "figures/one.md",
        "figures/one.png",
        "figures/one.json",
        "going_together/a.png",
        "RUN/a.png",
        "RUN/config.json",
        "RUN/rollout.npz",
        "figures",
    ],
)
def test_nothing_outside_of_the_folder_gets_into_the_page(tmp_path, name):
    """By a link that somebody who may write to the results has put there."""
    results, outside = tmp_path / "results", tmp_path / "outside"
    run, _ = fake_run(results), fake_run(results, "fixed")
    outside.mkdir()
    path = results / name.replace("RUN", str(run.folder.relative_to(results)))
    about = json.dumps(ABOUT | {"title": SECRET})
    (outside / "one.json").write_text(about, encoding="utf-8")
    target = outside if name == "figures" else outside / path.name
    if target.suffix == ".md":
        target.write_text(f"| a |\n|---|\n| {SECRET} |\n", encoding="utf-8")
        (results / "figures").mkdir()
        own = results / "figures" / "one.json"
        own.write_text(json.dumps(ABOUT), encoding="utf-8")
    elif target.suffix == ".png":
        target.write_bytes(b"\x89PNG\r\n\x1a\n" + SECRET.encode())
    elif path.exists():
        path.rename(target)
    path.parent.mkdir(exist_ok=True)
    if name == "figures/one.png":
        own = results / "figures" / "one.json"
        own.write_text(json.dumps(ABOUT), encoding="utf-8")
    path.symlink_to(target)
    page, lines = told(results)
    assert any("leads out of" in line for line in lines)
    assert (
        SECRET not in page
        and base64.b64encode(SECRET.encode()).decode()[4:-4] not in page
    )
    # A link within the folder is followed, and so is one that the folder itself is.
    path.unlink()
    (tmp_path / "elsewhere").symlink_to(results)
    if not name.startswith("RUN/"):
        assert told(tmp_path / "elsewhere")[1] == []


def test_a_page_that_is_a_link_is_replaced_and_not_written_through(tmp_path):
    fake_run(tmp_path / "results")
    precious = tmp_path / "precious"
    precious.write_text("mine", encoding="utf-8")
    (tmp_path / "page.html").symlink_to(precious)
    told(tmp_path / "results")
    assert precious.read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "page.html").is_symlink()


def test_the_contents_lead_to_every_part(tmp_path):
    for method in ("adama", "fixed"):
        fake_run(tmp_path / "results", method)
    page, _ = told(tmp_path / "results")
    places = re.findall(r'href="#([^"]+)"', page)
    assert places and places == re.findall(r"<h2 id=([^>]+)>", page)
    assert '<a href="#part-2">All runs of going together: 2' in page
    assert "name=viewport" in page


def test_runs_are_called_what_the_table_of_a_sweep_calls_them(tmp_path):
    rates = (0.0014142135623730952, 0.002)
    configs = [fake_config("fixed", **{"rates.actor_budget": rate}) for rate in rates]
    for config in configs:
        fake_run(tmp_path / "results", config=config)
    page, _ = told(tmp_path / "results")
    for name in labels(configs):
        assert f"<td>{name} (5 seeds)" in page
    # What is no name has no more digits than one can read.
    assert "<td>l_a=0.00141421<td>" in page


def test_code_marks_of_a_table_stay_out_of_the_page(tmp_path):
    fake_run(tmp_path / "results")
    command = FiguresCommand(EXPERIMENTS / "table1.toml", out=tmp_path / "results")
    draw_exhibits(command, QUIET)
    page, _ = told(tmp_path / "results")
    assert "<td>rates.critic_scale (m)<td>10.0" in page
    table = page[page.index("<table") : page.index("</table>")]
    assert "`" not in table


def test_what_users_wrote_is_no_tag(tmp_path):
    run = fake_run(tmp_path / "results")
    of_an_earlier_version(run.folder)
    path = run.folder / "config.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(stored | {"label": "<b>x</b>"}), encoding="utf-8")
    (tmp_path / "results" / "figures").mkdir()
    about = json.dumps(ABOUT | {"title": "<script>", "missing": ["<i>"]})
    (tmp_path / "results" / "figures" / "a.json").write_text(about, encoding="utf-8")
    page, _ = told(tmp_path / "results")
    assert "<b>x" not in page and "<script>" not in page and "<i>" not in page
