"""Commit-back: run records -> a commit of leaderboard.json -> a branch -> a pull request with labels.

Each step first looks whether it is already done, so that doing them all again after any failure
doubles nothing: the branch's commit carries the job's id, a branch has one pull request, a label is
there or not, and a leaderboard that already holds the records does not change.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from evalcore.errors import RepositoryError
from evalcore.leaderboard import (
    Leaderboard,
    encode_leaderboard,
    leaderboard_of,
    merge_leaderboards,
    parse_leaderboard,
)
from evalcore.plan import JobPlan
from evalcore.record import RunRecord
from evalcore.structs import Frozen
from evalhook import messages
from evalhook.github import GitHub, PullRequest
from evalhook.gitops import Clone, commit_file, message_of, push, read_blob, remote_tip
from evalhook.gitops.errors import BranchMissing, GitFailed, PushOutdated, PushRefused
from evalhook.messages import Results
from evalhook.worker import Published

CommitBack = Literal["pr", "push", "none"]
LABELS = ("eval-results", "automerge")
PUSH_WAITS = (1.0, 4.0)
"""Seconds before a push is tried again whose remote could not be reached."""
MOVED_BRANCH_TRIES = 5


class Delivery(Frozen, frozen=True):
    """What is to be committed back, and under which name; fixed once, so that it can be done again."""

    job_id: str
    slug: str
    branch: str

    @property
    def path(self) -> str:
        """The one file that changes."""
        return f"components/{self.slug}/leaderboard.json"


class Base(NamedTuple):
    """The commit to build on, and the leaderboard it holds."""

    commit: str
    earlier: Leaderboard
    merged: bytes
    """The leaderboard with the new records."""
    is_new: bool
    """Whether the new records change it."""


class Committer:
    """Commits results back; `evalhook.worker.Publisher` is its interface."""

    def __init__(
        self,
        clone: Clone,
        *,
        mode: CommitBack,
        github: GitHub | None = None,
        commit_suffix: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clone = clone
        self._mode = mode
        self._github = github
        self._suffix = commit_suffix
        self._now = now
        self._sleep = sleep

    def publish(
        self, plan: JobPlan, records: Sequence[RunRecord], skipped_models: Mapping[str, str] | None = None
    ) -> Published:
        """Commit the records back and tell where they are.

        Raises RepositoryError, or LeaderboardError where the leaderboard that is there is not valid:
        it is then left as it stands.
        """
        if self._mode == "none":
            return Published(None, None)
        if plan.prompt_commit is None:
            raise GitFailed("the evaluated prompt is of no commit", where=plan.component.slug)
        delivery = self.delivery(plan.job_id, plan.component.slug, plan.prompt_commit)
        results = Results(
            job_id=plan.job_id,
            slug=plan.component.slug,
            version=plan.component.version,
            prompt_commit=plan.prompt_commit,
            replicates=plan.replicates,
            records=records,
            skipped_models=skipped_models or {},
            skipped_cases=plan.skipped_cases,
            earlier=Leaderboard(component=plan.component.slug),
        )
        if self._mode == "push" or self._github is None:
            return self._push_to_default(delivery, results)
        return self._propose(delivery, results, self._github)

    def delivery(self, job_id: str, slug: str, prompt_commit: str) -> Delivery:
        """Name the branch for a job's results."""
        moment = self._now().astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        return Delivery(job_id=job_id, slug=slug, branch=f"eval-results/{slug}-{prompt_commit[:12]}-{moment}")

    def _propose(self, delivery: Delivery, results: Results, github: GitHub) -> Published:
        base = self._base(delivery, results, github)
        if not base.is_new:
            return Published(None, None)
        results = results._replace(earlier=base.earlier)
        self._deliver_branch(delivery, results, base)
        pull_request = self._open(delivery, results, github)
        github.add_labels(pull_request, LABELS)
        return Published(pull_request.url, delivery.branch)

    def _open(self, delivery: Delivery, results: Results, github: GitHub) -> PullRequest:
        title = messages.commit_subject(results, self._suffix)
        body = messages.pull_request_body(results)
        return github.open_pull_request(delivery.branch, self._clone.default_branch, title, body)

    def _base(self, delivery: Delivery, results: Results, github: GitHub) -> Base:
        """Build on the newest open results branch of the component, or else on the default branch.

        Two branches that each add to one list conflict when merged; stacked ones do not.
        """
        self._clone.fetch(self._clone.default_branch)
        tip = self._clone.commit_at(self._clone.tracking)
        for pull_request in github.results_pull_requests(delivery.slug, self._clone.default_branch):
            if pull_request.branch == delivery.branch:
                continue
            try:
                self._clone.fetch(pull_request.branch)
            except BranchMissing:
                continue
            stack = self._clone.commit_at(self._clone.tracking_ref(pull_request.branch))
            if self._is_mergeable(delivery, stack, tip):
                return self._merged(delivery, results, stack)
        return self._merged(delivery, results, tip)

    def _is_mergeable(self, delivery: Delivery, stack: str, tip: str) -> bool:
        """Whether the default branch's leaderboard has not changed since the branch left it."""
        fork = self._clone.git("merge-base", stack, tip).text
        return read_blob(self._clone, fork, delivery.path) == read_blob(self._clone, tip, delivery.path)

    def _merged(self, delivery: Delivery, results: Results, commit: str) -> Base:
        data = read_blob(self._clone, commit, delivery.path)
        earlier = Leaderboard(component=delivery.slug)
        if data is not None:
            earlier = parse_leaderboard(data, f"{delivery.path} at {commit[:12]}")
        mine = leaderboard_of(delivery.slug, results.records)
        merged = merge_leaderboards(earlier, mine)
        known = {run["run_id"] for run in earlier.runs}
        is_new = any(run["run_id"] not in known for run in mine.runs)
        return Base(commit, earlier, encode_leaderboard(merged), is_new)

    def _deliver_branch(self, delivery: Delivery, results: Results, base: Base) -> None:
        """See that the branch with the results is on the remote."""
        if remote_tip(self._clone, delivery.branch) is not None:
            self._require_own(delivery)
            return
        commit = self._commit(delivery, results, base)
        for wait in (*PUSH_WAITS, None):
            try:
                push(self._clone, commit, delivery.branch)
            except RepositoryError as error:
                # The push may have been done though its answer was lost.
                if self._arrived(commit, delivery.branch):
                    return
                if wait is None or not error.retryable:
                    raise
                self._sleep(wait)
            else:
                return

    def _arrived(self, commit: str, branch: str) -> bool:
        try:
            return remote_tip(self._clone, branch) == commit
        except RepositoryError:
            return False  # Unknown: the push's own error says more than this one.

    def _require_own(self, delivery: Delivery) -> None:
        self._clone.fetch(delivery.branch)
        commit = self._clone.commit_at(self._clone.tracking_ref(delivery.branch))
        if not messages.is_commit_of(message_of(self._clone, commit), delivery.job_id):
            what, hint = "the remote has a branch of that name with other contents", "delete it"
            raise PushRefused(what, where=delivery.branch, hint=hint)

    def _commit(self, delivery: Delivery, results: Results, base: Base) -> str:
        message = messages.commit_message(results, self._suffix)
        return commit_file(self._clone, base.commit, delivery.path, base.merged, message)

    def _push_to_default(self, delivery: Delivery, results: Results) -> Published:
        """Push to the default branch; where it has moved, build on where it is now."""
        branch = self._clone.default_branch
        for _ in range(MOVED_BRANCH_TRIES):
            self._clone.fetch(branch)
            base = self._merged(delivery, results, self._clone.commit_at(self._clone.tracking))
            if not base.is_new:
                return Published(None, branch)
            commit = self._commit(delivery, results, base)
            try:
                push(self._clone, commit, branch)
            except PushOutdated:
                continue
            except RepositoryError:
                if not self._arrived(commit, branch):
                    raise
            return Published(None, branch)
        what = f"the branch moved {MOVED_BRANCH_TRIES} times while results were pushed to it"
        raise PushOutdated(
            what, where=branch, hint="ask for the evaluation again, or use EVALHOOK_COMMIT_BACK=pr"
        )
