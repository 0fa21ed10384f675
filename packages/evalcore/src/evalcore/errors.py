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

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import ClassVar, Final, Generic, Self, TypeVar


class EvaluatorError(Exception):
    """Says what, where, and what to do, in one line, to the person who can correct it.

    `code` is stable and machine-readable; `where` is a file (with a line where known), a URL or a
    setting; `hint` says what to do. `others` are further errors of the same file: whoever mends the first
    must not find the next one only then.
    """

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False

    def __init__(
        self, what: str, *, where: str = "", hint: str = "", others: Sequence[EvaluatorError] = ()
    ) -> None:
        self.what = what
        self.where = where
        self.hint = hint
        self.others = tuple(others)
        super().__init__(self.line)

    @property
    def each(self) -> tuple[EvaluatorError, ...]:
        """This error and the others."""
        return (self, *self.others)

    @property
    def line(self) -> str:
        """All in one line; nothing in it moves a terminal's cursor or turns its text around."""
        first, *others = self.lines
        file = f"{self.where.rpartition(':')[0]}:"
        # The file is named once.
        more = (line.replace(file, "line ", 1) if line.startswith(file) else line for line in others)
        return "; ".join([first, *more])

    @property
    def lines(self) -> tuple[str, ...]:
        """One line for each error; as safe to show as `line`."""
        return tuple(map(_line, self.each))


def _line(error: EvaluatorError) -> str:
    text = f"{error.where}: {error.what}" if error.where else error.what
    text = f"{text}; {error.hint}" if error.hint else text
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


Kind = TypeVar("Kind", bound=InputError)
MOST_PROBLEMS: Final = 20
"""As many of one file are told at once: nobody mends more in one go, and the line has to end somewhere."""


class Problems(Generic[Kind]):
    """Collects the errors of one file, so that all are told at once.

    Each `with` block ends at its first error, and what follows the block is done all the same.
    """

    def __init__(self, kind: type[Kind]) -> None:
        self._kind = kind
        self.found: list[EvaluatorError] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, self._kind):
            return False
        self.found += error.each
        return True

    def add(self, errors: Iterable[EvaluatorError]) -> None:
        """Collect errors that nobody raised."""
        self.found += errors

    def end(self) -> None:
        """Raise what was collected as one error, in the order of lines; nothing where there is none."""
        if self.found:
            first, *others = sorted({error.lines[0]: error for error in self.found}.values(), key=_place)
            if len(others) >= MOST_PROBLEMS:
                more = len(others) - MOST_PROBLEMS + 1
                others = [*others[: MOST_PROBLEMS - 1], EvaluatorError(f"and {more:,} more")]
            raise self._kind(first.what, where=first.where, hint=first.hint, others=others)


def _place(error: EvaluatorError) -> tuple[str, int]:
    file, _, line = error.where.rpartition(":")
    return (file, int(line)) if line.isdecimal() else (error.where, 0)
