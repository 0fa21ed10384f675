"""A value that must not be seen: masked wherever it is shown, revealed only where it is sent."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

MASK: Final = "[secret]"
SHORTEST_SCRUBBED: Final = 8
"""Characters of a line of a secret that is masked in texts."""
MIN_TOKEN_LENGTH: Final = 32
"""Characters of a token that callers of the service send."""


class Secret:
    """Holds a secret; `repr`, `str`, formatting and logs show a mask."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself, to be sent and nothing else."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        # Neither copied into another process nor written to a file by accident.
        raise TypeError("a secret is not serialised")


class Scrubber:
    """Takes known secrets out of texts that somebody else wrote (git, a library, a traceback)."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        self._values: tuple[str, ...] = ()
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: Secret) -> None:
        """Mask one more secret from now on."""
        # A very short one would mask half of every text; settings refuse those where it matters.
        # Line by line, as a private key is shown by a log or a traceback.
        lines = {line for line in secret.reveal().splitlines() if len(line) >= SHORTEST_SCRUBBED}
        if not lines <= set(self._values):
            # Replaced whole, for other threads may be masking with the former one.
            self._values = tuple(sorted(lines | set(self._values), key=len, reverse=True))

    def __call__(self, text: str) -> str:
        """Return the text with every known secret masked."""
        # The longest first: of two secrets that begin alike the rest of the longer one would stay.
        for value in self._values:
            text = text.replace(value, MASK)
        return text


class TokenSource(NamedTuple):
    """Where one token comes from."""

    setting: str
    secret: Secret | None
    """As it was read at start-up."""
    path: Path | None = None
    """The file to watch; None where the token stands in the environment itself."""
    may_be_absent: bool = False
    """Whether no file, or an empty one, means that there is no such token (otherwise a mishap)."""
