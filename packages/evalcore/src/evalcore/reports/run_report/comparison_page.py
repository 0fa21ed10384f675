"""Two runs side by side as Markdown: what a reviewer of a prompt's change wants to see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

from evalcore.compare.verdict import NotComparable, reasons
from evalcore.formats.markdown_text import CELL, REASON
from evalcore.formats.percent import around, percent
from evalcore.reports.run_report.comparison import Moved, MovedCount, RunComparison
from evalcore.reports.run_report.page_parts import (
    LONGEST_VALUE,
    MOST_SHOWN,
    NONE,
    code,
    share,
    table,
)
from evalcore.reports.run_report.summary import Summary

RIGHT: Final = "✓ as expected"
Row = TypeVar("Row")


def comparison_page(compared: RunComparison) -> str:
    """Write COMPARISON.md."""
    parts = [
        *_title(compared),
        *_figures(compared.before, compared.after),
        *_table_of("Fields that moved most", "field", compared.fields, _moved_cells),
        *_table_of("Cases that moved most", "case", compared.docs, _moved_cells),
        *_examples(compared),
        *_table_of("Undeclared keys", "key", compared.undeclared, _count_cells),
        *_table_of("Declared keys that answers lack", "key", compared.missing, _count_cells),
        *_table_of("Violations of the schema", "where and what", compared.errors, _count_cells),
    ]
    return "\n\n".join(parts) + "\n"


def verdict_line(compared: RunComparison, code: Callable[[str], str] = str) -> str:
    """Say in one line what the comparison comes to; `code` writes a text of others as the place needs it."""
    outcome = compared.outcome
    if isinstance(outcome, NotComparable):
        return f"not comparable: {code(outcome.reason)}"
    change = f"accuracy {percent(outcome.before.mean)} to {percent(outcome.after.mean)}"
    points = f"{100 * outcome.change:+.1f} points over {outcome.cases} shared cases"
    return f"{outcome.verdict}: {change}, {points}; {'; '.join(code(one) for one in reasons(outcome))}"


def sides(before: Summary, after: Summary) -> tuple[str, str]:
    """Name the two sides by what tells them apart: version, else model, else run."""
    pairs = (
        (before.config.component_version, after.config.component_version),
        (before.config.model, after.config.model),
        (before.config.run_id, after.config.run_id),
    )
    return next((pair for pair in pairs if pair[0] != pair[1]), pairs[0])


def figure_rows(before: Summary, after: Summary) -> list[tuple[str, str, str]]:
    """Return the headline figures of both, the same in every place that shows them."""
    old, new = before.headline, after.headline

    def row(name: str, read: Callable[[Summary], str]) -> tuple[str, str, str]:
        return name, read(before), read(after)

    rows = [
        (
            "accuracy",
            _with_interval(old.accuracy, old.accuracy_ci95),
            _with_interval(new.accuracy, new.accuracy_ci95),
        ),
        (
            "reproducibility",
            _with_interval(old.reproducibility, old.reproducibility_ci95),
            _with_interval(new.reproducibility, new.reproducibility_ci95),
        ),
        row("every leaf but prose right", lambda one: share(one.headline.exact_rate)),
        row("all replies right", lambda one: share(one.headline.all_right_rate)),
        row(
            "calls answered", lambda one: f"{one.headline.n_success} of {one.headline.n_replicates_attempted}"
        ),
        row("unparsable", lambda one: str(one.headline.n_parse_error)),
        row("cut at the token limit", lambda one: str(one.headline.n_truncated)),
        row("schema-valid answers", lambda one: _pct(one.validation.valid_rate_pct)),
        row("without extra top-level keys", lambda one: _pct(one.validation.valid_rate_ignoring_extras_pct)),
        row("completion tokens p50", lambda one: _number(one.headline.completion_tokens.p50)),
        row("chat latency p50", lambda one: _seconds(one.headline.chat_latency_ms.p50)),
        row(
            "cost", lambda one: NONE if one.headline.cost_usd is None else f"{one.headline.cost_usd:.4f} USD"
        ),
    ]
    return [cells for cells in rows if cells[1:] != (NONE, NONE)]


def _title(compared: RunComparison) -> Iterator[str]:
    before, after = compared.before, compared.after
    old, new = (code(side) for side in sides(before, after))
    yield f"# {code(after.config.component)}: {old} → {new}"
    yield f"**{verdict_line(compared, lambda text: code(text, REASON))}.**"
    lines = [
        f"**{name}:** {code(one.config.component_version)} by {code(one.config.model)}, run "
        f"{code(one.run_name)}, prompt sha256 {code(one.config.prompt_sha256[:12])}"
        for name, one in (("Before", before), ("After", after))
    ]
    yield "  \n".join(lines)


def _figures(before: Summary, after: Summary) -> Iterator[str]:
    yield "## Figures"
    old, new = (code(side) for side in sides(before, after))
    yield table(("", old, new), figure_rows(before, after))


def _table_of(
    title: str, name: str, rows: Sequence[Row], cells: Callable[[Row], tuple[str, ...]]
) -> Iterator[str]:
    yield f"## {title}"
    if not rows:
        yield "_No change._"
        return
    yield table((name, "before", "after", "change"), [cells(row) for row in rows[:MOST_SHOWN]])
    if len(rows) > MOST_SHOWN:
        yield f"{len(rows) - MOST_SHOWN} more moved less."


def _moved_cells(row: Moved) -> tuple[str, ...]:
    return code(row.name), share(row.before), share(row.after), f"**{100 * row.change:+.1f}**"


def _count_cells(row: MovedCount) -> tuple[str, ...]:
    shares = [100 * count / whole if whole else 0.0 for count, whole in (row.before, row.after)]
    counts = [f"{count} of {whole}" for count, whole in (row.before, row.after)]
    return code(row.name, 2 * CELL), *counts, f"**{shares[1] - shares[0]:+.1f}**"


def _examples(compared: RunComparison) -> Iterator[str]:
    yield "## Examples of what moved"
    if not compared.examples:
        yield "_The commonest answers to no case that may be quoted differ in what is right._"
        return
    yield "The commonest answer to one case on each side, of the library's own cases alone."
    rows = []
    for one in compared.examples:
        wrong = code(one.wrong, LONGEST_VALUE) if one.wrong else NONE
        both = (RIGHT, wrong) if one.way == "worse" else (wrong, RIGHT)
        expected = code(one.expected, LONGEST_VALUE)
        rows.append((one.way, code(one.field), code(one.doc), expected, *both))
    yield table(("", "field", "case", "expected", "before", "after"), rows)


def _with_interval(value: float | None, limits: tuple[float, float] | None) -> str:
    return f"{share(value)}{around(limits)}"


def _pct(value: float | None) -> str:
    return NONE if value is None else percent(value / 100)


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:.0f}"


def _seconds(milliseconds: float | None) -> str:
    return NONE if milliseconds is None else f"{milliseconds / 1000:.1f} s"
