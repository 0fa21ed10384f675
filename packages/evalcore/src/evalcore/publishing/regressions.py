"""Which of a component's new results are regressions, and how that is said where people look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from evalcore.compare import versions
from evalcore.compare.verdict import Comparison
from evalcore.formats.markdown_text import CELL, escape_markdown
from evalcore.publishing.outbox import Regression
from evalcore.publishing.verdicts import compare_with, verdict_list
from evalcore.runs.leaderboard import Leaderboard, known_records
from evalcore.runs.record import RunRecord

# The description of a commit's status has room for 140, and begins with words of its own.
LONGEST_SUMMARY: Final = 110
"""Characters."""


def regressions(before: Leaderboard, new: Sequence[RunRecord]) -> list[Comparison]:
    """Compare new records with the version before theirs; return what is a regression, by version and model.

    `before` may hold some of the new ones too: they count once.
    """
    ids = {record.run_id for record in new}
    earlier = [record for record in known_records(before) if record.run_id not in ids]
    return list(_regressions(earlier, new))


def _regressions(earlier: Sequence[RunRecord], new: Sequence[RunRecord]) -> Iterator[Comparison]:
    for version in sorted({record.component_version for record in new}):
        # Two new versions at once, as in results that stand on others, are compared with each other.
        others = [*earlier, *(record for record in new if record.component_version != version)]
        mine = [record for record in new if record.component_version == version]
        previous = versions.previous_version(others, version)
        if previous is None:
            continue
        outcomes = compare_with(previous, version, others, mine).values()
        for outcome in outcomes:
            if isinstance(outcome, Comparison) and outcome.verdict == "regression":
                yield outcome


def describe(found: Sequence[Comparison]) -> Regression | None:
    """Say which models got worse, the worst first; None where none did."""
    if not found:
        return None
    worst = sorted(found, key=lambda each: (each.change, each.model))
    previous = worst[0].before.version
    return Regression(
        version=worst[0].after.version,
        summary=_summary(worst),
        details=verdict_list({each.model: each for each in worst}, previous),
    )


def _summary(worst: Sequence[Comparison]) -> str:
    named = [f"{each.model} {100 * each.change:+.1f}" for each in worst]
    shown: list[str] = []
    for count, text in enumerate(named):
        more = len(named) - count - 1
        rest = f" and {more} more" if more else ""
        if shown and len(", ".join([*shown, text]) + rest) > LONGEST_SUMMARY:
            return f"{', '.join(shown)} and {len(named) - count} more"
        shown.append(text)
    return ", ".join(shown)[:LONGEST_SUMMARY]


def comment_mark(job_id: str) -> str:
    """Return the hidden mark by which the comment on a job's regression is found again."""
    return f"<!-- evaluator: regression of job {job_id} -->"


def comment_text(slug: str, regression: Regression, url: str | None) -> str:
    """Write the comment on the pull request that brought a version: the verdict, and the link."""
    where = "" if url is None else f" The results: {url}."
    what = f"{escape_markdown(slug, CELL)} version {escape_markdown(regression.version, CELL)}"
    return f"**Regression** in {what}, which this pull request brought.{where}\n\n{regression.details}"
