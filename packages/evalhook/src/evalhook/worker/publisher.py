"""Commits a job's results back to the prompt library."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import structlog

from evalcore.errors import EvaluatorError
from evalcore.evaluation.report_process import reports_of_job
from evalcore.git.clone import Clone
from evalcore.git.errors import CloneCorrupt, CloneMissing
from evalcore.publishing.changes import read_leaderboard
from evalcore.publishing.committer import Committer, results_of
from evalcore.publishing.outbox import Outbox, Published
from evalcore.publishing.pull_request import figures_comment
from evalcore.publishing.regressions import describe, regressions
from evalcore.runs.case_privacy import CasePrivacy
from evalcore.runs.plan import JobPlan
from evalcore.runs.record import RunRecord

log = structlog.stdlib.get_logger(__name__)


class ResultsPublisher:
    """Commits the results of the default branch's own commits back; a `worker.publish_retries.Publisher`.

    `privacy` is called for each publication and raises StorageError where the key of the hashed names
    cannot be used: the publication is then tried again.
    """

    def __init__(
        self,
        clone: Clone,
        committer: Committer,
        privacy: Callable[[], CasePrivacy],
        *,
        reports_from: Path | None,
    ) -> None:
        """`reports_from` is the folder of runs whose reports are published; None where none are."""
        self._clone = clone
        self._committer = committer
        self._privacy = privacy
        self._reports_from = reports_from

    def publish(
        self,
        plan: JobPlan,
        records: Sequence[RunRecord],
        skipped_models: Mapping[str, str],
        outbox: Outbox,
        save: Callable[[Outbox], None],
    ) -> Published:
        """Commit the records back; see `evalcore.publishing.committer`."""
        # First of all: what follows writes to git, GitHub and logs, and none of them may see a private name.
        privacy, own_plan, own = self._privacy(), plan, records
        plan, records = privacy.published(plan, records)
        try:
            # Asked here as well: with EVALHOOK_ALLOW_ANY_COMMIT the intake took commits of any branch.
            refusal = self._refusal(plan)
            if refusal is not None:
                log.warning("not_committed_back", job_id=plan.job_id, reason=refusal)
                save(self._shown(plan, records, skipped_models, outbox))
                return Published(None, None, refusal)
            reports = self._reports(own_plan, own, privacy)
            return self._committer.publish(plan, records, skipped_models, outbox, save, reports)
        except (CloneMissing, CloneCorrupt):
            self._clone.rebuild()  # for the next try
            raise

    def _reports(
        self, plan: JobPlan, records: Sequence[RunRecord], privacy: CasePrivacy
    ) -> Mapping[str, bytes]:
        """Make the reports of a job's runs; those scored again have one already."""
        first = [record for record in records if record.rescored_from is None]
        if self._reports_from is None or not first:
            return {}
        try:
            return reports_of_job(self._reports_from, plan, first, privacy)
        except EvaluatorError as error:
            # Whatever is the matter with a report, the figures are published.
            log.warning("reports_not_made", job_id=plan.job_id, code=error.code, reason=error.line)
            return {}

    def _shown(
        self,
        plan: JobPlan,
        records: Sequence[RunRecord],
        skipped_models: Mapping[str, str],
        outbox: Outbox,
    ) -> Outbox:
        """Note what is shown on the pull request that the commit is the head of."""
        slug = plan.component.slug
        board = read_leaderboard(self._clone, slug, self._clone.commit_at(self._clone.tracking))
        return msgspec.structs.replace(
            outbox,
            figures=figures_comment(results_of(plan, records, skipped_models, board)),
            regression=describe(regressions(board, records)),
        )

    def _refusal(self, plan: JobPlan) -> str | None:
        """Say why a job's results may not be committed; None where they may."""
        if plan.prompt_commit is None or self._clone.holds(plan.prompt_commit):
            return None
        branch = self._clone.default_branch
        return f"not committed back: {branch} does not hold commit {plan.prompt_commit[:12]}"


class NoPublisher:
    """Publishes nothing: with EVALHOOK_COMMIT_BACK=none, results stay in the state directory."""

    def publish(
        self,
        plan: JobPlan,  # noqa: ARG002 - as worker.publish_retries.Publisher
        records: Sequence[RunRecord],  # noqa: ARG002
        skipped_models: Mapping[str, str],  # noqa: ARG002
        outbox: Outbox,  # noqa: ARG002
        save: Callable[[Outbox], None],  # noqa: ARG002
    ) -> Published:
        """Return that nothing was committed."""
        return Published(None, None)
