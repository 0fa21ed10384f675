"""What the environment says of GitHub: whose token, which repository, where its API is.

The settings are the service's (docs/operations.md); in Actions the runner's own variables stand in for
those that are not set.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from evalcore.errors import ConfigurationError
from evalcore.git.setting_names import SettingNames
from evalcore.github.client import GitHub
from evalcore.github.reports import GitHubReports
from evalcore.github.repository_name import REPOSITORY
from evalcore.github.tokens import PUBLIC_API, AppTokens, FixedToken, GitHubTokens
from evalcore.github.trees import GitHubTrees
from evalcore.secret import Secret

TOKEN: Final = "GITHUB_TOKEN"  # noqa: S105 - a variable's name
APP_ID: Final = "EVALHOOK_GITHUB_APP_ID"
APP_KEY: Final = "EVALHOOK_GITHUB_APP_PRIVATE_KEY"
# The service's setting first; the runner names the API of the server that it belongs to, GitHub Enterprise's
# too.
API_URLS: Final = ("EVALHOOK_GITHUB_API_URL", "GITHUB_API_URL")
NAMES: Final = SettingNames(
    default_branch="the default branch on GitHub",
    plain_http="EVALHOOK_ALLOW_HTTP=1",
    github_repo="--repo",
    github_api_url="GITHUB_API_URL",
    trusted_publishers="EVALHOOK_TRUSTED_PUBLISHERS",
)
LONGEST_SECRET: Final = 64 * 1024

_Client = TypeVar("_Client", bound=GitHub)


class GitHubAccess(NamedTuple):
    """What speaking to one repository on GitHub takes."""

    repository: str
    tokens: GitHubTokens
    api_url: str
    allow_http: bool
    trusted: tuple[str, ...]
    """Accounts whose pull requests count as our own."""


def github_access(environ: Mapping[str, str], repository: str) -> GitHubAccess:
    """Read how a repository is reached; raises ConfigurationError naming the setting."""
    if not REPOSITORY.fullmatch(repository):
        raise ConfigurationError(f"{repository!r:.100} is no owner/name", where="--repo", hint="name it so")
    api_url = next((environ[name] for name in API_URLS if environ.get(name)), PUBLIC_API).rstrip("/")
    logins = environ.get("EVALHOOK_TRUSTED_PUBLISHERS", "").split(",")
    return GitHubAccess(
        repository=repository,
        tokens=_tokens(environ, repository, api_url),
        api_url=api_url,
        allow_http=environ.get("EVALHOOK_ALLOW_HTTP") == "1",
        trusted=tuple(login.strip() for login in logins if login.strip()),
    )


def github_of(access: GitHubAccess) -> GitHubTrees:
    """Return the client of the repository: its trees and its pull requests."""
    return _client(GitHubTrees, access)


def commenter_of(access: GitHubAccess) -> GitHubReports:
    """Return what comments on the repository's pull requests."""
    return _client(GitHubReports, access)


def _client(kind: type[_Client], access: GitHubAccess) -> _Client:
    return kind(
        access.repository,
        access.tokens,
        api_url=access.api_url,
        allow_http=access.allow_http,
        trusted=access.trusted,
        names=NAMES,
    )


def _tokens(environ: Mapping[str, str], repository: str, api_url: str) -> GitHubTokens:
    app_id, key = environ.get(APP_ID, "").strip(), read_secret(environ, APP_KEY)
    if app_id or key:
        if not app_id.isdecimal() or key is None:
            lacking = APP_KEY if key is None else APP_ID
            raise ConfigurationError(
                "is not set, though the app's other half is", where=lacking, hint="set both"
            )
        return AppTokens(int(app_id), key.reveal(), repository, api_url=api_url, names=NAMES)
    token = read_secret(environ, TOKEN)
    if token is None:
        hint = f"set it, or {APP_ID} and {APP_KEY}"
        raise ConfigurationError("is not set", where=TOKEN, hint=hint)
    return FixedToken(token)


def read_secret(environ: Mapping[str, str], name: str) -> Secret | None:
    """Return a secret from its variable, or from the file that `<NAME>_FILE` names; None without either.

    Raises ConfigurationError where the file cannot be read.
    """
    text = environ.get(name, "").strip()
    path = environ.get(f"{name}_FILE", "")
    if not text and path:
        try:
            with Path(path).open("rb") as file:
                text = file.read(LONGEST_SECRET).decode().strip()
        except (OSError, ValueError) as error:
            what = f"cannot be read ({type(error).__name__})"
            raise ConfigurationError(
                what, where=f"{name}_FILE", hint="name a file that can be read"
            ) from None
    return Secret(text) if text else None
