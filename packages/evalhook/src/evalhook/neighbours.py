"""The service's real neighbours, made from its settings: the clones, MindRouter, and where results go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

import structlog

from evalcore.errors import ConfigurationError, RepositoryError
from evalcore.plan import JobPlan
from evalcore.record import RunRecord
from evalhook.gateway import MindRouter
from evalhook.gitops.clone import Clone
from evalhook.gitops.errors import CloneCorrupt, CloneMissing
from evalhook.gitops.remote import Credentials, origin_of
from evalhook.jobs import Outbox
from evalhook.publishing.fixed_token import FixedToken, Tokens
from evalhook.publishing.late import load_github
from evalhook.publishing.outbox import Published, Publisher
from evalhook.publishing.privacy import open_case_privacy
from evalhook.repositories import Repositories
from evalhook.settings import GitHubApp, GitHubToken, Settings

if TYPE_CHECKING:
    from evalhook.publishing.github import GitHub
    from evalhook.publishing.github_reports import GitHubReports

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
    return _LateCommitter(settings)


def open_reports(settings: Settings) -> Callable[[], GitHubReports] | None:
    """Return what makes the teller of GitHub; None where there is no repository to tell."""
    tokens, repository = github_tokens(settings), settings.github_repo
    if settings.commit_back == "none" or tokens is None or repository is None:
        return None

    def reports() -> GitHubReports:
        load_github()
        from evalhook.publishing.github_reports import GitHubReports  # noqa: PLC0415 - see _LateCommitter

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


class _LateCommitter:
    """Loads PyGithub with the first results, in their thread: the start need not wait 0.4 s for it."""

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
        load_github()
        from evalhook.publishing.publish import Committer  # noqa: PLC0415 - see above

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
        load_github()
        from evalhook.publishing.refresh import Refresher  # noqa: PLC0415 - see _LateCommitter

        return Refresher(library_clone(settings), _github(settings)).refresh()

    return refresh


def _why_not(settings: Settings, clone: Clone, plan: JobPlan) -> str | None:
    """Say why a job's results may not be committed: only those of the default branch's own commits are."""
    if settings.commit_back == "none" or plan.prompt_commit is None or clone.holds(plan.prompt_commit):
        return None
    return f"not committed back: {settings.default_branch} does not hold commit {plan.prompt_commit[:12]}"


def _github(settings: Settings) -> GitHub:
    load_github()
    from evalhook.publishing.github import GitHub  # noqa: PLC0415 - see _LateCommitter

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
        case GitHubApp():
            return _app_tokens(settings)
        case _:
            return None


@cache
def _app_tokens(settings: Settings) -> _LateAppTokens:
    # One for all that use it: a token is fetched once an hour.
    return _LateAppTokens(settings)


class _LateAppTokens:
    """Loads PyGithub with the first token, in its thread (see _LateCommitter)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tokens: Tokens | None = None

    def token(self) -> str:
        """Give the token at hand, or fetch one."""
        load_github()
        from evalhook.publishing.github_tokens import AppTokens  # noqa: PLC0415 - see above

        app = self._settings.github
        if self._tokens is None and isinstance(app, GitHubApp):
            self._tokens = AppTokens(
                app.app_id,
                app.private_key.reveal(),
                self._settings.github_repo or "",
                api_url=self._settings.github_api_url,
            )
        return self._tokens.token() if self._tokens is not None else ""

    def forget(self) -> None:
        """Fetch another one next time."""
        self._tokens = None


def _credentials(url: str | None, tokens: Tokens | None) -> Credentials | None:
    """Give a clone the token: for its URL's origin, or for its own remote's where no URL is set."""
    if tokens is None:
        return None
    origin = None if url is None else origin_of(url)
    return Credentials(origin=origin, token=tokens.token, forget=tokens.forget)
