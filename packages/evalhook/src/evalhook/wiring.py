"""The service's real neighbours, made from its settings: the clones, MindRouter, and where results go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache, partial
from typing import Final

import structlog

from evalcore.clients.interface import Client, Served
from evalcore.clients.registry import open_client
from evalcore.effects import Effects
from evalcore.errors import ConfigurationError, RepositoryError
from evalcore.git.clone import Clone
from evalcore.git.credentials import Credentials, origin_of
from evalcore.git.errors import CloneCorrupt, CloneMissing
from evalcore.github.client import GitHub
from evalcore.github.reports import GitHubReports
from evalcore.github.tokens import AppTokens, FixedToken, Tokens
from evalcore.library.loader import MODELS_PATH
from evalcore.library.models import (
    BUILT_IN,
    LOCAL_PROVIDER,
    ModelsFile,
    NotConfigured,
    Provider,
    resolve_provider,
)
from evalcore.publishing.committer import Committer
from evalcore.publishing.outbox import Outbox, Published
from evalcore.publishing.refresh import Refresher
from evalcore.runs.case_privacy import CasePrivacy, read_key
from evalcore.runs.plan import JobPlan
from evalcore.runs.record import RunRecord
from evalcore.secret import Scrubber, Secret
from evalhook.config.settings import GitHubApp, GitHubToken, Settings
from evalhook.jobs import Job, Publishing, Queued
from evalhook.monitoring.events import EventHub
from evalhook.monitoring.live import Live
from evalhook.monitoring.metrics import Metrics, serving_metrics
from evalhook.monitoring.notifier import Teller
from evalhook.monitoring.observers import Audience, CallLog, Listener
from evalhook.security import auth
from evalhook.security import tokens as bearer_tokens
from evalhook.security.allowed_ips import AllowedAddresses
from evalhook.security.jwks import KeySet
from evalhook.security.oidc import Oidc
from evalhook.storage.retention import Limits, Sweeper, may_go
from evalhook.storage.space import GB
from evalhook.storage.store import JobStore
from evalhook.worker.outbox import Publisher
from evalhook.worker.queue import Slot
from evalhook.worker.repositories import Repositories

log = structlog.stdlib.get_logger(__name__)


def open_repositories(settings: Settings) -> Repositories:
    """Make the clones' keepers; touches nothing yet."""
    return Repositories(
        library_clone(settings), data_sets_clone(settings), allow_any_commit=settings.allow_any_commit
    )


def open_gateway(settings: Settings) -> MindRouter:
    """Make what opens clients for MindRouter."""
    return MindRouter(settings.mindrouter_base_url, settings.mindrouter_api_key)


def library_clone(settings: Settings) -> Clone:
    """Describe the clone of the prompt library."""
    return Clone(
        settings.prompt_library,
        work=settings.state_dir / "worktrees" / "library",
        url=settings.prompt_library_url,
        default_branch=settings.default_branch,
        credentials=_credentials(settings.prompt_library_url, github_tokens(settings)),
        allow_http=settings.allow_http,
    )


def data_sets_clone(settings: Settings) -> Clone | None:
    """Describe the clone of the data sets; None where only the library's own cases count."""
    if settings.data_sets is None:
        return None
    own = settings.data_sets_token
    tokens = FixedToken(own) if own is not None else github_tokens(settings)
    return Clone(
        settings.data_sets,
        work=settings.state_dir / "worktrees" / "data-sets",
        url=settings.data_sets_url,
        default_branch=settings.default_branch,
        credentials=_credentials(settings.data_sets_url, tokens),
        allow_http=settings.allow_http,
    )


def open_publisher(settings: Settings) -> Publisher:
    """Make what commits results back."""
    return _ResultsPublisher(settings)


def open_reports(settings: Settings) -> Callable[[], GitHubReports] | None:
    """Return what makes the teller of GitHub; None where there is no repository to tell."""
    tokens, repository = github_tokens(settings), settings.github_repo
    if settings.commit_back == "none" or tokens is None or repository is None:
        return None

    def reports() -> GitHubReports:
        # A request is not repeated blindly: what it may have done is looked for first (watching.telling).
        return GitHubReports(
            repository,
            tokens,
            api_url=settings.github_api_url,
            allow_http=settings.allow_http,
            retries=0,
        )

    return reports


def check_github(settings: Settings) -> str:
    """Look at the repository with the token and say what was found; raises RepositoryError."""
    if settings.commit_back != "pr":
        return f"not needed to commit back by {settings.commit_back}"
    return f"{settings.github_repo} is there; its default branch is {_github(settings).check()}"


class _ResultsPublisher:
    """Commits a job's records back as the settings say."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def publish(
        self,
        plan: JobPlan,
        records: Sequence[RunRecord],
        skipped_models: Mapping[str, str],
        outbox: Outbox,
        save: Callable[[Outbox], None],
    ) -> Published:
        """Commit the records back; see evalhook.publishing.publish."""
        settings = self._settings
        if settings.commit_back != "none":
            plan, records = open_case_privacy(settings).published(plan, records)
        clone = library_clone(settings)
        committer = Committer(
            clone,
            mode=settings.commit_back,
            github=_github(settings) if settings.commit_back == "pr" else None,
            commit_suffix=settings.commit_suffix,
        )
        try:
            refusal = _why_not(settings, clone, plan)
            if refusal is not None:
                log.warning("not_committed_back", job_id=plan.job_id, reason=refusal)
                return Published(None, None, refusal)
            return committer.publish(plan, records, skipped_models, outbox, save)
        except RepositoryError as error:
            if isinstance(error, CloneMissing | CloneCorrupt):
                clone.rebuild()  # for the next try
            raise


def open_refresher(settings: Settings) -> Callable[[], Sequence[str]] | None:
    """Return what brings open results up to date with the default branch; None where there are none."""
    if settings.commit_back != "pr":
        return None

    def refresh() -> Sequence[str]:
        return Refresher(library_clone(settings), _github(settings)).refresh()

    return refresh


def _why_not(settings: Settings, clone: Clone, plan: JobPlan) -> str | None:
    """Say why a job's results may not be committed: only those of the default branch's own commits are."""
    if settings.commit_back == "none" or plan.prompt_commit is None or clone.holds(plan.prompt_commit):
        return None
    return f"not committed back: {settings.default_branch} does not hold commit {plan.prompt_commit[:12]}"


def _github(settings: Settings) -> GitHub:
    tokens = github_tokens(settings)
    if tokens is None or settings.github_repo is None:
        raise ConfigurationError("is not set, and pull requests need it", where="GITHUB_TOKEN", hint="set it")
    return GitHub(
        settings.github_repo,
        tokens,
        api_url=settings.github_api_url,
        allow_http=settings.allow_http,
        retries=0,  # evalhook.publishing.outbox waits, where a stop can end the waiting
    )


def github_tokens(settings: Settings) -> Tokens | None:
    """Return what gives GitHub's token at each use; None where there is none."""
    match settings.github:
        case GitHubToken(token):
            return FixedToken(token)
        case GitHubApp() as app:
            return _app_tokens(app, settings.github_repo or "", settings.github_api_url)
        case _:
            return None


@cache
def _app_tokens(app: GitHubApp, repository: str, api_url: str) -> AppTokens:
    # One for all that use it: a token is fetched once an hour.
    return AppTokens(app.app_id, app.private_key.reveal(), repository, api_url=api_url)


def _credentials(url: str | None, tokens: Tokens | None) -> Credentials | None:
    """Give a clone the token: for its URL's origin, or for its own remote's where no URL is set."""
    if tokens is None:
        return None
    origin = None if url is None else origin_of(url)
    return Credentials(origin=origin, token=tokens.token, forget=tokens.forget)


def open_credentials(settings: Settings, effects: Effects, scrub: Scrubber) -> auth.Credentials:
    """Make what checks tokens: the shared ones, and those of GitHub Actions where they are set up."""
    # A token that comes with a rotation is masked from then on, as the first one is.
    tokens = bearer_tokens.Tokens(*settings.token_sources, learned=scrub.learn)
    if settings.oidc is None:
        return auth.Credentials(tokens)
    keys = KeySet(settings.oidc.issuer, monotonic=effects.monotonic)
    return auth.Credentials(tokens, Oidc(settings.oidc, keys))


def open_allowed(settings: Settings) -> AllowedAddresses:
    """Make what knows which addresses may call."""
    kept = settings.state_dir / "github-meta.json"
    return AllowedAddresses(settings.allowed_ips, api_url=settings.github_api_url, kept=kept)


class MindRouter:
    """Opens clients for MindRouter."""

    def __init__(self, base_url: str, api_key: Secret) -> None:
        self._base_url = base_url
        self._api_key = api_key

    async def probe(self, models: ModelsFile) -> None:
        """Find out whether it answers and takes the key; raises ModelError or ConfigurationError."""
        await self.served(models)

    async def served(self, models: ModelsFile | None) -> Served:
        """Ask which models it serves; without a models.yaml, as its built-in provider says."""
        providers = BUILT_IN if models is None else models.providers
        async with self._client(providers[LOCAL_PROVIDER]) as client:
            return await client.served()

    @asynccontextmanager
    async def open(self, plan: JobPlan) -> AsyncIterator[Mapping[str, Client]]:
        """Open the clients of a job, by provider; raises ConfigurationError."""
        async with self._client(plan.providers[LOCAL_PROVIDER]) as client:
            yield {LOCAL_PROVIDER: client}

    def _client(self, provider: Provider) -> AbstractAsyncContextManager[Client]:
        # models.yaml sees these two variables and no other of ours.
        known = {"MINDROUTER_BASE_URL": self._base_url, "MINDROUTER_API_KEY": self._api_key.reveal()}
        endpoint = resolve_provider(provider, known)
        where = f"{MODELS_PATH}, provider {provider.name}"
        if isinstance(endpoint, NotConfigured):
            hint = "use ${MINDROUTER_BASE_URL} and MINDROUTER_API_KEY; the service knows no other variable"
            raise ConfigurationError(endpoint.reason, where=where, hint=hint)
        if endpoint.base_url != self._base_url:
            # Otherwise whoever may change models.yaml could have the key sent anywhere.
            raise ConfigurationError(
                "its base_url is another server than MINDROUTER_BASE_URL, which alone is sent the key",
                where=where,
                hint="write base_url: ${MINDROUTER_BASE_URL}",
            )
        return open_client(provider, endpoint.base_url, endpoint.api_key)


def open_case_privacy(settings: Settings) -> CasePrivacy:
    """Make it; raises StorageError where the key of the hashes cannot be used."""
    return CasePrivacy(settings.publish_cases, read_key(settings.state_dir / "case-names.key"))


def _is_stalled(job: Job) -> bool:
    return job.attention is not None and job.attention.code == "stalled"


FIGURES: Final[tuple[tuple[str, str, Callable[[Job], bool]], ...]] = (
    ("evalhook_queue_length", "Jobs that wait for the slot", lambda job: isinstance(job.state, Queued)),
    ("evalhook_outbox_length", "Jobs being published", lambda job: isinstance(job.state, Publishing)),
    (
        "evalhook_unpublished_jobs",
        "Jobs whose results could not be published and are kept",
        lambda job: job.is_finished and not may_go(job),
    ),
    ("evalhook_job_stalled", "Whether the running job makes no progress", _is_stalled),
)


class Told:
    """Those who are told of jobs, and what they do beside the loop of requests."""

    def __init__(
        self, settings: Settings, store: JobStore, slot: Slot, effects: Effects, hub: EventHub
    ) -> None:
        self._store = store
        self._metrics_bind = settings.metrics_bind
        self.hub = hub
        self.live = Live(self.hub, effects.monotonic)
        self.metrics = Metrics(slot=slot, live=self.live, state_dir=settings.state_dir)
        self._sweeper = Sweeper(
            store,
            settings.jobs_dir,
            settings.runs_dir,
            Limits(days=settings.retention_days, most_bytes=settings.max_state_gb * GB),
            now=effects.now,
            swept=self.metrics.swept,
        )
        reports = open_reports(settings)
        self._teller = (
            None if reports is None else Teller(settings.untold_dir, store.get, reports, settings.public_url)
        )
        teller = self._teller
        self.metrics.gauge(
            "evalhook_untold_jobs",
            "Jobs whose end GitHub is still to be told",
            lambda: 0 if teller is None else teller.untold,
        )
        for name, text, counts in FIGURES:
            self.metrics.gauge(name, text, partial(_count, store, counts))
        listeners: list[Listener] = [
            self.live,
            self.metrics,
            self._sweeper,
            CallLog(),
            *([] if teller is None else [teller]),
        ]
        self.audience = Audience(listeners)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Sweep, tell GitHub and serve the metrics meanwhile.

        Raises ConfigurationError where the metrics' address is taken.
        """
        self.metrics.recall(self._store.all())
        with serving_metrics(self.metrics, self._metrics_bind):
            tasks = [asyncio.create_task(self._sweeper.run())]
            if self._teller is not None:
                tasks.append(asyncio.create_task(self._teller.run()))
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)


def _count(store: JobStore, counts: Callable[[Job], bool]) -> float:
    return sum(counts(job) for job in store.all())
