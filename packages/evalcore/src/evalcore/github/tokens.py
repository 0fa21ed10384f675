"""Tokens for GitHub: those of a GitHub App, renewed in time, or the one of the settings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from github import Auth, GithubIntegration

from evalcore.git.setting_names import NO_NAMES, SettingNames
from evalcore.github.transport import TIMEOUT, retry_policy, translated
from evalcore.secret import Secret

PUBLIC_API = "https://api.github.com"
# Longer than a push may take.
RENEW_BEFORE = timedelta(minutes=5)
"""How long a token must still hold."""


class AppTokens:
    """The installation tokens of a GitHub App: an hour each, renewed in time.

    `learned` is called with each new one, to mask it in logs.
    """

    def __init__(
        self,
        app_id: int,
        private_key: str,
        repository: str,
        *,
        api_url: str = PUBLIC_API,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        names: SettingNames = NO_NAMES,
        learned: Callable[[Secret], None] = lambda _: None,
    ) -> None:
        self._names = names
        self._learned = learned
        self._app_id = app_id
        self._private_key = private_key
        self._repository = repository
        self._api_url = api_url
        self._now = now
        self._current: tuple[str, datetime] | None = None
        self._granted: dict[str, str] = {}

    def token(self) -> str:
        """Return the token at hand, or fetch one."""
        # Asked at each use: a job may outlast the hour that a token holds.
        if self._current is None or self._current[1] - RENEW_BEFORE < self._now():
            self._current = self._fetch()
        return self._current[0]

    def forget(self) -> None:
        """Fetch another one next time."""
        self._current = None

    def granted(self) -> dict[str, str]:
        """Return what the App may do, by GitHub's names, as the present token says."""
        self.token()
        return dict(self._granted)

    def _fetch(self) -> tuple[str, datetime]:
        owner, _, name = self._repository.partition("/")
        with translated(self._api_url, "make a token for the app", self._private_key, self._names):
            auth = Auth.AppAuth(self._app_id, self._private_key)
            with GithubIntegration(
                auth=auth, base_url=self._api_url, timeout=TIMEOUT, retry=retry_policy()
            ) as app:
                made = app.get_access_token(app.get_repo_installation(owner, name).id)
                self._granted = {str(name): str(level) for name, level in made.permissions.items()}
        # From the moment that it is made: the first thing done with it may fail and be logged.
        self._learned(Secret(made.token))
        return made.token, made.expires_at


class GitHubTokens(Protocol):
    """Where tokens come from."""

    def token(self) -> str:
        """Return a token that holds for some minutes at least."""
        ...

    def forget(self) -> None:
        """Return another one next time, where there can be one: this one was refused."""
        ...


class FixedToken(NamedTuple):
    """A token that stands in the settings."""

    secret: Secret

    def token(self) -> str:
        """Return it."""
        return self.secret.reveal()

    def forget(self) -> None:
        """Do nothing: there is no other."""
