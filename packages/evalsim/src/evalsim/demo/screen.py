"""What the demo shows: steps with their sense, tables, the pull request; plain lines where no terminal is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar, Protocol

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.markdown import Markdown, TableElement
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.rule import Rule as HorizontalLine
from rich.table import Table
from rich.text import Text

from evalcli.terminal.text import Table as PlainTable
from evalcli.terminal.text import plain_table, shown

NOTHING = "-"
"""A cell with nothing in it."""
PLAIN_STEPS = 4
"""How often progress is shown where no terminal is: at each quarter."""


class Progressing(Protocol):
    """Shows how far the calls are."""

    def __call__(self, done: int, total: int, errors: int) -> None:
        """Show it."""


class WholeTable(TableElement):
    """A Markdown table whose cells are broken where the terminal is narrow, and never cut."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for table in super().__rich_console__(console, options):
            for column in table.columns if isinstance(table, Table) else ():
                column.overflow = "fold"
            yield table


class Document(Markdown):
    """A Markdown text with whole tables."""

    elements: ClassVar = {**Markdown.elements, "table_open": WholeTable}


class Screen:
    """The demo's standard output. All text from outside is shown as text, never as markup."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._step = 0

    @property
    def is_terminal(self) -> bool:
        """Whether a person watches."""
        return self._console.is_terminal

    def title(self, text: str, explanation: str) -> None:
        """Open the demo."""
        self._print(Text(text, style="bold"))
        self._print(Text(explanation))

    def step(self, title: str, explanation: str) -> None:
        """Begin a step and say what it is for."""
        self._step += 1
        self._print(Text(f"\n{self._step}. {title}", style="bold cyan"))
        self._print(Text(explanation, style="dim"))

    def fact(self, name: str, value: str) -> None:
        """Show one named thing."""
        self._print(Text.assemble("   ", (f"{name:<13}", "dim"), shown(value)))

    def checked(self, text: str) -> None:
        """Say that something was looked at and is so."""
        self._print(Text.assemble("   ", ("ok", "bold green"), " ", shown(text)))

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]], *, left: Sequence[str]) -> None:
        """Show a table, without columns that hold nothing; those named in `left` are aligned to the left."""
        used = [index for index in range(len(headings)) if any(row[index] != NOTHING for row in rows)]
        heads = tuple(headings[index] for index in used)
        cells = tuple(tuple(shown(row[index]) for index in used) for row in rows)
        if not self.is_terminal:
            numeric = frozenset(heads) - frozenset(left)
            self._print(Text(plain_table(PlainTable(headings=heads, rows=cells, numeric=numeric)).rstrip()))
            return
        table = Table(box=box.SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
        for heading in heads:
            table.add_column(heading, justify="left" if heading in left else "right")
        for row in cells:
            table.add_row(*map(Text, row))
        self._print(table)

    def document(self, title: str, markdown: str) -> None:
        """Show a Markdown text as its reader sees it, or as written where no terminal is."""
        lines = [shown(line, 4000) for line in markdown.splitlines()]
        if self.is_terminal:
            body = Document("\n".join(lines), hyperlinks=False)
            self._print(Panel(body, title=Text(shown(title)), title_align="left", border_style="dim"))
            return
        self._print(Text(f"   | {shown(title)}"))
        for line in lines:
            self._print(Text(f"   | {line}"))

    def end(self, text: str) -> None:
        """Close the demo."""
        if self.is_terminal:
            self._print(HorizontalLine(style="green"))
        self._print(Text(f"\n{text}", style="bold green"))

    @contextmanager
    def progress(self, label: str, total: int) -> Iterator[Progressing]:
        """Show how a job goes on: a bar on a terminal, a few lines elsewhere."""
        if not self.is_terminal:
            yield self._plain_progress(label)
            return
        columns = (
            TextColumn("   {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[errors]} errors"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._console) as bar:
            task = bar.add_task(label, total=total, errors=0)

            def show(done: int, total: int, errors: int) -> None:
                bar.update(task, completed=done, total=total, errors=errors)

            yield show

    def _plain_progress(self, label: str) -> Progressing:
        shown_before = -1

        def show(done: int, total: int, errors: int) -> None:
            nonlocal shown_before
            reached = done * PLAIN_STEPS // total if total else 0
            if reached > shown_before:
                shown_before = reached
                self._print(Text(f"   {label}: {done} of {total} calls, {errors} errors"))

        return show

    def _print(self, renderable: RenderableType) -> None:
        # In a file a line stays one: rich would break it at 80 columns.
        self._console.print(renderable, soft_wrap=not self.is_terminal and isinstance(renderable, Text))
