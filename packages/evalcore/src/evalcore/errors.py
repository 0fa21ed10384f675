"""Every error that evalcore raises on purpose.

EvaluatorError
├── InputError                 what was read cannot be used; the person who wrote it can correct it
│   ├── ConfigurationError         models.yaml, a setting, an option
│   ├── ComponentError             prompt.md, the catalog, schema.json, scoring.yaml
│   │   └── UnknownComponent           there is no such component
│   ├── CaseError                  no usable case
│   ├── CheckoutError              a path that leaves the checkout, is too large, is not UTF-8, is not there
│   └── LeaderboardError           leaderboard.json is not valid, or two records of one id differ
├── ModelError                 a provider cannot be used at all (one failed call is noted in its reply)
│   ├── ProviderUnreachable  *     no connection, or it answers nothing sensible
│   └── ProviderRefused            the key is not accepted
├── ScoringError               scoring itself crashed or was killed; the replies stay
├── StorageError               the run's files cannot be written or read (disk full, permissions)
└── RepositoryError            git or GitHub refused or failed (refined in git.errors, github.transport)

* retryable. A wrong or unreadable *answer* of a model is no error: it is a score.
"""

from __future__ import annotations

from typing import ClassVar


class EvaluatorError(Exception):
    """Says what, where, and what to do, in one line, to the person who can correct it.

    `code` is stable and machine-readable; `where` is a file (with a line where known), a URL or a
    setting; `hint` says what to do.
    """

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        self.what = what
        self.where = where
        self.hint = hint
        super().__init__(self.line)

    @property
    def line(self) -> str:
        """The one line that is shown; nothing in it moves a terminal's cursor or turns its text around."""
        text = f"{self.where}: {self.what}" if self.where else self.what
        text = f"{text}; {self.hint}" if self.hint else text
        return " ".join("".join(char if char.isprintable() else " " for char in text).split())


class InputError(EvaluatorError):
    """What was read cannot be used."""

    code = "invalid_input"


class ConfigurationError(InputError):
    """models.yaml, a setting or an option is wrong."""

    code = "invalid_configuration"


class ComponentError(InputError):
    """A component's prompt, catalog entry, schema or policy cannot be used."""

    code = "unusable_component"


class UnknownComponent(ComponentError):
    """The prompt library has no component of that name."""

    code = "unknown_component"


class CaseError(InputError):
    """A component has no usable case."""

    code = "no_usable_case"


class CheckoutError(InputError):
    """A file of a checkout is missing, leaves it, is too large or is not UTF-8."""

    code = "unusable_file"


class LeaderboardError(InputError):
    """A leaderboard is not valid, or holds two different records of one id."""

    code = "invalid_leaderboard"


class ModelError(EvaluatorError):
    """A provider cannot be used at all."""

    code = "provider_error"


class ProviderUnreachable(ModelError):
    """There is no connection to the provider, or it answers nothing sensible."""

    code = "provider_unreachable"
    retryable = True


class ProviderRefused(ModelError):
    """The provider does not accept the key."""

    code = "provider_refused"


class ScoringError(EvaluatorError):
    """Scoring itself crashed or was killed: an error of our own, or too little memory."""

    code = "scoring"


class StorageError(EvaluatorError):
    """A run's files cannot be written or read."""

    code = "storage"


class RepositoryError(EvaluatorError):
    """Git or GitHub refused or failed; evalcore.git.errors and evalcore.github.transport refine it."""

    code = "repository"
