"""Every sentence that people read on GitHub: commit message, pull request title and body.

What comes from models, files or the gateway is shown as code, in which GitHub finds no mention, link,
image, reference, HTML or structure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import semver

from evalcore.component import SkippedCase
from evalcore.leaderboard import Leaderboard, known_records
from evalcore.record import RunRecord

MOST_MODELS = 100
MOST_SKIPPED = 30
CELL = 80
"""Characters of a foreign text in a table."""
REASON = 200
NONE = "-"
EMPTY = "(empty)"
SKIP_MARK = re.compile(r"\[\s*(skip|no|ci|actions)\s+(ci|skip|actions)\s*\]", re.IGNORECASE)
TRAILER = "Evaluator-Job"
HEADINGS = (
    "#", "Model", "Accuracy", "before", "Reproducibility", "before",
    "Calls", "Cut off", "Latency p50", "Cost", "Status",
)  # fmt: skip


class Results(NamedTuple):
    """What a pull request tells of."""

    job_id: str
    slug: str
    version: str
    prompt_commit: str
    replicates: int
    records: Sequence[RunRecord]
    skipped_models: Mapping[str, str]
    """Model to the reason why it was left out."""
    skipped_cases: Sequence[SkippedCase]
    earlier: Leaderboard
    """What the leaderboard held before."""


def commit_subject(results: Results, suffix: str) -> str:
    """The subject of the results commit, and the title of its pull request."""
    models = len({record.model for record in results.records})
    subject = f"eval({results.slug}): {_plain(results.version)}, {models} models"
    return f"{subject} {suffix.strip()}" if suffix.strip() else subject


def commit_message(results: Results, suffix: str) -> str:
    """The whole message of the results commit; its trailer lets a restarted service know its own work."""
    trailers = f"Prompt-Commit: {results.prompt_commit}\n{TRAILER}: {results.job_id}\n"
    return f"{commit_subject(results, suffix)}\n\n{trailers}"


def merge_message(slug: str, default_branch: str) -> str:
    """The message of the commit that makes open results merge again."""
    return f"Merge {default_branch} into the results of {slug}\n\nRecords are united by run id.\n"


def is_commit_of(message: str, job_id: str) -> bool:
    """Whether a commit message is of that job."""
    return f"{TRAILER}: {job_id}" in message.splitlines()


def pull_request_body(results: Results) -> str:
    """The body of the pull request: the results as a table beside the previous version's."""
    previous = previous_version(results)
    before = {} if previous is None else _latest(results.earlier, previous)
    compared = (
        "nothing earlier to compare with"
        if previous is None
        else f"*before* is version {escape_markdown(previous, CELL)}"
    )
    cases = max((record.cases for record in results.records), default=0)
    what = f"{escape_markdown(results.slug, CELL)} version {escape_markdown(results.version, CELL)}"
    how = f"{cases} cases, {results.replicates} replicates each"
    parts = [
        f"Evaluated {what} at commit {results.prompt_commit}: {how}; {compared}.",
        _table(results.records, before),
        _notes(results),
        f"Only the component's leaderboard.json changes. Job {escape_markdown(results.job_id, CELL)}.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def previous_version(results: Results) -> str | None:
    """The highest version below this one that the leaderboard has records of."""
    current = _semver(results.version)
    known = {record.component_version for record in known_records(results.earlier)}
    versions = [(parsed, version) for version in known if (parsed := _semver(version)) is not None]
    below = [(parsed, version) for parsed, version in versions if current is not None and parsed < current]
    return max(below)[1] if below else None


def escape_markdown(text: str, limit: int) -> str:
    """Show any text as one line of Markdown code, of at most `limit` characters of the text.

    In code GitHub links, mentions and interprets nothing. Control and invisible characters become
    spaces; `|`, which ends a table's cell even in code, becomes `¦`; skip-CI marks and workflow commands
    are broken by a character that cannot be seen, for squashed commit messages and logs take over text.
    """
    visible = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text[: 4 * limit])
    line = " ".join(visible.split()).replace("|", "¦")
    line = line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
    line = SKIP_MARK.sub(lambda mark: mark[0].replace(" ", "\u00a0"), line)
    line = re.sub(":(?=:)", ":\u200b", line).replace("##[", "#\u200b#[")
    line = re.sub(r"(skip-checks:) *(true)", "\\1\u00a0\\2", line, flags=re.IGNORECASE)
    if not line:
        return EMPTY
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    # A space on both sides is taken off again by Markdown, and keeps the fence from the text's own backticks.
    return f"{fence} {line} {fence}" if line[0] == "`" or line[-1] == "`" else f"{fence}{line}{fence}"


def _table(records: Sequence[RunRecord], before: Mapping[str, RunRecord]) -> str:
    ranked = sorted(
        (r for r in records if r.status == "complete"), key=lambda r: (-(r.accuracy.mean or 0), r.model)
    )
    others = sorted((r for r in records if r.status != "complete"), key=lambda r: r.model)
    rows = [_row(str(place), record, before.get(record.model)) for place, record in enumerate(ranked, 1)]
    rows += [_row(NONE, record, before.get(record.model)) for record in others]
    ruler = ["--:" if heading not in {"Model", "Status"} else "---" for heading in HEADINGS]
    lines = ["| " + " | ".join(cells) + " |" for cells in (HEADINGS, ruler, *rows[:MOST_MODELS])]
    more = len(rows) - MOST_MODELS
    return "\n".join(lines) + (f"\n\n{more} more models are in the leaderboard." if more > 0 else "")


def _row(place: str, record: RunRecord, before: RunRecord | None) -> tuple[str, ...]:
    calls = record.calls
    failures = f"{calls.api_error} without reply, {calls.parse_error} unparsable"
    partial = "**partial**, not ranked"
    return (
        place,
        escape_markdown(record.model, CELL),
        _percent(record.accuracy.mean, record.accuracy.ci95),
        _percent(before.accuracy.mean if before else None),
        _percent(record.reproducibility.mean, record.reproducibility.ci95),
        _percent(before.reproducibility.mean if before else None),
        f"{calls.ok} of {calls.total} ok" + (f", {failures}" if calls.ok != calls.total else ""),
        str(calls.truncated),
        NONE if record.latency_ms.p50 is None else f"{record.latency_ms.p50 / 1000:.1f} s",
        NONE if record.cost_usd is None else f"{record.cost_usd:.4f} USD",
        record.status if record.status == "complete" else partial,
    )


def _notes(results: Results) -> str:
    notes = []
    if any(record.status == "partial" for record in results.records):
        notes.append("A partial run lacks too many replies for its figures to be compared.")
    models = [(model, reason) for model, reason in results.skipped_models.items()]
    notes.append(_listing("Models left out:", models))
    notes.append(_listing("Cases left out:", [(item.case, item.reason) for item in results.skipped_cases]))
    return "\n\n".join(note for note in notes if note)


def _listing(heading: str, items: Sequence[tuple[str, str]]) -> str:
    if not items:
        return ""
    lines = [
        f"- {escape_markdown(name, CELL)}: {escape_markdown(reason, REASON)}"
        for name, reason in items[:MOST_SKIPPED]
    ]
    if len(items) > MOST_SKIPPED:
        lines.append(f"- and {len(items) - MOST_SKIPPED} more")
    return "\n".join([heading, "", *lines])


def _latest(leaderboard: Leaderboard, version: str) -> dict[str, RunRecord]:
    """The latest complete run of each model at a version."""
    found = [
        r for r in known_records(leaderboard) if r.component_version == version and r.status == "complete"
    ]
    return {record.model: record for record in sorted(found, key=lambda r: (r.finished_at, r.run_id))}


def _percent(value: float | None, interval: tuple[float, float] | None = None) -> str:
    """A share in per cent, with its 95 % interval where there is one."""
    if value is None:
        return NONE
    around = "" if interval is None else f" ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})"
    return f"{100 * value:.1f} %{around}"


def _semver(text: str) -> semver.Version | None:
    try:
        return semver.Version.parse(text)
    except ValueError:
        return None


def _plain(text: str) -> str:
    """What may stand in a subject: the characters of a version, and no others."""
    return re.sub(r"[^0-9A-Za-z.+-]", "", text)[:CELL]
