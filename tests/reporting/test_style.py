"""A user's matplotlibrc decides nothing, whichever command draws."""

import io
from types import SimpleNamespace

import matplotlib
import pytest

from adama_jax.config.exhibits import DRAWINGS
from adama_jax.reporting import exhibits, figures, present, summary
from adama_jax.reporting.style import default_style
from adama_jax.screen.console import Screen
from tests.helpers import QUIET

USERS = {"text.usetex": True, "font.family": ["no such font"], "savefig.format": "pgf"}


def test_within_it_is_matplotlibs_own_and_then_the_users_again():
    with matplotlib.rc_context(USERS):
        backend = matplotlib.get_backend()
        with default_style():
            for name in USERS:
                assert matplotlib.rcParams[name] == matplotlib.rcParamsDefault[name]
            assert matplotlib.get_backend() == backend
        for name, value in USERS.items():
            assert matplotlib.rcParams[name] == value


class Drawn(Exception):
    """Drawing has begun."""


def drawn_by(name, folder, screen=QUIET):
    """What a command calls to draw, with as little as it takes to begin."""
    if name == "exhibit":
        exhibit = SimpleNamespace(
            draw=next(iter(DRAWINGS)), title="", name="", curves=()
        )
        return exhibits.draw(exhibit, {}, [], folder)
    if name == "sweep":
        return present.show_sweep([], folder, "", screen)
    return present.show_experiment([], folder, screen)


@pytest.mark.parametrize("name", ["experiment", "sweep", "exhibit"])
def test_every_command_draws_within_it(monkeypatch, tmp_path, name):
    def look(*_):
        raise Drawn(matplotlib.rcParams["text.usetex"])

    monkeypatch.setattr(figures, "learning_curves", look)
    monkeypatch.setattr(summary, "summarise", look)
    monkeypatch.setattr(exhibits, "resolve_name", look)
    with matplotlib.rc_context(USERS), pytest.raises(Drawn) as drawn:
        drawn_by(name, tmp_path)
    assert drawn.value.args == (False,)


@pytest.mark.parametrize("name", ["experiment", "sweep"])
def test_what_is_being_done_is_said_before_matplotlib_is_imported(
    monkeypatch, tmp_path, name
):
    """Its style imports it, which takes seconds."""
    said = io.StringIO()

    def style():
        raise Drawn(said.getvalue())

    monkeypatch.setattr(present, "default_style", style)
    with pytest.raises(Drawn) as drawn:
        drawn_by(name, tmp_path, Screen(file=said))
    assert drawn.value.args[0].endswith(" ...\n")
