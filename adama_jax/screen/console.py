"""The screen: rich's console for words that users wrote, with bars where there is a terminal."""

import sys
from collections.abc import Iterable
from typing import TextIO

from rich.console import Console, ConsoleOptions
from rich.measure import Measurement
from rich.progress import BarColumn, Progress, Task, TextColumn, TimeRemainingColumn
from rich.table import Column, Table
from rich.text import Text

from adama_jax.screen.streams import in_one_line, steady

MOST_COLUMNS = 10_000  # of a screen that has room for everything
BAR = 20  # columns


class Screen(Console):
    """Lines, tables and bars for a person; no fault of the stream reaches who prints.

    Nothing that is printed is read as rich's markup: paths, labels and errors have brackets.

    Args:
        file: where to; None: stdout.
        width: columns; None: the terminal's, or 80.
        record: keep what is printed, for `export_text`.
        force_terminal: whether it is a terminal; None: as it is.
    """

    def __init__(
        self,
        file: TextIO | None = None,
        width: int | None = None,
        record: bool = False,
        force_terminal: bool | None = None,
    ):
        stream = steady(file or sys.stdout)
        is_terminal = stream.isatty() if force_terminal is None else force_terminal
        super().__init__(
            file=stream,
            width=width,
            record=record,
            force_terminal=force_terminal,
            # FORCE_COLOR makes a log colourful, but it is no place for a moving bar.
            force_interactive=None if is_terminal else False,
            markup=False,
            emoji=False,
            highlight=False,
        )

    def say(self, text: str, style: str | None = None) -> None:
        """One line, as it is: no terminal's width breaks a path or a log in two."""
        self.print(in_one_line(text), style=style, soft_wrap=True)

    def show(self, table: Table) -> None:
        """A table; columns that there is no room for are left out, from the right, and named."""
        left_out = self.fit(table)
        self.print(table)
        if left_out:
            headings = [str(column.header).replace("\n", " ") for column in left_out]
            self.say(f"no room in {self.width} columns for: {'; '.join(headings)}")

    def fit(self, table: Table) -> list[Column]:
        """Take columns out of a table, from the right, until no word of it is cut.

        Returns:
            What was taken out. The first column stays: it tells the rows apart.
        """
        roomy = self.options.update(width=MOST_COLUMNS)
        for column in table.columns:
            column.min_width = self._needed(column, roomy)
        left_out: list[Column] = []
        while self.measure(table, options=roomy).minimum > self.width:
            if len(table.columns) == 1:
                break
            left_out.insert(0, table.columns.pop())
        return left_out

    def _needed(self, column: Column, roomy: ConsoleOptions) -> int:
        """How wide a column is at least, so that no word of it is cut."""
        widths = [column.min_width or 0]
        for cell in (column.header, *column.cells):
            shown = Text(cell) if isinstance(cell, str) else cell
            words, lines = Measurement.get(self, roomy, shown)
            widths.append(lines if column.no_wrap else words)
        return max(widths)

    def bars(self) -> "Bars":
        """Bars for the jobs of a process; nothing where nothing can move."""
        return Bars(self)


class Bars(Progress):
    """A row for each job, with what there is room for: its name, how far it is, and so on.

    Args:
        screen: where to.
    """

    def __init__(self, screen: Screen):
        self._screen = screen
        super().__init__(
            TextColumn("{task.description}", style="bold", markup=False),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
            TextColumn("{task.fields[news]}", markup=False),
            TimeRemainingColumn(compact=True),
            BarColumn(bar_width=BAR),
            console=screen,
            disable=not screen.is_interactive,
        )

    def make_tasks_table(self, tasks: Iterable[Task]) -> Table:
        """The rows; rich calls it for each frame."""
        table = super().make_tasks_table(tasks)
        self._screen.fit(table)
        return table
