"""The service's real neighbours, made from its settings: the clones, MindRouter, and where results go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from evalcore.plan import JobPlan
from evalcore.record import RunRecord
from evalhook.gateway import MindRouter
from evalhook.gitops.clone import Clone
from evalhook.gitops.remote import Credentials, origin_of
from evalhook.repositories import Repositories
from evalhook.settings import GitHubToken, Settings
from evalhook.worker import Published, Publisher

GITHUB_API: Final = "https://api.github.com"
GITHUB: Final = "https://github.com"


def open_repositories(settings: Settings) -> Repositories:
    """Make the clones' keepers; touches nothing yet."""
    return Repositories(library_clone(settings), data_sets_clone(settings))


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
        credentials=_credentials(settings, settings.prompt_library_url, github_token(settings)),
        allow_http=settings.allow_http,
    )


def data_sets_clone(settings: Settings) -> Clone | None:
    """Describe the clone of the data sets; None where only the library's own cases count."""
    if settings.data_sets is None:
        return None
    own = settings.data_sets_token
    token = own.reveal if own is not None else github_token(settings)
    return Clone(
        settings.data_sets,
        work=settings.state_dir / "worktrees" / "data-sets",
        url=settings.data_sets_url,
        default_branch=settings.default_branch,
        credentials=_credentials(settings, settings.data_sets_url, token),
        allow_http=settings.allow_http,
    )


def open_publisher(settings: Settings) -> Publisher:
    """Make what commits results back."""
    if settings.commit_back == "none":
        return _Nowhere()
    raise NotImplementedError


class _Nowhere:
    """Leaves the results in the runs folder alone."""

    def publish(self, plan: JobPlan, records: Sequence[RunRecord]) -> Published:  # noqa: ARG002
        """Publish nothing."""
        return Published(pull_request_url=None, branch=None)


def github_token(settings: Settings) -> Callable[[], str] | None:
    """Return what gives GitHub's token now; None where there is none."""
    match settings.github:
        case GitHubToken(token):
            return token.reveal
        case _:
            return None


def _credentials(settings: Settings, url: str | None, token: Callable[[], str] | None) -> Credentials | None:
    # Where no URL is set the clone's own origin counts, and the token is for GitHub's alone.
    origin = origin_of(url) if url is not None else _web_origin(settings.github_api_url)
    return Credentials(origin=origin, token=token) if origin is not None and token is not None else None


def _web_origin(api_url: str) -> str | None:
    return GITHUB if api_url == GITHUB_API else origin_of(api_url)
