"""Logs the calls that gave no usable reply: without cases and words of answers, which may be confidential."""

from __future__ import annotations

import structlog

from evalcore.evaluate import Observer
from evalcore.plan import JobPlan, RunPlan
from evalcore.reply import Reply
from evalhook.jobs import Job

log = structlog.stdlib.get_logger(__name__)


class CallLog(Observer):
    """An `evalhook.watching.audience.Listener` and its observer in one."""

    def begun(self, job: Job, plan: JobPlan) -> Observer:  # noqa: ARG002 - the interface's
        """Listen to a job's calls."""
        return self

    def ended(self, job: Job) -> None:
        """Do nothing: the worker logs how jobs end."""

    def replied(self, plan: RunPlan, reply: Reply) -> None:
        """Log a failed call; `call_id` is the X-Request-ID that MindRouter was sent."""
        if reply.error is not None:
            log.warning(
                "call_failed",
                job_id=plan.job_id,
                model=plan.model.id,
                call_id=reply.request_id,
                code=reply.error.code,
                attempts=reply.attempts,
            )
