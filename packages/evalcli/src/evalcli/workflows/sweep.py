"""The sweep: what a prompt library lacks is asked for, of the service and of the cloud workflow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from evalcli.workflows.due import (
    MOST_ATTEMPTS,
    ComponentState,
    Outcome,
    Swept,
    Where,
    asked_lately,
    attempts,
    missing_models,
    not_served,
    running_job,
)
from evalcli.workflows.library_state import LibraryState
from evalcli.workflows.service import (
    URL,
    JobState,
    ServiceClient,
    ServiceRefused,
    ServiceRequest,
    ServiceUnreachable,
)
from evalcli.workflows.slot import Answered, ask_each
from evalcore.errors import RepositoryError
from evalcore.github.client import GitHub

CLOUD_WORKFLOW: Final = "evaluate-cloud.yml"
FAILED_ENOUGH: Final = f"failed {MOST_ATTEMPTS} times: it is tried again once it changes"
NOT_SERVED: Final = "MindRouter did not serve it; it is asked for again a week later"
ASKED_LATELY: Final = "asked for within a week"


class Clock(NamedTuple):
    """The time, and waiting."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]


class Jobs(NamedTuple):
    """The newest jobs of the service, the newest first, or why they are not known."""

    known: tuple[JobState, ...] = ()
    unknown: str | None = None

    def commits_by_component(self) -> dict[str, frozenset[str]]:
        """Return the commits at which each component was evaluated."""
        found: dict[str, set[str]] = {}
        for job in self.known:
            found.setdefault(job.skill_name, set()).add(job.prompt_commit)
        return {slug: frozenset(commits) for slug, commits in found.items()}


def newest_jobs(service: ServiceClient | None) -> Jobs:
    """Ask the service for its newest jobs; one that does not say is no error."""
    if service is None:
        return Jobs(unknown=f"{URL} is not set, so there is no service to ask")
    try:
        return Jobs(service.jobs())
    except (ServiceRefused, ServiceUnreachable) as error:
        return Jobs(unknown=error.line)


class Sweep:
    """One sweep over a library; `show` gets a line for each thing that is done."""

    def __init__(
        self,
        library: LibraryState,
        jobs: Jobs,
        github: GitHub,
        service: ServiceClient | None,
        clock: Clock,
        show: Callable[[str], None],
    ) -> None:
        self._library = library
        self._jobs = jobs.known
        self._unknown = jobs.unknown
        self._github = github
        self._service = service
        self._clock = clock
        self._show = show

    def run(self, *, missing_models: bool) -> list[Swept]:
        """Ask for all that is lacking, and return what became of each."""
        library = self._library
        broken = [one for one in library.components if one.unreadable is not None]
        readable = [one for one in library.components if one.unreadable is None]
        # A push whose request met a busy service, or none, is asked for by nobody else.
        due = [one for one in readable if one.is_due()]
        found = [_swept(one, "local", "left", reason=one.unreadable) for one in broken]
        # The cloud's first: a workflow is started in a second, and the slot may be waited for an hour.
        if library.cloud_models:
            found += [self._start_cloud(one) for one in due]
        asked: list[tuple[ComponentState, ServiceRequest]] = []
        for state in due if library.local_models else ():
            known = self._known(state)
            if known is not None:
                found.append(known)
            else:
                # The commit that was read, not the tip of the moment in which the slot comes free: that one
                # was decided on.
                asked.append((state, ServiceRequest(state.slug, git_sha=library.commit)))
        for state in readable if missing_models else ():
            lacking, kept_back = self._missing(state)
            found += kept_back
            if lacking:
                asked.append((state, ServiceRequest(state.slug, git_sha=library.commit, models=lacking)))
        answers = self._ask([request for _, request in asked])
        found += [_answered(state, answer) for (state, _), answer in zip(asked, answers, strict=True)]
        return sorted(found, key=lambda one: (one.component, one.where, one.models))

    def _start_cloud(self, state: ComponentState) -> Swept:
        """Start the cloud workflow for one component; what it gives is seen by the next sweep."""
        if len(state.failed_jobs("cloud")) >= MOST_ATTEMPTS:
            return _swept(state, "cloud", "left", reason=FAILED_ENOUGH)
        inputs = {"skill_name": state.slug, "git_sha": self._library.commit}
        try:
            self._github.start_workflow(CLOUD_WORKFLOW, self._library.branch, inputs)
        except RepositoryError as error:
            return _swept(state, "cloud", "left", reason=error.what)
        self._show(f"{state.slug}: {CLOUD_WORKFLOW} is started")
        return _swept(state, "cloud", "triggered")

    def _known(self, state: ComponentState) -> Swept | None:
        """Return what is to be said of a component that is not asked for; None for one that is."""
        job = running_job(state.slug, self._jobs)
        if job is not None:
            return _swept(state, "local", "running", job_id=job.job_id)
        # By contents, not by version: a case that was corrected is worth three new attempts.
        same = self._library.same_commits[state.slug]
        if len(attempts(state, self._jobs, same)) >= MOST_ATTEMPTS:
            return _swept(state, "local", "left", reason=FAILED_ENOUGH)
        return None

    def _missing(self, state: ComponentState) -> tuple[tuple[str, ...], list[Swept]]:
        """Return the models to ask for, and what is to be said of those that were asked for lately."""
        lacking = missing_models(state, self._library.local_models)
        if not lacking:
            return (), []
        job = running_job(state.slug, self._jobs)
        if job is not None:
            return (), [_swept(state, "local", "running", models=lacking, job_id=job.job_id)]
        lately = asked_lately(state, self._jobs, self._clock.now())
        unserved = not_served(state.slug, self._jobs)
        kept_back = [
            _swept(
                state,
                "local",
                "left",
                models=(model,),
                reason=NOT_SERVED if model in unserved else ASKED_LATELY,
            )
            for model in lacking
            if model in lately
        ]
        return tuple(model for model in lacking if model not in lately), kept_back

    def _ask(self, requests: Sequence[ServiceRequest]) -> list[Answered]:
        if self._service is None or self._unknown is not None:
            return [Answered(request, None, self._unknown) for request in requests]
        clock = self._clock
        return ask_each(
            self._service, requests, sleep=clock.sleep, monotonic=clock.monotonic, show=self._show
        )


def _answered(state: ComponentState, answered: Answered) -> Swept:
    outcome: Outcome = "triggered" if answered.job_id is not None else "left"
    return _swept(
        state,
        "local",
        outcome,
        models=answered.request.models,
        job_id=answered.job_id,
        reason=answered.reason,
    )


def _swept(
    state: ComponentState,
    where: Where,
    outcome: Outcome,
    *,
    models: tuple[str, ...] = (),
    job_id: str | None = None,
    reason: str | None = None,
) -> Swept:
    return Swept(state.slug, state.version or "", where, outcome, models, job_id, reason)
