"""The body of a pull request with results: a table beside the previous version's, and what to know of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple
from urllib.parse import quote

import msgspec

from evalcore.compare import versions
from evalcore.compare.verdict import Comparison, Outcome
from evalcore.compare.versions import stale_cases
from evalcore.formats.counts import counted, first_few
from evalcore.formats.markdown_text import CELL, REASON, escape_markdown
from evalcore.library.component import SkippedCase, broken_cases_sentence
from evalcore.publishing.results_table import details_table, results_table, sorted_rows
from evalcore.publishing.verdicts import compare_with, share, verdict_list
from evalcore.reports.ranking import RankedPool, Ranking, rankings
from evalcore.reports.ranking_notes import chance_notes, notes_of, rightness_notes
from evalcore.reports.run_report.files import PAGE
from evalcore.reports.sentences import change_sentence, ranking_sentence
from evalcore.runs.leaderboard import Leaderboard, known_records
from evalcore.runs.record import WORDING, RunRecord
from evalcore.runs.rescoring import newest_scoring
from evalcore.stats.uncertainty import FEW_REPLICATES
from evalcore.structs import Frozen

MOST_LISTED: Final = 30
MOST_MOVED: Final = 5
NOTE: Final = 600
"""Characters of a note on a ranking, which may name eight models with their shares."""
# GitHub takes 65,536, and refuses a longer body altogether.
LONGEST: Final = 60_000
"""Characters."""
IN_A_LINK: Final = ":/?#[]@!$&'*+,;=%~"
"""What stands in an address as it is; round brackets and blanks are encoded."""
ALWAYS_SHOWN: Final = 3
"""Parts that never give way: sentence, opening, table."""


class PullRequestOptions(Frozen, frozen=True):
    """What an operator chooses of pull requests with results, and of their commits.

    It is handed on whole from the settings to here: a further choice is a field here and is read where it
    counts, from `Results.options` in a text, from the `Committer`'s in what is done on GitHub.
    """

    commit_suffix: str = ""
    """Appended to the subject of the commit, which is the pull request's title; empty for none."""
    auto_merge: bool = False
    """Whether pull requests are set to merge by themselves."""
    dashboard_url: str | None = None
    """Where the dashboard of these leaderboards is published; None where it is not."""
    publish_reports: bool = False
    """Whether the commit also carries a report of each run."""


class Results(NamedTuple):
    """What a pull request shows."""

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
    options: PullRequestOptions = PullRequestOptions()
    reports: Mapping[str, bytes] = MappingProxyType({})
    """Files of the runs' reports, by their paths in the repository."""


def pull_request_body(results: Results) -> str:
    """The body of the pull request: the results as a table beside the previous version's."""
    job = escape_markdown(results.job_id, CELL)
    return _body(results, f"{_what_changes(results)} Job {job}.")


def figures_comment(results: Results) -> str:
    """The comment that shows the same of a commit whose results are committed nowhere."""
    job = escape_markdown(results.job_id, CELL)
    return _body(results, f"These figures are committed nowhere: the commit is not merged. Job {job}.")


def results_sentence(results: Results) -> str:
    """What the results come to, in plain text: the sentence that the pull request opens with."""
    # Names as they are: a status, a page and a log each escape in their own way.
    return " ".join(_sentences(_compared(results), str))


class _Compared(NamedTuple):
    """A job's results among all that the leaderboard holds."""

    mine: Sequence[RunRecord]
    """Of the evaluated version: runs that were scored again may be of several."""
    rankings: Sequence[Ranking]
    in_common: Sequence[Ranking]
    """Further rankings, over the cases that several sets share, in which runs of this job stand."""
    shown: Mapping[str, RankedPool]
    """By run id: what each run of this job counts in."""
    previous: str | None
    """The version to compare with."""
    before: Mapping[str, RankedPool]
    """By model, at the previous version."""
    outcomes: Mapping[str, Outcome]
    """By model."""


def _compared(results: Results) -> _Compared:
    mine = [record for record in results.records if record.component_version == results.version]
    others = [record for record in results.records if record.component_version != results.version]
    ids = {record.run_id for record in mine}
    # Looked at again after a kill, the branch that was pushed holds this job's own records already.
    earlier = [one for one in (*known_records(results.earlier), *others) if one.run_id not in ids]
    previous = versions.previous_version(earlier, results.version)
    # Ranked with what is there already: the rank shown is the one that the merged leaderboard has.
    # The ranking over shared cases has the same runs a second time, over fewer cases.
    ranked = rankings([*earlier, *mine])
    found = [one for one in ranked if not one.are_cases_shared]
    in_common = [one for one in ranked if one.are_cases_shared and _rows([one], mine)]
    before: dict[str, RankedPool] = {}
    outcomes: dict[str, Outcome] = {}
    if previous is not None:
        latest = _latest(earlier, previous)
        old = _rows(found, latest.values())
        before = {model: old[record.run_id] for model, record in latest.items() if record.run_id in old}
        outcomes = compare_with(previous, results.version, earlier, mine)
    return _Compared(mine, found, in_common, _rows(found, mine), previous, before, outcomes)


def _body(results: Results, end: str) -> str:
    compared = _compared(results)
    mine, shown, previous, outcomes = compared.mine, compared.shown, compared.previous, compared.outcomes
    rows = sorted_rows(mine, shown, compared.before, outcomes)
    # An empty one at the end: without any run there is no sentence at all.
    first, *changed = *_sentences(compared, _name), ""
    parts = [
        f"**{first}** {changed[0]}".strip() if first else "",
        _opening(results, previous),
        results_table(rows),
        _moved_most(outcomes, previous),
        _listing("Partial runs:", [(one.model, one.reason) for one in results.records if one.reason]),
        _listing("Models left out:", list(results.skipped_models.items())),
        _links(results),
    ]
    details = [
        details_table(rows),
        verdict_list(outcomes, previous or ""),
        *_notes(mine, list(shown.values()), compared.rankings),
        *map(_in_common, compared.in_common),
        *_listings(results),
    ]
    return _fitted([part for part in parts if part], [part for part in details if part], end)


def _sentences(compared: _Compared, name: Callable[[str], str]) -> Iterator[str]:
    """Yield what the ranking with most of these runs says, then what changed; nothing without runs."""
    ids = {record.run_id for record in compared.mine}
    own = [
        (sum(record.run_id in ids for row in ranking.rows for record in row.records), -at)
        for at, ranking in enumerate(compared.rankings)
    ]
    if not ids or not own:
        return
    # Of two that hold as many of these runs the first: it was measured or scored again last.
    _, at = max(own)
    yield ranking_sentence(compared.rankings[-at], name)
    changed = change_sentence(compared.outcomes, name(compared.previous or ""), name)
    if changed:
        yield changed


def _name(text: str) -> str:
    return escape_markdown(text, CELL)


def _moved_most(outcomes: Mapping[str, Outcome], previous: str | None) -> str:
    """Name the fields that moved most, of those models whose change is no accident."""
    moved = [
        (abs(change.after - change.before), outcome.model, change)
        for outcome in outcomes.values()
        if isinstance(outcome, Comparison) and outcome.verdict in {"regression", "improvement"}
        for change in outcome.fields
    ]
    if not moved:
        return ""
    moved.sort(key=lambda one: (-one[0], one[1], one[2].field))
    lines = [
        f"- {_name(change.field)} of {_name(model)}: {share(change.before)} to {share(change.after)}"
        for _, model, change in moved[:MOST_MOVED]
    ]
    return "\n".join([f"What changed most since {_name(previous or '')}:", "", *lines])


def _links(results: Results) -> str:
    """Links to where the figures are shown at length; empty where no such place is known."""
    url = results.options.dashboard_url
    if not url:
        return ""
    # A round bracket in the address would end the link.
    return f"[Dashboard]({quote(url.rstrip('/'), safe=IN_A_LINK)}/components/{quote(results.slug)}.html)"


def _what_changes(results: Results) -> str:
    folders = dict.fromkeys(path.rpartition(f"/{PAGE}")[0] for path in results.reports if path.endswith(PAGE))
    if not folders:
        return "Only the component's leaderboard.json changes."
    named = first_few((escape_markdown(folder, 2 * CELL) for folder in folders), MOST_LISTED)
    return f"The component's leaderboard.json changes, and reports are added: {named}."


def _opening(results: Results, previous: str | None) -> str:
    cases = max((record.cases for record in results.records), default=0)
    what = f"{escape_markdown(results.slug, CELL)} version {escape_markdown(results.version, CELL)}"
    scoring = sorted({str(record.scoring_version) for record in results.records})
    how = f"{counted(cases, 'case')}, {counted(results.replicates, 'replicate')} each"
    how += f", scoring version {', '.join(scoring)}" if scoring else ""
    compared = (
        "nothing earlier to compare with"
        if previous is None
        else f"compared with version {escape_markdown(previous, CELL)}"
    )
    said = f"Evaluated {what} at commit {results.prompt_commit}: {how}; {compared}."
    if results.records and all(record.rescored_from for record in results.records):
        said = f"{_rescored(results.records)} Below is {what}: {how}; {compared}."
    broken = broken_cases_sentence(results.skipped_cases, lambda name: escape_markdown(name, CELL))
    return f"{said}\n\n**{broken}**" if broken else said


def _rescored(records: Sequence[RunRecord]) -> str:
    """Say what was scored again, version by version."""
    counts = Counter(record.component_version for record in records)
    listed = [f"{escape_markdown(version, CELL)} ({count})" for version, count in sorted(counts.items())]
    more = [f"{len(listed) - MOST_LISTED} more"] if len(listed) > MOST_LISTED else []
    which = ", ".join([*listed[:MOST_LISTED], *more])
    return f"Scored again from stored replies, no model was called; runs of versions {which}."


def _rows(found: Sequence[Ranking], records: Iterable[RunRecord]) -> dict[str, RankedPool]:
    """Return for each run the row of the pool that it counts in."""
    ids = {record.run_id for record in records}
    return {
        record.run_id: row
        for ranking in found
        for row in ranking.rows
        for record in row.records
        if record.run_id in ids
    }


def _notes(
    records: Sequence[RunRecord], shown: Sequence[RankedPool], found: Sequence[Ranking]
) -> Iterator[str]:
    if any(record.accuracy.measures == "wording" for record in records):
        yield f"The accuracy of this component measures **{WORDING}**."
    if any(row.ci95 for row in shown):
        yield (
            "Intervals (95 %) are for these cases and endless replicates of them, not for other cases, if "
            "nothing drifts while a run is under way."
        )
    if any(row.rank is not None and row.rank.best != row.rank.worst for row in shown):
        yield (
            "A rank such as 1–2 is a range: the replies do not show which is better. With 95 % chance "
            "no rank is wrong."
        )
    if any(len(row.records) > 1 for row in shown):
        yield "All complete runs of a model that were asked and scored alike count together."
    if any(record.replicates < FEW_REPLICATES for record in records):
        yield f"Below {FEW_REPLICATES} replicates the interval of reproducibility is rough."
    for ranking in found:
        yield from _notes_of(ranking, [row for row in ranking.rows if row in shown])
    if any(record.status == "partial" for record in records):
        yield "A partial run lacks too many replies for its figures to be compared."


def _notes_of(ranking: Ranking, rows: Sequence[RankedPool]) -> Iterator[str]:
    """Say what is to be known of the rows that are shown of a ranking."""
    complete = sum(row.rank is not None for row in ranking.rows)
    if rows and complete > len(rows):
        yield f"Ranks are among the {complete} of this version in the leaderboard."
    of_these = msgspec.structs.replace(ranking, rows=tuple(rows))
    said = [*rightness_notes(of_these), *chance_notes(of_these), *notes_of(of_these)]
    if said:
        # A note names models, and models are named by whoever serves them.
        yield "\n".join(f"- {escape_markdown(note, NOTE)}" for note in said[:MOST_LISTED])


def _in_common(ranking: Ranking) -> str:
    """List the ranks over the cases in common: else those with a case more or less stand beside nobody."""
    what = f"Over the {counted(ranking.cases, 'case')} that all sets of cases of this version have in common:"
    ranked = [
        (row.model, f"{row.rank.text}, accuracy {share(row.accuracy, row.ci95)}")
        for row in ranking.rows
        if row.rank is not None
    ]
    return _listing(what, ranked)


def _listings(results: Results) -> Iterator[str]:
    alike = [
        (record.model, record.identical_note)
        for record in results.records
        if record.identical_note is not None
    ]
    yield _listing("All replies to each case are the same:", alike)
    yield _listing(
        "Cases last validated against an older version:", list(stale_cases(results.records).items())
    )
    yield _listing("Cases left out:", [(item.case, item.reason) for item in results.skipped_cases])


def _listing(heading: str, items: Sequence[tuple[str, str]]) -> str:
    if not items:
        return ""
    lines = [
        f"- {escape_markdown(name, CELL)}: {escape_markdown(said, REASON)}"
        for name, said in items[:MOST_LISTED]
    ]
    if len(items) > MOST_LISTED:
        lines.append(f"- and {len(items) - MOST_LISTED} more")
    return "\n".join([heading, "", *lines])


def _fitted(parts: Sequence[str], details: Sequence[str], end: str) -> str:
    """Join the parts, the details folded; what stands last gives way where GitHub would refuse the whole."""
    shown, folded = list(parts), list(details)
    while len(whole := _joined(shown, folded, end)) > LONGEST and (folded or len(shown) > ALWAYS_SHOWN):
        (folded or shown).pop()
    return whole


def _joined(parts: Sequence[str], details: Sequence[str], end: str) -> str:
    fold = ["<details>\n<summary>Details</summary>", *details, "</details>"] if details else []
    return "\n\n".join([*parts, *fold, end]) + "\n"


def _latest(records: Sequence[RunRecord], version: str) -> dict[str, RunRecord]:
    """The latest complete run of each model at a version, by its newest scoring."""
    found = [
        record
        for record in newest_scoring(records)
        if record.component_version == version and record.status == "complete"
    ]
    # The last of a model stays; ids, which begin with their time, decide between two of one moment.
    return {record.model: record for record in sorted(found, key=lambda r: (r.finished_at, r.run_id))}
