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


def rows(one):
    return [line.strip() for line in printed(one).splitlines()]


def table_of(*labels):
    table = Table(box=None)
    table.add_column("setting")
    for heading in ("final", "IQM\n[95% interval]"):
        table.add_column(heading, no_wrap=True)
    for label in labels:
        table.add_row(label, "-4.48", "-4.50 [-4.77, -3.94]")
    return table


def test_a_narrow_screen_keeps_what_tells_the_rows_apart():
    """What there is no room for is named; a label is broken between its words only."""
    one = Screen(file=io.StringIO(), width=35)
    one.show(table_of("adama m=40.0 l_c=0.001", "adama m=80.0 l_c=0.002"))
    text = printed(one)
    assert "adama m=40.0 l_c=0.001  -4.48" in text
    assert "adama m=80.0 l_c=0.002  -4.48" in text
    assert "no room in 35 columns for: IQM [95% interval]" in text
    assert "…" not in text


def test_a_screen_with_room_shows_all_of_a_table():
    one = Screen(file=io.StringIO(), width=80)
    one.show(table_of("adama m=40.0 l_c=0.001"))
    assert "-4.50 [-4.77, -3.94]" in printed(one)
    assert "no room" not in printed(one)


def test_on_a_very_narrow_screen_the_first_column_is_left():
    one = Screen(file=io.StringIO(), width=9)
    one.show(table_of("adama"))
    assert rows(one)[:2] == ["setting", "adama"]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_bars_are_told_apart_at_any_width(width):
    one = Screen(file=io.StringIO(), width=width, force_terminal=True)
    names = ("going_together: adama", "going_together: balance")
    with one.bars() as bars:
        for name in names:
            bars.add_task(name, total=20_000, news="return -4.21, l_c 0.0012")
        table = bars.make_tasks_table(bars.tasks)
    shown = Screen(file=io.StringIO(), width=width)
    shown.print(table)
    for name, row in zip(names, rows(shown), strict=True):
        assert row.startswith(name) and "0/20,000" in row
        assert ("return -4.21" in row) == (width > 40)
