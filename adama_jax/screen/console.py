"""The screen: rich's console for words that users wrote, with bars where there is a terminal."""

import sys
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from adama_jax.screen.streams import in_one_line, steady


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

    def bars(self) -> Progress:
        """Bars for the jobs of a process; nothing where nothing can move."""
        columns = (
            TextColumn("{task.description}", style="bold", markup=False),
            BarColumn(),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
            TextColumn("{task.fields[news]}", markup=False),
            TimeRemainingColumn(compact=True),
        )
        return Progress(*columns, console=self, disable=not self.is_interactive)
