"""The only place where parts are made from settings.

`ExternalSystems` is what the service uses beyond itself (clones, MindRouter, GitHub), `Parts` is the service
around it, from the store of jobs to who may call. Nothing here connects, reads or writes before it is asked
to, but for the store, which takes the state directory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from evalcore.documents.cache import DocumentCache
from evalcore.effects import Effects, real_effects
from evalcore.git.clone import Clone
from evalcore.git.credentials import Credentials, origin_of
from evalcore.git.setting_names import SettingNames
from evalcore.github.client import GitHub
from evalcore.github.reports import GitHubReports
from evalcore.github.tokens import AppTokens, FixedToken, GitHubTokens
from evalcore.publishing.committer import Committer
from evalcore.publishing.refresh import Refresher
from evalcore.runs.case_privacy import CasePrivacy, read_key
from evalcore.secret import Scrubber, Secret
from evalhook.config.settings import GitHubApp, GitHubToken, Settings
from evalhook.monitoring.events import EventHub
from evalhook.monitoring.live import Live
from evalhook.monitoring.logs import JobLogs, configure_logging
from evalhook.monitoring.metrics import Metrics, serving_metrics
from evalhook.monitoring.notifier import Notifier
from evalhook.monitoring.observers import AfterJobs, CallLog, JobObserver, JobObservers
from evalhook.outward import Outward
from evalhook.security.allowed_ips import AllowedAddresses
from evalhook.security.auth import Authenticator
from evalhook.security.jwks import KeySet
from evalhook.security.oidc import Oidc
from evalhook.security.sessions import Sessions
from evalhook.security.throttle import Throttle
from evalhook.security.tokens import SharedTokens
from evalhook.storage.retention import Retention, RetentionLimits
from evalhook.storage.space import GB, FreeSpace
from evalhook.storage.store import JobStore
from evalhook.worker.execution import JobContext
from evalhook.worker.gateway import MindRouterGateway
from evalhook.worker.intake import Gateway, Intake, RepositoryReader
from evalhook.worker.publish_retries import Publisher
from evalhook.worker.publisher import NoPublisher, ResultsPublisher
from evalhook.worker.queue import JobQueue
from evalhook.worker.reading import DocumentSources
from evalhook.worker.refresh import PeriodicRefresh
from evalhook.worker.repositories import Repositories
from evalhook.worker.runner import JobRunner
from evalhook.worker.service import Service

SETTING_NAMES = SettingNames(
    default_branch="EVALHOOK_DEFAULT_BRANCH",
    plain_http="EVALHOOK_ALLOW_HTTP=1",
    commit_back="EVALHOOK_COMMIT_BACK=pr",
    github_repo="EVALHOOK_GITHUB_REPO",
    github_api_url="EVALHOOK_GITHUB_API_URL",
    trusted_publishers="EVALHOOK_TRUSTED_PUBLISHERS",
)


def start_logging(settings: Settings, scrub: Scrubber) -> None:
    """Log to standard output, and what concerns a job to the job's own log too."""
    configure_logging(scrub, job_logs=JobLogs(settings.jobs_dir))


def outward(settings: Settings, scrub: Scrubber) -> Outward:
    """Make what turns the service's own words into those that others may read."""
    folders = [
        (settings.prompt_library, "the clone of the prompt library"),
        (settings.state_dir, "the state directory"),
    ]
    if settings.data_sets is not None:
        folders.append((settings.data_sets, "the clone of the data sets"))
    return Outward(scrub, folders)


def free_space(settings: Settings) -> FreeSpace:
    """Make what says whether the state directory's disk has room for a job."""
    return FreeSpace(settings.state_dir, settings.min_free_gb * GB)


class ExternalSystems:
    """What the service uses beyond itself; `learned` is called with each token that GitHub makes for it."""

    def __init__(self, settings: Settings, learned: Callable[[Secret], None] = lambda _: None) -> None:
        self.tokens = tokens = github_tokens(settings, learned)
        """Of GitHub; None where there are none."""
        self._settings = settings
        self.library = self.clone_of_library(
            settings.prompt_library,
            settings.prompt_library_url,
            work=settings.state_dir / "worktrees" / "library",
        )
        self.data_sets = _data_sets(settings, tokens)
        self.repositories = Repositories(
            self.library, self.data_sets, allow_any_commit=settings.allow_any_commit
        )
        self.gateway = MindRouterGateway(
            settings.mindrouter_base_url, settings.mindrouter_api_key, settings.mindrouter_proxy
        )
        self.github: GitHub | None = None
        """None unless results go to pull requests."""
        self.reports: GitHubReports | None = None
        """Statuses and issues; None where there is no repository or no token for them."""
        self.publisher: Publisher = NoPublisher()
        self.refresh: Callable[[], Sequence[str]] | None = None
        """Brings open pull requests up to date; None where there are none."""
        if settings.commit_back == "none":
            return
        if tokens is not None and settings.github_repo is not None:
            self.reports = GitHubReports(
                settings.github_repo,
                tokens,
                api_url=settings.github_api_url,
                allow_http=settings.allow_http,
                names=SETTING_NAMES,
                retries=0,  # monitoring.notifier tries again, and first looks for what was done
            )
            if settings.commit_back == "pr":
                self.github = GitHub(
                    settings.github_repo,
                    tokens,
                    api_url=settings.github_api_url,
                    allow_http=settings.allow_http,
                    # worker.publish_retries waits, where a stop of the service can end the waiting.
                    retries=0,
                    trusted=settings.trusted_publishers,
                    names=SETTING_NAMES,
                )
                has_reports = settings.pull_request.publish_reports
                self.refresh = Refresher(self.library, self.github, has_reports=has_reports).refresh
        self.publisher = ResultsPublisher(
            self.library,
            self.committer(self.library),
            lambda: case_privacy(settings),
            reports_from=settings.runs_dir if settings.pull_request.publish_reports else None,
        )

    def clone_of_library(self, path: Path, url: str | None, *, work: Path) -> Clone:
        """Make the clone of the prompt library that is, or is to be, at a path; `work` is its own alone."""
        settings = self._settings
        return Clone(
            path,
            work=work,
            url=url,
            default_branch=settings.default_branch,
            credentials=_credentials(url, self.tokens),
            allow_http=settings.allow_http,
            names=SETTING_NAMES,
        )

    def committer(self, clone: Clone) -> Committer:
        """Make what commits results back to the prompt library through a clone of it."""
        settings = self._settings
        return Committer(
            clone,
            mode=settings.commit_back,
            github=self.github or self.reports,  # in mode `push` for the author of commits alone
            options=settings.pull_request,
        )


def case_privacy(settings: Settings) -> CasePrivacy:
    """Make what takes private cases out of results; raises StorageError where its key cannot be used."""
    return CasePrivacy(settings.publish_cases, read_key(settings.state_dir / "case-names.key"))


def github_tokens(settings: Settings, learned: Callable[[Secret], None]) -> GitHubTokens | None:
    """Make what gives GitHub's token at each use; None where there is none."""
    match settings.github:
        case GitHubToken(token):
            return FixedToken(token)
        case GitHubApp() as app:
            repository = settings.github_repo or ""
            return AppTokens(
                app.app_id,
                app.private_key.reveal(),
                repository,
                api_url=settings.github_api_url,
                names=SETTING_NAMES,
                learned=learned,
            )
        case _:
            return None


def _data_sets(settings: Settings, tokens: GitHubTokens | None) -> Clone | None:
    if settings.data_sets is None:
        return None
    own = settings.data_sets_token
    return Clone(
        settings.data_sets,
        work=settings.state_dir / "worktrees" / "data-sets",
        url=settings.data_sets_url,
        default_branch=settings.default_branch,
        credentials=_credentials(settings.data_sets_url, FixedToken(own) if own is not None else tokens),
        allow_http=settings.allow_http,
        names=SETTING_NAMES,
    )


def _credentials(url: str | None, tokens: GitHubTokens | None) -> Credentials | None:
    """Give a clone the token: for its URL's origin, or for its own remote's where no URL is set."""
    if tokens is None:
        return None
    origin = None if url is None else origin_of(url)
    return Credentials(origin=origin, token=tokens.token, forget=tokens.forget)


def _job_context(
    settings: Settings,
    gateway: Gateway,
    publisher: Publisher,
    effects: Effects,
    scrub: Scrubber,
    clones: asyncio.Lock,
    sources: RepositoryReader,
) -> JobContext:
    return JobContext(
        gateway=gateway,
        publisher=publisher,
        effects=effects,
        runs_dir=settings.runs_dir,
        concurrency=settings.concurrency,
        scrub=outward(settings, scrub),
        limits=settings.limits,
        publish_cases=settings.publish_cases,
        clones=clones,
        documents=DocumentSources(sources, gateway, DocumentCache(settings.documents_dir)),
    )


class OfflineParts:
    """What publishes a job by hand while the service does not run; `store` is opened by its user."""

    def __init__(self, settings: Settings) -> None:
        self.scrub = Scrubber(settings.secrets)
        external = ExternalSystems(settings, self.scrub.learn)
        self.effects = real_effects()
        self.store = JobStore(settings.jobs_dir)
        # Nobody else asks this process for anything: no job waits, and the lock below is never contended.
        self.queue = JobQueue(0)
        context = _job_context(
            settings,
            external.gateway,
            external.publisher,
            self.effects,
            self.scrub,
            asyncio.Lock(),
            external.repositories,
        )
        self.runner = JobRunner(store=self.store, queue=self.queue, context=context, observer=JobObserver())


class Parts:
    """The service's parts; what is not given is the real thing.

    Raises ConfigurationError where the state directory cannot be used. It is released when `running` ends.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        sources: RepositoryReader | None = None,
        gateway: Gateway | None = None,
        publisher: Publisher | None = None,
        effects: Effects | None = None,
        scrub: Scrubber | None = None,
        hub: EventHub | None = None,
    ) -> None:
        scrub = scrub or Scrubber(settings.secrets)
        external = ExternalSystems(settings, scrub.learn)
        self._effects = effects = effects or real_effects()
        self._sources = sources or external.repositories
        gateway = gateway or external.gateway
        # A publisher of the caller's own leaves nothing on GitHub to be refreshed.
        refresh = external.refresh if publisher is None else None

        self._store = store = JobStore(settings.jobs_dir)
        # Opened here and not in `running`: a state directory in use refuses the start, before any port opens.
        store.open()
        self._queue = queue = JobQueue(settings.limits.queue)

        self.hub = hub or EventHub()
        self.live = Live(self.hub, effects.monotonic)
        self.metrics = Metrics(
            is_slot_held=lambda: queue.holder is not None, live=self.live, state_dir=settings.state_dir
        )
        self._metrics_bind = settings.metrics_bind
        self._retention = _retention(settings, store, effects, self.metrics)
        self._notifier = None
        if external.reports is not None:
            self._notifier = Notifier(settings.pending_dir, store.get, external.reports, settings.public_url)
        self.metrics.count_jobs(store.all, self._notifier)
        self._refresh = None
        if refresh is not None:
            self._refresh = PeriodicRefresh(refresh, settings.refresh_minutes * 60, effects.sleep)
        observers = [self.live, self.metrics, AfterJobs(self._retention.sweep_soon), CallLog()]
        observers += filter(None, [self._notifier, self._refresh])

        # One lock for intake and publishing: git locks a clone itself, and fails where two commands meet.
        clones = asyncio.Lock()
        self._runner = JobRunner(
            store=store,
            queue=queue,
            context=_job_context(
                settings, gateway, publisher or external.publisher, effects, scrub, clones, self._sources
            ),
            observer=JobObservers(observers),
        )
        self.service = Service(
            store=store,
            queue=queue,
            clones=clones,
            intake=Intake(self._sources, gateway, publish_cases=settings.publish_cases),
            runner=self._runner,
            effects=effects,
            space=free_space(settings),
        )

        self.allowed = _allowed_addresses(settings)
        self.trusted_proxies = settings.trusted_proxies
        self.authenticator = _authenticator(settings, effects, scrub)
        self.throttle = Throttle(monotonic=effects.monotonic, sleep=effects.sleep)
        self.sessions = Sessions(era=self.authenticator.era)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Resume unfinished jobs and do what is done beside requests, until left.

        Raises ConfigurationError where the metrics' address is taken.
        """
        # Retention, notifier and metrics go on while the running job gets its grace time at the end.
        watching = [self._retention.run(), *([] if self._notifier is None else [self._notifier.run()])]
        beside = [self._sources.prepare(), self.allowed.keep_fresh(self._effects.sleep)]
        if self._refresh is not None:
            beside.append(self._refresh.run())
        try:
            self.metrics.recall(self._store.all())
            with serving_metrics(self.metrics, self._metrics_bind):
                async with _in_background(watching):
                    async with _in_background(beside):
                        self._runner.resume_jobs()
                        yield
                        self._queue.close()
                    await self._runner.stop()
        finally:
            self._store.close()


@asynccontextmanager
async def _in_background(work: Sequence[Coroutine[None, None, None]]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def _retention(settings: Settings, store: JobStore, effects: Effects, metrics: Metrics) -> Retention:
    return Retention(
        store,
        settings.jobs_dir,
        settings.runs_dir,
        settings.documents_dir,
        RetentionLimits(days=settings.retention_days, most_bytes=settings.max_state_gb * GB),
        now=effects.now,
        swept=metrics.swept,
    )


def _allowed_addresses(settings: Settings) -> AllowedAddresses:
    return AllowedAddresses(
        settings.allowed_ips,
        api_url=settings.github_api_url,
        stored=settings.state_dir / "github-meta.json",
    )


def _authenticator(settings: Settings, effects: Effects, scrub: Scrubber) -> Authenticator:
    # A token that a rotation brings is masked in logs from then on, as the first one is.
    tokens = SharedTokens(*settings.token_sources, learned=scrub.learn)
    if settings.oidc is None:
        return Authenticator(tokens)
    return Authenticator(
        tokens, Oidc(settings.oidc, KeySet(settings.oidc.issuer, monotonic=effects.monotonic))
    )
