"""Open results that no longer merge: the default branch is merged into them, records united by run id.

Only where the component's leaderboard is the one thing that conflicts; anything else is for people. It
works on references of its own, so that it may run beside a job that uses the same clone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import structlog

from evalcore.errors import EvaluatorError
from evalcore.git.clone import FETCH_TIMEOUT, Clone
from evalcore.git.commits import EVALUATOR, commit_merge, push, try_merge
from evalcore.github.client import GitHub, slug_of
from evalcore.publishing import messages
from evalcore.publishing.changes import leaderboard_path, read_leaderboard, require_only_results
from evalcore.runs.leaderboard import encode_leaderboard, merge_leaderboards

REFERENCES = "refs/evalhook/refresh"
log = structlog.stdlib.get_logger(__name__)


class Refreshed(NamedTuple):
    """The tip of a branch before and after it got a merge commit."""

    before: str
    after: str


class Refresher:
    """Looks at the open results pull requests of one repository."""

    def __init__(self, clone: Clone, github: GitHub, *, has_reports: bool) -> None:
        """`has_reports` says whether open results may carry reports of their runs."""
        self._clone = clone
        self._github = github
        self._has_reports = has_reports

    def refresh(self) -> Sequence[str]:
        """Bring up to date what conflicts; returns the branches that got a merge commit.

        One that cannot be helped is logged and does not keep the others. Raises RepositoryError where
        nothing can be looked at.
        """
        pulls = self._github.open_results(self._clone.default_branch)
        if not pulls:
            return []
        default = self._fetched(self._clone.default_branch)
        refreshed: dict[str, Refreshed] = {}
        # The oldest first: the others may stand on it.
        for pull in reversed(pulls):
            try:
                done = self._settle(pull.branch, default, tuple(refreshed.values()))
            except EvaluatorError as error:
                log.warning("results_not_refreshed", branch=pull.branch, reason=error.line)
                continue
            if done is not None:
                refreshed[pull.branch] = done
        return list(refreshed)

    def _settle(self, branch: str, default: str, below: Sequence[Refreshed]) -> Refreshed | None:
        slug = slug_of(branch)
        ours = self._fetched(branch)
        if slug is None or not try_merge(self._clone, ours, default).conflicts:
            return None
        # What stood on refreshed results stands on them again: side by side they would conflict.
        theirs = next(
            (each.after for each in reversed(below) if self._clone.is_ancestor(each.before, ours)), default
        )
        # Looked at before anything is merged: our commit on top would vouch for what lies below it.
        require_only_results(self._clone, slug, default, ours, has_reports=self._has_reports)
        merge = try_merge(self._clone, ours, theirs)
        earlier, later = (read_leaderboard(self._clone, slug, commit) for commit in (ours, theirs))
        data = encode_leaderboard(merge_leaderboards(earlier, later))
        message = messages.merge_message(slug, self._clone.default_branch)
        author, path = self._github.identity() or EVALUATOR, leaderboard_path(slug)
        commit = commit_merge(self._clone, merge, path, data, (ours, theirs), message, author)
        push(self._clone, commit, branch)
        log.info("results_refreshed", branch=branch, commit=commit)
        return Refreshed(ours, commit)

    def _fetched(self, branch: str) -> str:
        # Not refs/remotes/origin, which a job reads and fetches at the same time.
        reference = f"{REFERENCES}/{branch}"
        arguments = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head")
        refspec = f"+refs/heads/{branch}:{reference}"
        outcome = self._clone.remote(
            *arguments, "--", self._clone.remote_url(), refspec, timeout=FETCH_TIMEOUT
        )
        if outcome.status != 0:
            raise self._clone.meaning_of(outcome, "fetch")
        return self._clone.commit_at(reference)
