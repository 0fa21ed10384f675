"""How rankings are shown in a terminal: a table for each, and what is to be known of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from evalcli.leaderboards.present_policy import PolicyHash
from evalcli.terminal.text import Table, figure, interval
from evalcore.compare.versions import stale_cases
from evalcore.formats.counts import counted, first_few
from evalcore.library.component import broken_cases_sentence
from evalcore.reports.ranking import RankedPool, Ranking
from evalcore.reports.ranking_notes import chance_notes, notes_of, rightness_notes
from evalcore.reports.sentences import pool_labels, ranking_sentence
from evalcore.runs.record import WORDING, RunRecord
from evalcore.version import SCORING_VERSION

MOST_NAMED: Final = 4
"""Models that a note names."""
SHORT_SHA256: Final = 12
"""Digits of a SHA-256 in a title, as in the names of records scored again."""


def ranking_table(ranking: Ranking, title: str, *, every_run: bool = False) -> Table:
    """Lay a ranking out; what is the same for every row is left out.

    With `every_run` the runs that count together follow their row, each without a rank.
    """
    rows: list[tuple[tuple[str, ...], str]] = []
    for label, row in zip(pool_labels(ranking), ranking.rows, strict=True):
        rows.append((_row(label, row, ranking), "" if row.status == "complete" else row.status))
        if every_run:
            rows += [
                (_run(record), f"{record.status}: run {record.run_id}, ended {record.finished_at}")
                for record in row.records
            ]
    # Where every row would say "complete" the column says nothing.
    is_remarked = any(remark for _, remark in rows)
    headings = ("#", "model", "accuracy", "95 % CI", "reprod.", "runs", "failed")
    return Table(
        title=title,
        headings=(*headings, "status") if is_remarked else headings,
        rows=tuple((*row, remark or "complete") if is_remarked else row for row, remark in rows),
        numeric=frozenset(headings) - {"model", "status"},
    )


def heading(
    component: str,
    ranking: Ranking,
    beside: Iterable[Ranking] = (),
    present: PolicyHash | None = None,
) -> str:
    """Name a version, what it was measured with, and what the figure means where that is not correctness.

    What differs among the rankings of this version, those `beside` it, is named too: no two have one title.
    Of policies it is said which one is the component's `present` one, where that is known.
    """
    records = _records(ranking)
    replicates = _range([record.replicates for record in records])
    common = " in common" if ranking.are_cases_shared else ""
    text = (
        f"{component} {ranking.component_version}: {counted(ranking.cases, 'case')}{common} x {replicates}, "
        f"scoring {ranking.scoring_version}"
    )
    return marked(", ".join((text, *_told_apart(ranking, beside, present))), records)


def present_first(found: Sequence[Ranking], present: PolicyHash | None) -> list[Ranking]:
    """Order rankings of each version: those by the component's present policy, if known, stand first."""
    if present is None:
        return list(found)
    versions = {
        version: at for at, version in enumerate(dict.fromkeys(one.component_version for one in found))
    }
    return sorted(
        found, key=lambda one: (versions[one.component_version], one.policy_sha256 != present.sha256)
    )


def _told_apart(ranking: Ranking, beside: Iterable[Ranking], present: PolicyHash | None) -> Iterator[str]:
    """Yield by which prompt, schema, policy and cases a ranking differs from others of its version."""
    others = [one for one in beside if one.component_version == ranking.component_version]
    alike = [one for one in others if one.cases == ranking.cases and not one.are_cases_shared]
    for what, own, all_of_them in (
        ("prompt", ranking.prompt_sha256, {one.prompt_sha256 for one in others}),
        ("schema", ranking.schema_sha256, {one.schema_sha256 for one in others}),
        ("policy", ranking.policy_sha256, {one.policy_sha256 for one in others}),
        # Cases of another number are told apart by it.
        ("cases", ranking.cases_sha256, {one.cases_sha256 for one in alike}),
    ):
        if len(all_of_them) > 1:
            named = f"no {what}" if own is None else f"{what} {own[:SHORT_SHA256]}"
            # Where none is the present one, that may be one of data sets that are not at hand.
            is_known = what == "policy" and present is not None and present.sha256 in all_of_them
            yield f"{named} ({_age(own, present)})" if is_known else named


def _age(policy_sha256: str | None, present: PolicyHash | None) -> str:
    return "the present one" if present is not None and policy_sha256 == present.sha256 else "an earlier one"


def marked(title: str, records: Iterable[RunRecord]) -> str:
    """Say behind a title what the figures mean, where that is not correctness."""
    is_wording = any(record.accuracy.measures == "wording" for record in records)
    return f"{title}; {WORDING}" if is_wording else title


def notes(component: str, ranking: Ranking, beside: Iterable[Ranking] = ()) -> Iterator[str]:
    """Yield what a ranking says in one sentence, then its notes, each a line.

    Of a case that was broken nothing is said where a later run, in a ranking `beside`, has it mended.
    """
    records = _records(ranking)
    yield ranking_sentence(ranking, shares="fraction")
    for note in (*rightness_notes(ranking), *chance_notes(ranking), *notes_of(ranking)):
        yield as_sentence(note)
    broken = _broken_note(records, beside)
    if broken is not None:
        yield broken
    yield from identical_notes(records)
    for record in records:
        rough = record.accuracy.ci95_like_cases
        if rough is not None:
            yield f"{record.model}: over cases like these, roughly {interval(rough)}."
    stale = stale_cases(records)
    if stale:
        yield stale_note(stale)
    if ranking.scoring_version < SCORING_VERSION:
        yield (
            f"Scored by older rules; where the replies are stored, `evalcli leaderboard rescore {component}`"
            " brings them up."
        )


def _broken_note(records: Sequence[RunRecord], beside: Iterable[Ranking]) -> str | None:
    """Say which cases were broken when these runs were made, and in no later run have been used since."""
    every = [*records, *(record for one in beside for record in _records(one))]
    skipped = {
        case.case: (record.started_at, case)
        for record in sorted(records, key=lambda one: one.started_at)
        for case in record.skipped_cases
        if case.broken and not _is_used_after(record.started_at, case.case, every)
    }
    if not skipped:
        return None
    newest = max(when for when, _ in skipped.values())
    # A leaderboard holds what was: the case may have been mended without a run since.
    return broken_cases_sentence((case for _, case in skipped.values()), since=f"When run on {newest[:10]},")


def _is_used_after(moment: str, case: str, records: Iterable[RunRecord]) -> bool:
    return any(
        record.started_at > moment and any(result.case == case for result in record.case_results)
        for record in records
    )


def as_sentence(note: str) -> str:
    """End a note as a sentence ends."""
    return note if note.endswith("?") else f"{note}."


def stale_note(stale: dict[str, str], most: int = 5) -> str:
    """Name the cases whose expected answer was last checked against an older version."""
    named = first_few((f"{case} ({version})" for case, version in stale.items()), most)
    return f"Validated against an older version: {named}."


def identical_notes(records: Sequence[RunRecord]) -> Iterator[str]:
    """Yield for each number of identical replies how many further ones may still differ."""
    models: dict[str, dict[str, None]] = {}
    for record in records:
        if record.identical_note is not None:
            models.setdefault(record.identical_note, {})[record.model] = None
    for note, named in models.items():
        yield f"{first_few(named, MOST_NAMED)}: {note}."


def _records(ranking: Ranking) -> list[RunRecord]:
    return [record for row in ranking.rows for record in row.records]


def _row(label: str, row: RankedPool, ranking: Ranking) -> tuple[str, ...]:
    return (
        "-" if row.rank is None else row.rank.text,
        label,
        figure(row.accuracy),
        interval(row.ci95),
        figure(row.reproducibility),
        str(len(row.records)),
        # Records count failed calls over all of their cases, the other ones included.
        "-" if ranking.are_cases_shared else _failed(row.records),
    )


def _run(record: RunRecord) -> tuple[str, ...]:
    return (
        "-",
        record.model,
        figure(record.accuracy.mean),
        interval(record.accuracy.ci95),
        figure(record.reproducibility.mean),
        "",
        _failed([record]),
    )


def _failed(records: Sequence[RunRecord]) -> str:
    failed = sum(record.calls.api_error + record.calls.parse_error for record in records)
    return f"{failed}/{sum(record.calls.total for record in records)}"


def _range(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low} to {high}"
