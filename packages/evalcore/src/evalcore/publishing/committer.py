"""Commit-back: run records -> a commit of leaderboard.json -> a branch -> a pull request with labels.

With reports on, the commit also adds those of the runs (`changes` has what a results branch may hold).

Each step first looks whether it is already done, so that doing them all again after any failure
doubles nothing: the branch's name is stored before it is pushed, its commit carries the job's id, a branch
has one pull request, a label is there or not, and a leaderboard that already holds the records does not
change. Nothing is tried twice here: whoever calls decides that (in the service,
evalhook.worker.publish_retries).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

import msgspec
import structlog

from evalcore.errors import EvaluatorError, LeaderboardError
from evalcore.git.clone import Clone
from evalcore.git.commits import EVALUATOR, commit_files, fork_of, push, remote_tip
from evalcore.git.errors import GitFailed, PushOutdated, PushRefused, RemoteUnreachable
from evalcore.git.objects import message_of, read_blob
from evalcore.github.client import GitHub, PullRequest
from evalcore.publishing import messages
from evalcore.publishing.changes import (
    ForeignChange,
    keeps_all_records,
    leaderboard_path,
    new_reports,
    read_leaderboard,
    require_only_results,
)
from evalcore.publishing.messages import Results
from evalcore.publishing.outbox import CommitBack, Outbox, Published, Regression
from evalcore.publishing.pull_request import PullRequestOptions, results_sentence
from evalcore.publishing.regressions import describe, regressions
from evalcore.runs.leaderboard import (
    Leaderboard,
    encode_leaderboard,
    known_records,
    leaderboard_of,
    merge_leaderboards,
)
from evalcore.runs.plan import JobPlan
from evalcore.runs.record import RunRecord
from evalcore.structs import Frozen

log = structlog.stdlib.get_logger(__name__)
RESULTS_LABEL = "eval-results"
AUTO_MERGE_LABEL = "automerge"
MOVED_BRANCH_TRIES = 5
OTHER_NAME = "it is left alone: the next try takes another name"
NAMES = 60
"""How many names are looked at until one is free; they differ by a second."""
EMPTY = Outbox()
Save = Callable[[Outbox], None]


class Delivery(Frozen, frozen=True):
    """What is to be committed back, and under which name; fixed once, so that it can be done again."""

    job_id: str
    slug: str
    branch: str

    @property
    def path(self) -> str:
        """The file that changes."""
        return leaderboard_path(self.slug)


class Base(NamedTuple):
    """The commit to build on, and what is put there."""

    commit: str
    merged: bytes
    """The leaderboard with the new records."""
    is_new: bool
    """Whether the new records change it."""


class Committer:
    """Commits results back; in the service it is the `Publisher` of evalhook.worker.publish_retries."""

    def __init__(
        self,
        clone: Clone,
        *,
        mode: CommitBack,
        github: GitHub | None,
        options: PullRequestOptions,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._clone = clone
        self._mode = mode
        self._github = github
        self._options = options
        self._now = now

    def publish(
        self,
        plan: JobPlan,
        records: Sequence[RunRecord],
        skipped_models: Mapping[str, str] | None = None,
        outbox: Outbox = EMPTY,
        save: Save = lambda outbox: None,  # noqa: ARG005 - nothing is stored by default
        reports: Mapping[str, bytes] = MappingProxyType({}),
    ) -> Published:
        """Commit the records back, from where `outbox` says that it is, and return where they are.

        `save` stores each step before the next is begun. `reports` are files of the runs' reports by their
        paths in the repository: those are added that are not there.

        Raises RepositoryError, or LeaderboardError where the leaderboard that is there is not valid:
        it is then left as it stands.
        """
        if self._mode == "none":
            return Published(None, None)
        if plan.prompt_commit is None:
            raise GitFailed("the evaluated prompt is of no commit", where=plan.component.slug)
        # What was there before is read later, of the commit that is built on.
        results = results_of(plan, records, skipped_models or {}, Leaderboard(component=plan.component.slug))
        results = results._replace(options=self._options, reports=reports)
        if self._mode == "push" or self._github is None:
            delivery = Delivery(plan.job_id, plan.component.slug, self._clone.default_branch)
            return self._push_to_default(delivery, results, outbox, save)
        return self._propose(results, self._github, outbox, save)

    def _propose(self, results: Results, github: GitHub, outbox: Outbox, save: Save) -> Published:
        """Do the steps that are not done, storing each."""
        if (
            # Until it has its pull request somebody else may take the name, between two tries of this job as
            # well.
            outbox.branch is not None
            and outbox.pull_request_url is None
            and self._is_taken(outbox.branch, results, github)
        ):
            outbox = msgspec.structs.replace(outbox, branch=None, is_pushed=False)
        # Stored before anything is pushed: after a kill the same branch is looked for, and no second made.
        if outbox.branch is None:
            branch = self._free_name(results, github)
            if not self._base(Delivery(results.job_id, results.slug, branch), results, github).is_new:
                return Published(None, None)  # somebody else has committed these very records
            outbox = _saved(save, msgspec.structs.replace(outbox, branch=branch))
        delivery = Delivery(results.job_id, results.slug, outbox.branch or "")
        # Noted after the push: a kill between the two pushes again, which finds the branch there.
        if not outbox.is_pushed:
            if not self._push(delivery, results, github):
                return self._settled(delivery, results, github)
            outbox = _saved(save, msgspec.structs.replace(outbox, is_pushed=True))
        if outbox.is_labelled:
            return _published(outbox, delivery.branch)
        pull_request = self._open(delivery, results, github)
        if outbox.pull_request_url is None:
            outbox = _saved(save, msgspec.structs.replace(outbox, pull_request_url=pull_request.url))
        regression, is_held, sentence = self._judged(delivery, results, pull_request)
        if (regression, sentence) != (outbox.regression, outbox.sentence):
            outbox = _saved(save, msgspec.structs.replace(outbox, regression=regression, sentence=sentence))
        self._label(pull_request, github, is_held=is_held)
        outbox = _saved(save, msgspec.structs.replace(outbox, is_labelled=True))
        return _published(outbox, delivery.branch)

    def _label(self, pull_request: PullRequest, github: GitHub, *, is_held: bool) -> None:
        """Have the pull request merged by itself, unless a person is to look at it first."""
        labels = [RESULTS_LABEL]
        is_automatic = self._options.auto_merge and pull_request.is_open and not is_held
        # The label asks the repository's own workflow to merge, for where GitHub's auto-merge cannot be had.
        if not is_held and not (is_automatic and github.enable_auto_merge(pull_request)):
            labels.append(AUTO_MERGE_LABEL)
        github.add_labels(pull_request, labels)

    def _judged(
        self, delivery: Delivery, results: Results, pull_request: PullRequest
    ) -> tuple[Regression | None, bool, str]:
        """Say which of these results are regressions, whether merging brings any, and what all come to."""
        default = self._fetched(self._clone.default_branch)
        # The branch of one that is closed may be gone.
        tip = self._fetched(delivery.branch) if pull_request.is_open else default
        there, before = (read_leaderboard(self._clone, delivery.slug, commit) for commit in (tip, default))
        known = {run.get("run_id") for run in before.runs}
        brought = [record for record in known_records(there) if record.run_id not in known]
        regression = self._regression(results, there)
        # Results that stand on others bring those too: no regression among them is to be merged unseen.
        is_held = regression is not None or bool(regressions(before, brought))
        return regression, is_held, results_sentence(results._replace(earlier=there))

    @staticmethod
    def _regression(results: Results, board: Leaderboard) -> Regression | None:
        return describe(regressions(board, results.records))

    def _free_name(self, results: Results, github: GitHub) -> str:
        """Name the branch: one that the remote lacks, or that holds this job's own commit."""
        moment = self._now().astimezone(UTC)
        for later in range(NAMES):
            written = (moment + timedelta(seconds=later)).strftime("%Y%m%dT%H%M%SZ")
            branch = f"eval-results/{results.slug}-{results.prompt_commit[:12]}-{written}"
            if not self._is_taken(branch, results, github):
                return branch
        # The names are of the clock: only somebody who makes branches on purpose can have taken them all.
        what, hint = "the remote has branches of every such name", "delete those that are not needed"
        raise PushRefused(what, where=f"eval-results/{results.slug}-*", hint=hint)

    def _open(self, delivery: Delivery, results: Results, github: GitHub) -> PullRequest:
        default = self._clone.default_branch
        pull_request = github.pull_request_of(delivery.branch, default)
        if pull_request is None:
            tip = self._fetched(delivery.branch)
            # Looked at once more: what somebody pushed in the moment after ours would be in our pull request.
            self._require_ours(results, tip)
            # Of the commit's parent: the body is the same whenever it is written, whatever was merged
            # meanwhile.
            earlier = read_leaderboard(self._clone, results.slug, self._clone.commit_at(f"{tip}^"))
            results = results._replace(earlier=earlier)
            title = messages.commit_subject(results)
            body = messages.pull_request_body(results)
            pull_request = github.open_pull_request(delivery.branch, default, title, body)
        if not pull_request.is_ours:
            what = "another account has opened a pull request of this branch"
            raise ForeignChange(what, where=pull_request.url, hint=OTHER_NAME)
        return pull_request

    def _require_ours(self, results: Results, tip: str) -> None:
        """Check that a branch is as we pushed it: this job's commit, with its records, and nothing else."""
        if not messages.is_commit_of(message_of(self._clone.path, tip), results.job_id):
            raise ForeignChange("it is no commit of this job", where=f"commit {tip[:12]}", hint=OTHER_NAME)
        # Fetched anew: what was merged meanwhile is no change of this branch any more.
        default = self._fetched(self._clone.default_branch)
        self._require_only_results(results.slug, default, tip)
        pushed = read_leaderboard(self._clone, results.slug, tip)
        fork = read_leaderboard(self._clone, results.slug, fork_of(self._clone, default, tip) or default)
        mine = leaderboard_of(results.slug, results.records)
        if not (keeps_all_records(mine, pushed) and keeps_all_records(fork, pushed)):
            raise ForeignChange("it lacks records", where=f"commit {tip[:12]}", hint=OTHER_NAME)

    def _settled(self, delivery: Delivery, results: Results, github: GitHub) -> Published:
        """Return where records went that the default branch holds by now, the branch being gone."""
        merged = github.pull_request_of(delivery.branch, self._clone.default_branch)
        if merged is None or not merged.is_ours:
            return Published(None, None)
        board = read_leaderboard(self._clone, delivery.slug, self._fetched(self._clone.default_branch))
        return Published(
            merged.url,
            delivery.branch,
            regression=self._regression(results, board),
            sentence=results_sentence(results._replace(earlier=board)),
        )

    def _base(self, delivery: Delivery, results: Results, github: GitHub) -> Base:
        """Build on the newest open results branch of the component, or else on the default branch.

        Two branches that each add to one list conflict when merged; stacked ones do not.
        """
        tip = self._fetched(self._clone.default_branch)
        for pull_request in github.results_pull_requests(delivery.slug, self._clone.default_branch):
            if pull_request.branch == delivery.branch:
                continue
            try:
                return self._stacked(delivery, results, pull_request.branch, tip)
            # A branch that cannot be fetched now may be sound: building beside it would make the two
            # conflict.
            except RemoteUnreachable:
                raise
            except EvaluatorError as error:
                # Whatever is the matter with it: it is somebody's branch, and not needed.
                log.warning("results_not_built_on", branch=pull_request.branch, reason=error.line)
        return self._merged(delivery, results, tip)

    def _stacked(self, delivery: Delivery, results: Results, branch: str, tip: str) -> Base:
        """Build on an open results branch; raises EvaluatorError where that may not or cannot be done."""
        stack = self._fetched(branch)
        where = f"commit {stack[:12]}"
        self._require_only_results(delivery.slug, tip, stack)
        fork = fork_of(self._clone, stack, tip) or tip
        # Its list and the default branch's have both grown: until it is refreshed, ours would conflict too.
        then, now = (read_blob(self._clone.path, commit, delivery.path) for commit in (fork, tip))
        if then != now:
            raise PushOutdated("the default branch's leaderboard has changed since it was made", where=where)
        default = read_leaderboard(self._clone, delivery.slug, tip)
        if not keeps_all_records(default, read_leaderboard(self._clone, delivery.slug, stack)):
            raise ForeignChange("it lacks records of the default branch", where=where)
        return self._merged(delivery, results, stack)

    def _merged(self, delivery: Delivery, results: Results, commit: str) -> Base:
        earlier = read_leaderboard(self._clone, delivery.slug, commit)
        mine = leaderboard_of(delivery.slug, results.records)
        merged = merge_leaderboards(earlier, mine)
        known = {run["run_id"] for run in earlier.runs}
        is_new = any(run["run_id"] not in known for run in mine.runs)
        return Base(commit, encode_leaderboard(merged), is_new)

    def _push(self, delivery: Delivery, results: Results, github: GitHub) -> bool:
        """See that the branch is on the remote; False where the default branch holds the records already."""
        if remote_tip(self._clone, delivery.branch) is not None:
            return True  # its name was not another's a moment ago
        base = self._base(delivery, results, github)
        if not base.is_new:
            return False
        push(self._clone, self._commit(delivery, results, base), delivery.branch)
        return True

    def _is_taken(self, branch: str, results: Results, github: GitHub) -> bool:
        """Whether the remote has a branch of that name that is not as this job pushed it, or another's."""
        if remote_tip(self._clone, branch) is None:
            return False
        try:
            self._require_ours(results, self._fetched(branch))
        except (ForeignChange, LeaderboardError) as error:
            log.warning("branch_name_taken", branch=branch, reason=error.line)
            return True
        known = github.pull_request_of(branch, self._clone.default_branch)
        return known is not None and not known.is_ours

    def _fetched(self, branch: str) -> str:
        self._clone.fetch(branch)
        return self._clone.commit_at(self._clone.tracking_ref(branch))

    def _commit(self, delivery: Delivery, results: Results, base: Base) -> str:
        message = messages.commit_message(results)
        author = (self._github and self._github.identity()) or EVALUATOR
        reports = new_reports(self._clone, base.commit, results.reports)
        if len(reports) < len(results.reports):
            log.warning(
                "reports_not_added", job_id=delivery.job_id, files=len(results.reports) - len(reports)
            )
        files = {delivery.path: base.merged, **reports}
        return commit_files(self._clone, base.commit, files, message, author)

    def _require_only_results(self, slug: str, default: str, tip: str) -> None:
        has_reports = self._options.publish_reports
        require_only_results(self._clone, slug, default, tip, has_reports=has_reports)

    def _push_to_default(self, delivery: Delivery, results: Results, outbox: Outbox, save: Save) -> Published:
        """Push to the default branch; where it has moved, build on where it is now."""
        branch = self._clone.default_branch
        for _ in range(MOVED_BRANCH_TRIES):
            tip = self._fetched(branch)
            base = self._merged(delivery, results, tip)
            there = read_leaderboard(self._clone, delivery.slug, tip)
            regression, sentence = (
                self._regression(results, there),
                results_sentence(results._replace(earlier=there)),
            )
            if (regression, sentence) != (outbox.regression, outbox.sentence):
                outbox = _saved(
                    save, msgspec.structs.replace(outbox, regression=regression, sentence=sentence)
                )
            if base.is_new:
                commit = self._commit(delivery, results, base)
                try:
                    # Never by force: whoever pushed in between keeps their commit, and ours is remade on it.
                    push(self._clone, commit, branch)
                except PushOutdated:
                    continue
            return _published(outbox, branch)
        what = f"the branch moved {MOVED_BRANCH_TRIES} times while results were pushed to it"
        raise PushOutdated(what, where=branch, hint=f"use {self._clone.names.commit_back}")


def results_of(
    plan: JobPlan, records: Sequence[RunRecord], skipped_models: Mapping[str, str], earlier: Leaderboard
) -> Results:
    """Gather what is shown of a job; `earlier` is what the leaderboard held before."""
    return Results(
        job_id=plan.job_id,
        slug=plan.component.slug,
        version=plan.component.version,
        prompt_commit=plan.prompt_commit or "",
        replicates=plan.replicates,
        records=records,
        skipped_models=skipped_models,
        skipped_cases=plan.skipped_cases,
        earlier=earlier,
    )


def _published(outbox: Outbox, branch: str) -> Published:
    return Published(outbox.pull_request_url, branch, regression=outbox.regression, sentence=outbox.sentence)


def _saved(save: Save, outbox: Outbox) -> Outbox:
    save(outbox)
    return outbox
