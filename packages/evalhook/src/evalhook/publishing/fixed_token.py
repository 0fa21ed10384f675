"""Where GitHub's tokens come from; apart from an App's, which need PyGithub (`github_tokens`)."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from evalhook.secret import Secret


class Tokens(Protocol):
    """Where tokens come from."""

    def token(self) -> str:
        """Give a token that holds for some minutes at least."""
        ...

    def forget(self) -> None:
        """Give another one next time, where there can be one: this one was refused."""
        ...


class FixedToken(NamedTuple):
    """A token that stands in the settings."""

    secret: Secret

    def token(self) -> str:
        """Give it."""
        return self.secret.reveal()

    def forget(self) -> None:
        """Keep it: there is no other."""
