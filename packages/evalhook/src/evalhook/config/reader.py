"""Looks settings up in an environment, secrets in files too, and collects everything that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from evalcore.errors import ConfigurationError
from evalcore.secret import Secret
from evalhook.config import values
from evalhook.config.table import Defaulted, Setting

MAX_SECRET_BYTES: Final = 64 * 1024
T = TypeVar("T")


class SettingReader:
    """Looks settings up and collects what is wrong; an empty value counts as unset."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._failed: set[str] = set()
        self.problems: list[ConfigurationError] = []
        self.shown: dict[str, str] = {}

    def fail(self, setting: Setting[T], what: str, hint: str) -> None:
        """Note that a setting is wrong."""
        self._failed.add(setting.name)
        self.problems.append(ConfigurationError(what, where=setting.name, hint=hint))

    def failed(self, *settings: Setting[Any]) -> bool:
        """Whether any of these settings is wrong."""
        return not self._failed.isdisjoint(setting.name for setting in settings)

    def optional(self, setting: Setting[T]) -> T | None:
        """Read a setting that may be unset."""
        if setting.is_secret:
            return self._secret(setting)
        text = self._environ.get(setting.name, "").strip()
        self.shown[setting.name] = text or "not set"
        return self._parsed(setting, text) if text else None

    def value(self, setting: Defaulted[T]) -> T:
        """Read a setting that has a default, which is also returned for a value that is wrong."""
        value = self.optional(setting)
        if value is None and self.shown[setting.name] == "not set":
            self.shown[setting.name] = f"not set (default: {_as_text(setting.default)})"
        return setting.default if value is None else value

    def required(self, setting: Setting[T], stand_in: T) -> T:
        """Read a setting that must be set; the stand-in is returned after a failure."""
        value = self.optional(setting)
        if value is None and not self.failed(setting):
            name = setting.name
            hint = "set it; `evalhook check` lists every setting"
            if setting.is_secret:
                hint = f"set it, or {name}_FILE to the path of a file that holds it"
            self.fail(setting, "is not set", hint)
        # Reading goes on after a failure, so that `evalhook check` names every mistake at once.
        return stand_in if value is None else value

    def rotating(self, setting: Setting[Secret]) -> Secret | None:
        """Read a secret that may come and go while the service runs: its file may be absent or empty."""
        path = self.secret_path(setting)
        return self._secret(setting, is_absent=path is not None and _is_empty(path))

    def secret_path(self, setting: Setting[Secret]) -> Path | None:
        """Return the file that a secret is read from; None where it is in the environment itself."""
        path = self._environ.get(f"{setting.name}_FILE", "")
        return Path(path) if path else None

    def _secret(self, setting: Setting[T], *, is_absent: bool = False) -> T | None:
        text = "" if is_absent else self._secret_text(setting)
        self.shown[setting.name] = "set" if text else "not set"
        return self._parsed(setting, text) if text else None

    def _parsed(self, setting: Setting[T], text: str) -> T | None:
        try:
            return setting.read(text)
        except values.Unusable as error:
            self.fail(setting, error.what, error.hint)
            return None

    def _secret_text(self, setting: Setting[T]) -> str:
        name = setting.name
        text, path = self._environ.get(name, ""), self._environ.get(f"{name}_FILE", "")
        # Which of the two is meant cannot be known, and the wrong one may be a token that was withdrawn.
        if text and path:
            self.fail(setting, f"and {name}_FILE are both set", "set one of the two")
            return ""
        return self._file_text(setting, Path(path)) if path else text.strip()

    def _file_text(self, setting: Setting[T], path: Path) -> str:
        try:
            with path.open("rb") as file:
                # One byte more than allowed tells a file that is too large; a wrong path may be a file
                # without end.
                data = file.read(MAX_SECRET_BYTES + 1)
            text = data.decode().strip()
        except OSError as error:
            return self._bad_file(setting, error.strerror or "it is not there")
        except ValueError:
            return self._bad_file(setting, "it is not UTF-8")
        if not text:
            return self._bad_file(setting, "it is empty")
        return text if len(data) <= MAX_SECRET_BYTES else self._bad_file(setting, "it is too large")

    def _bad_file(self, setting: Setting[T], reason: str) -> str:
        what = f"cannot be read from its file: {reason}"
        self.fail(setting, what, f"mend the file that {setting.name}_FILE names")
        return ""


def _is_empty(path: Path) -> bool:
    try:
        return path.stat().st_size == 0
    except FileNotFoundError:
        return True
    except OSError:
        return False  # reading it says what is wrong with it


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
