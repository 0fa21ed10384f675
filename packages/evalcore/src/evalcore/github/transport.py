"""How GitHub's answers are read: requests tried again, refusals put into our own words.

RepositoryError
├── GitHubRefused           the token is not accepted, or may not do it, or there is no such repository
├── PullRequestRefused      GitHub will not have the pull request or its labels
└── GitHubUnreachable   *   no connection, a time-out, a rate limit, or an error of GitHub's own

* retryable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus

import jwt
from github import GithubException, GithubRetry
from github.GithubException import BadAttributeException, RateLimitExceededException
from requests import RequestException

from evalcore.errors import RepositoryError
from evalcore.git.setting_names import NO_NAMES, SettingNames
from evalcore.git.translate import said, scrub

TIMEOUT = 20
"""Seconds for one request."""
RETRIES = 3
# A longer one is an error to come back from: whoever calls (the outbox, a command) can say that it waits.
LONGEST_WAIT = 60.0
"""Seconds that a rate limit is waited out within one call."""
_SECONDS = re.compile("[0-9]{1,15}")
# No object, other fields, nesting without end, a redirect: PyGithub reads some of an answer only when an
# attribute is asked for, and raises what it happens to stumble over.
NOT_GITHUBS = (
    *(BadAttributeException, ValueError, AssertionError),
    *(TypeError, LookupError, AttributeError, RuntimeError),
)
"""What PyGithub raises for answers that are not GitHub's."""


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


def retry_policy(retries: int = RETRIES) -> GithubRetry:
    """Return how often a request is tried again."""
    # Without raise_on_status the last answer comes back, and with it what GitHub said.
    return GithubRetry(
        total=retries,
        backoff_factor=0.5,
        raise_on_status=False,
        secondary_rate_wait=LONGEST_WAIT,
        max_rate_limit_wait=LONGEST_WAIT,
    )


@contextmanager
def translated(where: str, doing: str, secret: str, names: SettingNames = NO_NAMES) -> Iterator[None]:
    """Turn what PyGithub raises into our errors, without the token and without the chain that may hold it."""
    try:
        yield
    except GithubException as error:
        raise _translate(error, where, doing, secret, names) from None
    except RequestException as error:
        what = f"cannot {doing}: GitHub cannot be reached ({type(error).__name__})"
        hint = f"check the network and {names.github_api_url}"
        raise GitHubUnreachable(what, where=where, hint=hint) from None
    except (jwt.PyJWTError, *NOT_GITHUBS) as error:
        what = f"cannot {doing}: {type(error).__name__}"
        hint = f"is {names.github_api_url} GitHub's API, and the app's private key its own?"
        raise GitHubRefused(what, where=where, hint=hint) from None


def _translate(
    error: GithubException, where: str, doing: str, secret: str, names: SettingNames
) -> RepositoryError:
    words = said(scrub(_words(error.data), secret))
    what = f"cannot {doing}: GitHub answers {error.status}, {words}"
    # PyGithub reads a 403 to see whether it is a rate limit, and at the last try leaves nothing of it.
    is_limit = isinstance(error, RateLimitExceededException) or not (error.data or error.message)
    if error.status == HTTPStatus.TOO_MANY_REQUESTS or (error.status == HTTPStatus.FORBIDDEN and is_limit):
        limited = GitHubUnreachable(what, where=where, hint="the rate limit passes by itself")
        limited.retry_after = _asked_wait(error.headers or {})
        return limited
    # 404 is a refusal, too: GitHub hides a private repository from a token that may not see it.
    if error.status == HTTPStatus.UNAUTHORIZED:
        return GitHubRefused(what, where=where, hint="the token is wrong or has expired: set another one")
    if error.status in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
        accepted = str((error.headers or {}).get("x-accepted-github-permissions", ""))
        may = (
            f"has the permission {said(accepted)}"
            if accepted.strip()
            else "may write contents and pull requests"
        )
        hint = f"check {names.github_repo}, and that the token {may} there"
        return GitHubRefused(what, where=where, hint=hint)
    # What is left is about the request itself: no waiting makes GitHub take it.
    if HTTPStatus.BAD_REQUEST <= error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return PullRequestRefused(
            what, where=where, hint="the branch is pushed: a pull request can be opened by hand"
        )
    return GitHubUnreachable(what, where=where, hint="see githubstatus.com")


def _asked_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds after which GitHub says to come back."""
    after, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    # `retry-after` may be a date too (RFC 9110, 10.2.3); GitHub sends seconds.
    if _SECONDS.fullmatch(after):
        return float(after)
    if headers.get("x-ratelimit-remaining") == "0" and _SECONDS.fullmatch(reset):
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
