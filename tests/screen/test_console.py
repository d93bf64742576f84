"""The screen: words of users as they are, bars where something can move."""

import io

import pytest
from rich.table import Table

from adama_jax.screen.console import Screen

WORDS = "[red]results[/red]/[/b] [bold :smile: \\[x]"


def screen(**options):
    return Screen(file=io.StringIO(), width=200, **options)


def printed(one):
    assert isinstance(one.file, io.StringIO)
    return one.file.getvalue()


def test_brackets_are_no_markup_in_a_line():
    one = screen()
    one.say(WORDS, style="red")
    one.print(WORDS)
    assert printed(one) == 2 * f"{WORDS}\n"


def test_brackets_are_no_markup_in_a_table():
    table = Table(title=WORDS, caption=WORDS)
    table.add_column(WORDS)
    table.add_row(WORDS)
    one = screen()
    one.print(table)
    assert printed(one).count(WORDS) == 4


def test_brackets_are_no_markup_beside_a_bar():
    one = screen(force_terminal=True)
    with one.bars() as bars:
        bars.add_task(WORDS, total=1, news=WORDS)
    assert "red]results[/red]" in printed(one)
    assert printed(one).count("[bold :smile:") >= 2


def test_a_line_is_not_wrapped():
    one = Screen(file=io.StringIO(), width=40)
    line = "a path that nobody wants in two pieces: " + "x" * 100
    one.say(line)
    assert printed(one) == f"{line}\n"


def test_a_line_stays_one_line():
    one = screen()
    one.say("two\nlines")
    assert printed(one) == "two\\nlines\n"


@pytest.mark.parametrize(
    ("environment", "terminal", "moves"),
    [
        ({"TERM": "xterm"}, True, True),
        # As in Emacs, or in an editor's output.
        ({"TERM": "dumb"}, True, False),
        ({"TERM": "xterm"}, False, False),
        # Colours in a log are welcome; 51 KB of frames a minute are not.
        ({"TERM": "xterm", "FORCE_COLOR": "1"}, False, False),
    ],
)
def test_bars_move_only_on_a_terminal_that_can_show_it(
    environment, terminal, moves, monkeypatch
):
    for name in ("FORCE_COLOR", "TTY_INTERACTIVE", "TTY_COMPATIBLE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stream = io.StringIO()
    stream.isatty = lambda: terminal
    one = Screen(file=stream)
    assert one.is_interactive == moves
    with one.bars() as bars:
        bars.add_task("a job", total=10, news="")
        bars.refresh()
    assert bool(stream.getvalue()) == moves
