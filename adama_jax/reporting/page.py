"""One self-contained HTML page about a results folder.

It shows figures, tables, films and settings, and says what ran on what. Nothing that lies outside
of the folder gets into the page, and what cannot be read costs itself alone.
"""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from adama_jax.config.identity import unlike_preset
from adama_jax.config.labels import labels
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.errors import DamagedFile, SettingError
from adama_jax.reporting import html, settings_tables, summary, tables
from adama_jax.reporting.film import run_gif
from adama_jax.reporting.html import Section
from adama_jax.reporting.labels import machine_of
from adama_jax.reporting.style import default_style
from adama_jax.screen.words import counted
from adama_jax.storage.files import read_json, reading, write_text
from adama_jax.storage.folder import finished_runs, leads_out
from adama_jax.storage.many import load_all
from adama_jax.storage.reader import Run, finite_seeds

# More runs than this of one world and length are a sweep, of which the tables show the best.
MOST_LISTED = 8
BEST_OF_A_SWEEP = 5
# Those that `adama experiment` draws beside the paper's learner, in the folder of that one.
OF_AN_EXPERIMENT = {preset.modern for preset in SCENARIOS.values() if preset.modern}
Say = Callable[[str], object]  # hears of what is left out, a line each


def report(results: Path, page: Path, say: Say = lambda line: None) -> Path:
    """Write the page; it loads nothing from elsewhere.

    Args:
        results: a results folder.
        page: the file to write.
        say: hears of each run, figure and table that is left out, and why; the page says so too.

    Raises:
        SettingError: no finished run there that can be read.
    """
    left_out: list[str] = []
    source = _Source(results, left_out)
    runs = source.runs()
    if not runs:
        why = f": {left_out[0]}" if left_out else ""
        raise SettingError(
            f"results={results}: must be a folder with finished runs "
            f"(<scenario>/<run>/meta.json){why}"
        )
    by_scenario: dict[str, dict[_Group, list[Run]]] = {}
    for run in runs:
        groups = by_scenario.setdefault(run.config.scenario, {})
        groups.setdefault(_group_of(run), []).append(run)
    for groups in by_scenario.values():
        for group, members in groups.items():
            groups[group] = _labelled(members)
    sections = source.exhibits()
    sections += [source.scenario(*each) for each in by_scenario.items()]
    for scenario, groups in by_scenario.items():
        sections.append(settings_tables.of_all(scenario, _all_of(groups)))
    if left_out:
        lines = [html.note(line) for line in left_out]
        sections.append(Section("Left out", lines))
    where = counted(len(by_scenario), "scenario")
    heading = f"AdaMa: {counted(len(runs), 'setting')} in {where}"
    top = [f"<h1>{html.text(heading)}</h1>", _introduction(results, runs)]
    page.parent.mkdir(parents=True, exist_ok=True)
    # In place of what has the name: a link is not followed.
    write_text(page, html.whole_page("AdaMa results", top, sections))
    for line in left_out:
        say(line)
    return page


def _introduction(results: Path, runs: Sequence[Run]) -> str:
    now = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    machines = ", ".join(sorted({machine_of(run) for run in runs}))
    floors = [(run.config.method, summary.direction_floor(run.config)) for run in runs]
    # Code is between backticks in a Markdown table alone.
    caption = tables.caption_of(floors).replace("`", "")
    return html.note(f"Written {now} from {results}. Made on {machines}. {caption}")


class _Source(NamedTuple):
    """A results folder as a page shows it."""

    folder: Path
    left_out: list[str]  # grows: a line for each thing that is not shown

    def runs(self) -> list[Run]:
        """The finished runs that can be read."""
        folders = []
        for folder in finished_runs(self.folder):
            files = [path for path in folder.iterdir() if path.is_file()]
            if all(self._takes(path) for path in files):
                folders.append(folder)
        runs, damaged = load_all(folders)
        self.left_out.extend(damaged)
        return runs

    def exhibits(self) -> list[Section]:
        """Each figure of `adama figures` with its description; each table."""
        sections = []
        for description in sorted((self.folder / "figures").glob("*.json")):
            try:
                if self._takes(description):
                    sections.append(self._exhibit(description))
            except DamagedFile as error:
                self.left_out.append(str(error))
        return sections

    def _exhibit(self, description: Path) -> Section:
        """One figure or table, by the JSON beside it.

        Raises:
            DamagedFile: a file of it cannot be read.
        """
        about = _About.read(description)
        body = []
        picture = description.with_suffix(".png")
        table = description.with_suffix(".md")
        if self._shows(picture):
            shown = f"Settings shown: {about.runs}. Drawn {about.drawn_at}."
            body.append(html.picture(picture, f"{shown}{about.missing}"))
        elif table.is_file() and self._takes(table):
            with reading(table):
                body.append(html.from_markdown(table.read_text(encoding="utf-8")))
            body.append(html.note(about.missing))
        return Section(about.title, body)

    def scenario(self, scenario: str, groups: "_Groups") -> Section:
        """Tables, pictures, a film and the common settings of a scenario's runs."""
        # Matplotlib takes a second to import, and not every command that shows a page draws.
        from adama_jax.reporting.searches import searches, shown

        body = []
        for group, members in sorted(groups.items()):
            body += _group_table(group, members)
        runs = _all_of(groups)
        pictures = self._pictures(runs)
        if not pictures and scenario in OF_AN_EXPERIMENT:
            pictures = _curves(groups)
        for search in searches(groups.values()):
            pictures += shown(search)
        body += [*pictures, *_film(runs)]
        body.append(settings_tables.common(runs))
        return Section(scenario.replace("_", " "), body)

    def _pictures(self, runs: Sequence[Run]) -> list[str]:
        """What was drawn of runs: of an experiment, beside them; of `adama train`, with the run."""
        captions = {}
        for folder in sorted({run.folder.parent for run in runs}):
            for picture in sorted(folder.glob("*.png")):
                captions[picture] = _caption(picture)
        for run in runs:
            for picture in sorted(run.folder.glob("*.png")):
                captions[picture] = f"{run.label}: {_caption(picture)}"
        return [
            html.picture(picture, caption)
            for picture, caption in captions.items()
            if self._shows(picture)
        ]

    def _shows(self, picture: Path) -> bool:
        """Whether a picture is there and may be shown; if it is there and may not, that is said."""
        if not picture.is_file() or not self._takes(picture):
            return False
        if html.is_picture(picture):
            return True
        self.left_out.append(f"{picture}: is no picture of this kind")
        return False

    def _takes(self, path: Path) -> bool:
        """Whether a file lies in the folder; if a link leads out of it, that is said."""
        if not leads_out(self.folder, path):
            return True
        self.left_out.append(f"{path}: leads out of {self.folder}")
        return False


class _About(NamedTuple):
    """What the JSON beside a figure or table says of it."""

    title: str
    drawn_at: str
    missing: str  # a sentence, or nothing
    runs: int

    @classmethod
    def read(cls, path: Path) -> "_About":
        """Read it.

        Raises:
            DamagedFile: it is none.
        """
        about = read_json(path)
        with reading(path):
            missing = "; ".join(about["missing"])
            return cls(
                title=str(about["title"]),
                drawn_at=str(about["drawn_at"]),
                missing=f" Missing: {missing}." if missing else "",
                runs=len(about["runs"]),
            )


class _Group(NamedTuple):
    """What runs have in common that stand in one table: only then are their returns comparable."""

    world: str
    episodes: int
    seeds: int
    first_seed: int


_Groups = Mapping[_Group, Sequence[Run]]  # the runs of a scenario


def _all_of(groups: _Groups) -> list[Run]:
    runs = []
    for _, members in sorted(groups.items()):
        runs += members
    return runs


def _group_of(run: Run) -> _Group:
    unlike = unlike_preset(run.stored)
    changed = {name: unlike[name] for name in unlike if _is_of_world(name)}
    config = run.config
    return _Group(
        world=settings_tables.in_words(changed),
        episodes=config.episodes,
        seeds=config.seeds,
        first_seed=config.seed,
    )


def _is_of_world(name: str) -> bool:
    return name.startswith("world.") or name == "horizon"


def _labelled(runs: Sequence[Run]) -> list[Run]:
    """The runs under the names that a sweep's table gives them: with the settings that differ.

    A run that differs from no other keeps the label that it has on disk.
    """
    configs = [run.config for run in runs]
    named = []
    for run, config, label in zip(runs, configs, labels(configs), strict=True):
        settings = label.removeprefix(config.label)
        named.append(run._replace(label=f"{run.label}{settings}"))
    return named


def _group_table(group: _Group, runs: Sequence[Run]) -> list[str]:
    """A heading and a table of the runs, or of the best of them."""
    # What runs are compared with is told by labels that only a scenario's preset has.
    told = []
    for run in runs:
        label = settings_tables.with_label(run)
        told.append(run._replace(label=label))
    lines = []
    for line, run in zip(summary.summarise(told), runs, strict=True):
        lines.append(line._replace(label=run.label))
    lines = summary.ranked(lines)
    note = ""
    shown = lines
    if len(lines) > MOST_LISTED:
        note = f"; the best {BEST_OF_A_SWEEP} of {len(lines)} settings"
        shown = lines[:BEST_OF_A_SWEEP]
    where = f", {group.world}" if group.world else ""
    last_seed = group.first_seed + group.seeds - 1
    heading = f"{group.episodes:,} episodes, seeds {group.first_seed} to {last_seed}{where}{note}"
    headings, rows = tables.cells(shown)
    return [f"<h3>{html.text(heading)}</h3>", html.table(headings, rows)]


def _curves(groups: _Groups) -> list[str]:
    """Curves of runs of which no picture is there, a picture a group."""
    from adama_jax.reporting import figures

    pictures = []
    with tempfile.TemporaryDirectory() as folder, default_style():
        for group, runs in sorted(groups.items()):
            # More cannot be told apart.
            if len(runs) <= MOST_LISTED:
                path = Path(folder) / "learning_curves.png"
                figures.learning_curves(runs, path)
                caption = f"learning curves, {group.episodes:,} episodes"
                pictures.append(html.picture(path, caption))
    return pictures


def _can_be_filmed(run: Run) -> bool:
    if run.rollout is None or not run.rollout.kind.size:
        return False
    return bool(finite_seeds(run).any())


def _film(runs: Sequence[Run]) -> list[str]:
    """One film a scenario: of AdaMa if there is such a run, of the longest of these."""
    films = [run for run in runs if _can_be_filmed(run)]
    if not films:
        return []

    def of_interest(run: Run) -> tuple[bool, int]:
        config = run.config
        return config.method == "adama", config.episodes

    filmed = max(films, key=of_interest)
    row = int(finite_seeds(filmed).argmax())
    episodes = filmed.config.episodes
    caption = f"Greedy episodes of {filmed.label}, {episodes:,} episodes of training."
    with tempfile.TemporaryDirectory() as folder:
        film = run_gif(filmed, Path(folder) / "rollout.gif", row)
        return [html.picture(film, caption)]


def _caption(picture: Path) -> str:
    return picture.stem.replace("_", " ")
