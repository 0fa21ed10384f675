"""Two runs side by side, in short, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from evalcli.terminal.text import Line, Span, Style, line
from evalcore.compare.verdict import NotComparable
from evalcore.formats.percent import percent
from evalcore.reports.run_report.comparison import Moved, MovedCount, RunComparison
from evalcore.reports.run_report.comparison_page import figure_rows, sides, verdict_line

MOST_SHOWN: Final = 8
_STYLES: Final[dict[str, Style]] = {"regression": "bad", "improvement": "good", "no evidence": "plain"}


def comparison_lines(compared: RunComparison) -> Iterator[Line]:
    """Lay a comparison of two runs out for reading."""
    old, new = sides(compared.before, compared.after)
    outcome = compared.outcome
    verdict = "not comparable" if isinstance(outcome, NotComparable) else outcome.verdict
    yield line(Span(f"{compared.before.config.component}: {old} -> {new}", "strong"))
    yield line(Span(verdict_line(compared), _STYLES.get(verdict, "warn")))
    yield line("")
    rows = figure_rows(compared.before, compared.after)
    widths = [max(len(row[at]) for row in rows) for at in range(2)]
    for name, before, after in rows:
        yield line(f"  {name:{widths[0]}}  {before:{widths[1]}}  {after}")
    yield from _moved("fields that moved most", compared.fields)
    yield from _moved("cases that moved most", compared.docs)
    yield from _counts("undeclared keys", compared.undeclared)
    yield from _counts("declared keys that answers lack", compared.missing)
    yield from _counts("violations of the schema", compared.errors)
    yield from _examples(compared)


def _moved(title: str, rows: Sequence[Moved]) -> Iterator[Line]:
    yield from _heading(title, len(rows))
    for row in rows[:MOST_SHOWN]:
        style: Style = "good" if row.change > 0 else "bad"
        figures = f"{percent(row.before)} -> {percent(row.after)}"
        yield line("  ", Span(f"{100 * row.change:+6.1f}", style), f"  {row.name}: {figures}")


def _counts(title: str, rows: Sequence[MovedCount]) -> Iterator[Line]:
    if not rows:
        return
    yield from _heading(title, len(rows))
    for row in rows[:MOST_SHOWN]:
        yield line(f"  {row.name}: {_of(row.before)} -> {_of(row.after)} answers")


def _examples(compared: RunComparison) -> Iterator[Line]:
    if not compared.examples:
        return
    yield from _heading("examples", len(compared.examples))
    for one in compared.examples[:MOST_SHOWN]:
        style: Style = "bad" if one.way == "worse" else "good"
        # The side on which it is wrong: the other one has what was expected.
        side = "after" if one.way == "worse" else "before"
        yield line("  ", Span(one.way, style), f"  {one.field} of {one.doc}")
        yield line(f"    expected {one.expected}")
        yield line(f"    {side:8} {one.wrong or 'nothing'}")


def _heading(title: str, rows: int) -> Iterator[Line]:
    yield line("")
    more = f" ({MOST_SHOWN} of {rows})" if rows > MOST_SHOWN else "" if rows else ": none"
    yield line(Span(f"{title}{more}", "strong"))


def _of(count: tuple[int, int]) -> str:
    return f"{count[0]} of {count[1]}"
