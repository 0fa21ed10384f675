"""GitHub, through PyGithub: tokens, pull requests, labels. The only module that imports it.

RepositoryError
├── GitHubRefused           the token is not accepted, or may not do it, or there is no such repository
├── PullRequestRefused      GitHub will not have the pull request or its labels
└── GitHubUnreachable   *   no connection, a time-out, a rate limit, or an error of GitHub's own

* retryable.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from itertools import islice
from typing import Protocol
from urllib.parse import urlsplit

import jwt
from github import Auth, Github, GithubException, GithubIntegration, GithubRetry
from github.GithubException import RateLimitExceededException
from github.PullRequest import PullRequest as ApiPullRequest
from github.Repository import Repository as ApiRepository
from requests import RequestException

from evalcore.errors import RepositoryError
from evalcore.structs import Frozen
from evalhook.gitops.remote import require_secure
from evalhook.gitops.translate import said, scrub

# PyGithub writes to standard error by itself; the service's logs are the only ones.
logging.getLogger("github").handlers.clear()

PUBLIC_API = "https://api.github.com"
TIMEOUT = 20
"""Seconds for one request."""
RETRIES = 3
LONGEST_WAIT = 60.0
"""Seconds that a rate limit is waited out within one call; a longer one is an error to come back from."""
RENEW_BEFORE = timedelta(minutes=5)
"""How long a token must still hold: longer than a push may take."""
RESULTS_BRANCH = re.compile(r"eval-results/([a-z0-9][a-z0-9._-]{0,99})-[0-9a-f]{12}-\d{8}T\d{6}Z")
MOST_PULLS = 500
"""Open pull requests that are looked at, the newest first."""


class GitHubRefused(RepositoryError):
    """The token is not accepted, may not do it, or sees no such repository."""

    code = "github_refused"


class PullRequestRefused(RepositoryError):
    """GitHub will not have the pull request or its labels."""

    code = "pull_request_refused"


class GitHubUnreachable(RepositoryError):
    """No connection, a time-out, a rate limit, or an error of GitHub's own."""

    code = "github_unreachable"
    retryable = True
    retry_after: float | None = None
    """Seconds that GitHub asks to wait."""


class PullRequest(Frozen, frozen=True):
    """What the service needs to know of a pull request."""

    number: int
    url: str
    """Its page."""
    branch: str
    is_open: bool
    labels: tuple[str, ...]


class Tokens(Protocol):
    """Where tokens come from."""

    def token(self) -> str:
        """Give a token that holds for some minutes at least."""
        ...

    def forget(self) -> None:
        """Give another one next time, where there can be one: this one was refused."""
        ...


class FixedToken:
    """A personal or fine-grained token."""

    def __init__(self, value: str) -> None:
        self._value = value

    def token(self) -> str:
        """Give it."""
        return self._value

    def forget(self) -> None:
        """Keep it: there is no other."""


class AppTokens:
    """The installation tokens of a GitHub App: an hour each, renewed in time."""

    def __init__(
        self,
        app_id: int,
        private_key: str,
        repository: str,
        *,
        api_url: str = PUBLIC_API,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._app_id = app_id
        self._private_key = private_key
        self._repository = repository
        self._api_url = api_url
        self._now = now
        self._kept: tuple[str, datetime] | None = None

    def token(self) -> str:
        """Give the token at hand, or fetch one."""
        if self._kept is None or self._kept[1] - RENEW_BEFORE < self._now():
            self._kept = self._fetch()
        return self._kept[0]

    def forget(self) -> None:
        """Fetch another one next time."""
        self._kept = None

    def _fetch(self) -> tuple[str, datetime]:
        owner, _, name = self._repository.partition("/")
        with _translated(self._api_url, "make a token for the app", self._private_key):
            auth = Auth.AppAuth(self._app_id, self._private_key)
            with GithubIntegration(auth=auth, base_url=self._api_url, timeout=TIMEOUT, retry=_retry()) as app:
                made = app.get_access_token(app.get_repo_installation(owner, name).id)
        return made.token, made.expires_at


class GitHub:
    """One repository on GitHub. Each call opens and closes its own connection."""

    def __init__(
        self,
        repository: str,
        tokens: Tokens,
        *,
        api_url: str = PUBLIC_API,
        allow_http: bool = False,
        retries: int = RETRIES,
    ) -> None:
        require_secure(api_url, "EVALHOOK_GITHUB_API_URL", allow_http=allow_http)
        self.repository = repository
        self._tokens = tokens
        self._api_url = api_url.rstrip("/")
        self._retries = retries

    def results_pull_requests(self, slug: str, base: str) -> list[PullRequest]:
        """The open pull requests with results of a component, the newest first.

        Those of forks are none of ours, whatever their branches are called.
        """
        return [pull for pull in self.open_results(base) if slug_of(pull.branch) == slug]

    def open_results(self, base: str) -> list[PullRequest]:
        """The open pull requests with results of any component, the newest first."""
        with self._opened("list pull requests") as repository:
            found = repository.get_pulls(state="open", base=base, sort="created", direction="desc")
            return [
                _pull_request(pull)
                for pull in islice(found, MOST_PULLS)
                if slug_of(pull.head.ref) is not None and self._is_own(pull)
            ]

    def pull_request_of(self, branch: str) -> PullRequest | None:
        """The newest pull request of a branch, open or not."""
        owner = self.repository.partition("/")[0]
        with self._opened("look for the pull request") as repository:
            found = repository.get_pulls(
                state="all", head=f"{owner}:{branch}", sort="created", direction="desc"
            )
            pulls = islice(found, MOST_PULLS)
            return next((_pull_request(pull) for pull in pulls if pull.head.ref == branch), None)

    def open_pull_request(self, branch: str, base: str, title: str, body: str) -> PullRequest:
        """Open a pull request, or give the one that is there; raises PullRequestRefused."""
        known = self.pull_request_of(branch)
        if known is not None:
            return known
        try:
            with self._opened("open the pull request") as repository:
                made = repository.create_pull(base=base, head=branch, title=title, body=body)
                return PullRequest(
                    number=made.number, url=made.html_url, branch=branch, is_open=True, labels=()
                )
        except (PullRequestRefused, GitHubUnreachable):
            # It may have been opened though its answer was lost, and a retry refused as the second.
            known = self.pull_request_of(branch)
            if known is None:
                raise
            return known

    def add_labels(self, pull_request: PullRequest, labels: Sequence[str]) -> None:
        """Add the labels that the pull request lacks; GitHub makes those that the repository lacks."""
        missing = [label for label in labels if label not in pull_request.labels]
        if missing:
            with self._opened("label the pull request") as repository:
                repository.get_issue(pull_request.number).add_to_labels(*missing)

    def check(self) -> str:
        """Look at the repository with the token, and give its default branch (for `evalhook check`)."""
        with self._opened("look at the repository") as repository:
            return repository.default_branch

    def _is_own(self, pull: ApiPullRequest) -> bool:
        source = pull.head.repo
        return source is not None and source.full_name.lower() == self.repository.lower()

    @contextmanager
    def _opened(self, doing: str) -> Iterator[ApiRepository]:
        try:
            with self._opened_with(self._tokens.token(), doing) as repository:
                yield repository
        except GitHubRefused:
            self._tokens.forget()
            raise

    @contextmanager
    def _opened_with(self, token: str, doing: str) -> Iterator[ApiRepository]:
        with (
            _translated(f"{self._api_url}/repos/{self.repository}", doing, token),
            Github(
                auth=Auth.Token(token),
                base_url=self._api_url,
                timeout=TIMEOUT,
                # With none, GitHub's refusals come back whole, with the wait that they ask for.
                retry=_retry(self._retries) if self._retries else None,
                user_agent="evalhook",
                per_page=100,
                # A job makes a handful of requests; pauses between them would only slow it.
                seconds_between_requests=None,
                seconds_between_writes=None,
                # The repository and the pull request are known by name: no request to look them up.
                lazy=True,
            ) as client,
        ):
            yield client.get_repo(self.repository)


def slug_of(branch: str) -> str | None:
    """Return the component whose results a branch holds, by its name; None for any other branch."""
    found = RESULTS_BRANCH.fullmatch(branch)
    return found[1] if found is not None else None


def git_origin(api_url: str) -> str:
    """The origin of the git remotes that belong to an API root.

    `api.github.com` is github.com's and `api.x.ghe.com` is x.ghe.com's; on a server of one's own both
    have one origin.
    """
    parts = urlsplit(api_url)
    host = parts.netloc.rpartition("@")[2].lower()
    if host == "api.github.com" or (host.startswith("api.") and host.endswith(".ghe.com")):
        host = host.removeprefix("api.")
    return f"{parts.scheme}://{host}"


def _retry(retries: int = RETRIES) -> GithubRetry:
    # Without raise_on_status the last answer comes back, and with it what GitHub said.
    return GithubRetry(
        total=retries,
        backoff_factor=0.5,
        raise_on_status=False,
        secondary_rate_wait=LONGEST_WAIT,
        max_rate_limit_wait=LONGEST_WAIT,
    )


def _pull_request(pull: ApiPullRequest) -> PullRequest:
    return PullRequest(
        number=pull.number,
        url=pull.html_url,
        branch=pull.head.ref,
        is_open=pull.state == "open",
        labels=tuple(label.name for label in pull.labels),
    )


@contextmanager
def _translated(where: str, doing: str, secret: str) -> Iterator[None]:
    """Turn what PyGithub raises into our errors, without the token and without the chain that may hold it."""
    try:
        yield
    except GithubException as error:
        raise _translate(error, where, doing, secret) from None
    except RequestException as error:
        what = f"cannot {doing}: GitHub cannot be reached ({type(error).__name__})"
        hint = "check the network and EVALHOOK_GITHUB_API_URL"
        raise GitHubUnreachable(what, where=where, hint=hint) from None
    except (jwt.PyJWTError, ValueError, AssertionError) as error:
        # PyGithub asserts on its arguments and on answers that are not GitHub's.
        what = f"cannot {doing}: {type(error).__name__}"
        hint = "is EVALHOOK_GITHUB_API_URL GitHub's API, and the app's private key its own?"
        raise GitHubRefused(what, where=where, hint=hint) from None


def _translate(error: GithubException, where: str, doing: str, secret: str) -> RepositoryError:
    words = said(scrub(_words(error.data), secret))
    what = f"cannot {doing}: GitHub answers {error.status}, {words}"
    # PyGithub reads a 403 to see whether it is a rate limit, and at the last try leaves nothing of it.
    is_limit = isinstance(error, RateLimitExceededException) or not (error.data or error.message)
    if error.status == HTTPStatus.TOO_MANY_REQUESTS or (error.status == HTTPStatus.FORBIDDEN and is_limit):
        limited = GitHubUnreachable(what, where=where, hint="the rate limit passes; try again later")
        limited.retry_after = _asked_wait(error.headers or {})
        return limited
    if error.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
        hint = "check EVALHOOK_GITHUB_REPO, and that the token may write contents and pull requests there"
        return GitHubRefused(what, where=where, hint=hint)
    if HTTPStatus.BAD_REQUEST <= error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return PullRequestRefused(
            what, where=where, hint="the branch is pushed: a pull request can be opened by hand"
        )
    return GitHubUnreachable(what, where=where, hint="see githubstatus.com, and try again")


def _asked_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds after which GitHub says to come back."""
    after, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    if after.isdigit():
        return float(after)
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return max(0.0, int(reset) - datetime.now(UTC).timestamp()) + 1
    return None


def _words(data: object) -> str:
    """GitHub's message with the details of what failed validation."""
    if not isinstance(data, dict):
        return str(data) if isinstance(data, str) else ""
    details = [_detail(item) for item in data.get("errors") or []]
    return ": ".join([str(data.get("message", "")), *details])


def _detail(item: object) -> str:
    if not isinstance(item, dict):
        return str(item)
    return str(item.get("message") or f"{item.get('field', '')} {item.get('code', '')}".strip())
