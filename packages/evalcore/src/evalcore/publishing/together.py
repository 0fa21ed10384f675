"""Results of many components in one pull request, for a person to merge.

A component's own pull requests are built on each other and merged by themselves (`committer`); this one
stands beside them: one commit on the default branch with every leaderboard, on a branch whose name tells
which records it brings, so that publishing them again finds it.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Final, NamedTuple

from evalcore.formats.counts import counted
from evalcore.formats.markdown_text import CELL, REASON, escape_markdown
from evalcore.formats.strict_json import sha256_hex
from evalcore.git.clone import Clone
from evalcore.git.commits import EVALUATOR, commit_files, push, remote_tip
from evalcore.git.errors import PushRefused
from evalcore.git.objects import message_of
from evalcore.github.client import GitHub
from evalcore.publishing.changes import ForeignChange, leaderboard_path, read_leaderboard
from evalcore.publishing.committer import RESULTS_LABEL, results_of
from evalcore.publishing.outbox import Published, Regression
from evalcore.publishing.pull_request import LONGEST, Results, pull_request_body, results_sentence
from evalcore.publishing.regressions import describe, regressions
from evalcore.runs.leaderboard import encode_leaderboard, leaderboard_of, merge_leaderboards
from evalcore.runs.plan import JobPlan
from evalcore.runs.record import RunRecord

BRANCHES: Final = "eval-campaigns"
"""What branches begin with; not as those of one component, on which further results are built."""
TRAILER: Final = "Evaluator-Records"


class ComponentResults(NamedTuple):
    """The results of one component."""

    plan: JobPlan
    records: Sequence[RunRecord]


class PublishedTogether(NamedTuple):
    """Where the results of several components are, and which of them got worse."""

    published: Published
    regressions: Sequence[Regression | None]
    """Of each part, in their order."""


def publish_together(
    clone: Clone, github: GitHub, name: str, parts: Sequence[ComponentResults]
) -> PublishedTogether:
    """Propose the results of several components under a name; the same records once.

    Raises RepositoryError, or LeaderboardError where a leaderboard that is there is not valid.
    """
    clone.fetch(clone.default_branch)
    tip = clone.commit_at(clone.tracking_ref(clone.default_branch))
    results = [_results(clone, part, tip) for part in _by_component(parts)]
    new = [one for one in results if one is not None]
    if not new:
        return PublishedTogether(Published(None, None), [None] * len(parts))
    digest = sha256_hex("\n".join(sorted(_ids(new))).encode())
    branch = f"{BRANCHES}/{name}-{digest[:12]}"
    subject = f"eval({name}): {counted(len(_ids(new)), 'run')} of {counted(len(new), 'component')}"
    there = remote_tip(clone, branch)
    if there is None:
        files = {leaderboard_path(one.slug): _merged(one) for one in new}
        message = f"{subject}\n\n{TRAILER}: {digest}\n"
        push(clone, commit_files(clone, tip, files, message, github.identity() or EVALUATOR), branch)
    else:
        _require_ours(clone, branch, digest)
    pull_request = github.pull_request_of(branch, clone.default_branch)
    if pull_request is None:
        pull_request = github.open_pull_request(branch, clone.default_branch, subject, _body(name, new))
    if not pull_request.is_ours:
        hint = "close it, and publish again"
        raise ForeignChange("another account has opened it", where=pull_request.url, hint=hint)
    github.add_labels(pull_request, [RESULTS_LABEL])
    published = Published(pull_request.url, branch, sentence=_summary(name, new))
    return PublishedTogether(published, _regressions(parts, new))


def _regressions(parts: Sequence[ComponentResults], new: Sequence[Results]) -> list[Regression | None]:
    """Say of each part which of its models got worse, beside all that is known of the component."""
    found = {one.slug: regressions(one.earlier, one.records) for one in new}
    return [
        describe(
            [
                each
                for each in found.get(plan.component.slug, ())
                if each.after.version == plan.component.version
            ]
        )
        for plan, _ in parts
    ]


def _by_component(parts: Sequence[ComponentResults]) -> list[ComponentResults]:
    """Put the parts of one component together, which workers evaluated at different commits."""
    found: dict[str, ComponentResults] = {}
    for part in parts:
        slug = part.plan.component.slug
        known = found.get(slug)
        found[slug] = part if known is None else ComponentResults(known.plan, (*known.records, *part.records))
    return list(found.values())


def _results(clone: Clone, part: ComponentResults, tip: str) -> Results | None:
    """Return what a component's part brings; None where the default branch holds all of it."""
    slug = part.plan.component.slug
    earlier = read_leaderboard(clone, slug, tip)
    known = {run.get("run_id") for run in earlier.runs}
    records = [record for record in part.records if record.run_id not in known]
    return results_of(part.plan, records, {}, earlier) if records else None


def _merged(results: Results) -> bytes:
    mine = leaderboard_of(results.slug, results.records)
    return encode_leaderboard(merge_leaderboards(results.earlier, mine))


def _require_ours(clone: Clone, branch: str, digest: str) -> None:
    clone.fetch(branch)
    tip = clone.commit_at(clone.tracking_ref(branch))
    if f"{TRAILER}: {digest}" not in message_of(clone.path, tip).splitlines():
        hint = "delete it, and publish again"
        raise PushRefused("the branch holds something else than these records", where=branch, hint=hint)


def _ids(results: Sequence[Results]) -> list[str]:
    return [record.run_id for one in results for record in one.records]


def _summary(name: str, results: Sequence[Results]) -> str:
    return f"{name}: {counted(len(_ids(results)), 'run')} of {counted(len(results), 'component')}"


def _named(results: Results) -> str:
    return f"{results.slug} {results.version}"


def _body(name: str, results: Sequence[Results]) -> str:
    """Write a sentence for each component, and its whole results folded below, as far as there is room."""
    lines = [f"**{escape_markdown(_summary(name, results), CELL)}**", ""]
    lines += [
        f"- {escape_markdown(_named(one), CELL)}: {escape_markdown(results_sentence(one), REASON)}"
        for one in results
    ]
    body = "\n".join(lines)
    for one in results:
        # As HTML: inside of it GitHub reads no Markdown.
        title = html.escape(_named(one)[:CELL])
        folded = f"\n\n<details><summary>{title}</summary>\n\n{pull_request_body(one)}\n\n</details>"
        if len(body) + len(folded) > LONGEST:
            return f"{body[:LONGEST]}\n\nThe other components' tables are left out here."
        body += folded
    return body
