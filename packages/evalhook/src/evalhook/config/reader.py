"""Looks settings up in an environment, secrets in files too, and collects everything that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

from evalcore.errors import ConfigurationError
from evalcore.secret import Secret
from evalhook.config import values

MAX_SECRET_BYTES: Final = 64 * 1024
T = TypeVar("T")


class SettingReader:
    """Looks settings up and collects what is wrong; an empty value counts as unset."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._failed: set[str] = set()
        self.problems: list[ConfigurationError] = []
        self.shown: dict[str, str] = {}

    def fail(self, name: str, what: str, hint: str) -> None:
        """Note that a setting is wrong."""
        self._failed.add(name)
        self.problems.append(ConfigurationError(what, where=name, hint=hint))

    def failed(self, *names: str) -> bool:
        """Whether any of these settings is wrong."""
        return not self._failed.isdisjoint(names)

    def optional(self, name: str, parse: Callable[[str], T]) -> T | None:
        """Read a setting that may be unset."""
        text = self._environ.get(name, "").strip()
        self.shown[name] = text or "not set"
        return self._parsed(name, text, parse) if text else None

    def value(self, name: str, parse: Callable[[str], T], *, default: T) -> T:
        """Read a setting that has a default."""
        # The default stands in after a failure too: `problems` is looked at before anything is used.
        value = self.optional(name, parse)
        if value is None and self.shown[name] == "not set":
            self.shown[name] = f"not set (default: {_as_text(default)})"
        return default if value is None else value

    def required(self, name: str, parse: Callable[[str], T], stand_in: T) -> T:
        """Read a setting that must be set; the stand-in is returned after a failure."""
        value = self.optional(name, parse)
        if value is None and not self.failed(name):
            self.fail(name, "is not set", "set it; `evalhook check` lists every setting")
        return stand_in if value is None else value

    def secret(
        self, name: str, parse: Callable[[str], Secret], *, may_be_absent: bool = False
    ) -> Secret | None:
        """Read a secret that may be unset; `may_be_absent`: so may its file, or be empty."""
        path = self.secret_path(name)
        is_absent = may_be_absent and path is not None and _is_empty(path)
        text = "" if is_absent else self._secret_text(name)
        self.shown[name] = "set" if text else "not set"
        return self._parsed(name, text, parse) if text else None

    def required_secret(self, name: str, parse: Callable[[str], Secret]) -> Secret:
        """Read a secret that must be set."""
        secret = self.secret(name, parse)
        if secret is None and not self.failed(name):
            self.fail(name, "is not set", f"set it, or {name}_FILE to the path of a file that holds it")
        return secret or Secret("")

    def secret_path(self, name: str) -> Path | None:
        """Return the file that a secret is read from; None where it stands in the environment itself."""
        path = self._environ.get(f"{name}_FILE", "")
        return Path(path) if path else None

    def _parsed(self, name: str, text: str, parse: Callable[[str], T]) -> T | None:
        try:
            return parse(text)
        except values.Unusable as error:
            self.fail(name, error.what, error.hint)
            return None

    def _secret_text(self, name: str) -> str:
        text, path = self._environ.get(name, ""), self._environ.get(f"{name}_FILE", "")
        if text and path:
            self.fail(name, f"and {name}_FILE are both set", "set one of the two")
            return ""
        return self._file_text(name, Path(path)) if path else text.strip()

    def _file_text(self, name: str, path: Path) -> str:
        try:
            with path.open("rb") as file:
                data = file.read(MAX_SECRET_BYTES + 1)
            text = data.decode().strip()
        except OSError as error:
            return self._bad_file(name, error.strerror or "it is not there")
        except ValueError:
            return self._bad_file(name, "it is not UTF-8")
        if not text:
            return self._bad_file(name, "it is empty")
        return text if len(data) <= MAX_SECRET_BYTES else self._bad_file(name, "it is too large")

    def _bad_file(self, name: str, reason: str) -> str:
        self.fail(name, f"cannot be read from its file: {reason}", f"mend the file that {name}_FILE names")
        return ""


def _is_empty(path: Path) -> bool:
    try:
        return path.stat().st_size == 0
    except FileNotFoundError:
        return True
    except OSError:
        return False  # what is wrong with it is told by reading it


def _as_text(default: object) -> str:
    match default:
        case ():
            return "none"
        case bool():
            return str(int(default))
        case (str() as host, int() as port):
            return f"{host}:{port}"
        case _:
            return str(default) or "none"
