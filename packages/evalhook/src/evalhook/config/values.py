"""What each kind of setting may say: a text from the environment -> a value, or why not.

Sentences never repeat a value, since it may hold a secret in the wrong place.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit

from evalcore.git.credentials import is_loopback
from evalcore.github.repository_name import REPOSITORY
from evalcore.library import models
from evalcore.secret import Secret

ACCOUNT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}(\[bot\])?")
BRANCH: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}")
MAX_PORT: Final = 65535
MAX_DURATION: Final = 30 * 86400


class Unusable(Exception):
    """Why a text is no value of its kind, and what to write instead."""

    def __init__(self, what: str, hint: str) -> None:
        self.what = what
        self.hint = hint
        super().__init__(what)


def flag(text: str) -> bool:
    """Read `1` or `0`."""
    if text.lower() in {"1", "true", "yes"}:
        return True
    if text.lower() in {"0", "false", "no"}:
        return False
    raise Unusable("is neither 1 nor 0", "set it to 1 or leave it out")


def commit_back(text: str) -> Literal["pr", "push", "none"]:
    """Read how results are committed back."""
    match text:
        case "pr" | "push" | "none":
            return text
        case _:
            raise Unusable("is not a way to commit back", "use pr, push or none")


def publish_cases(text: str) -> Literal["names", "hashed", "none"]:
    """Read what is published of cases."""
    match text:
        case "names" | "hashed" | "none":
            return text
        case _:
            raise Unusable("is not a way to publish cases", "use names, hashed or none")


def as_written(check: Callable[[str], str]) -> Callable[[str], str]:
    """Make a reader that checks a text and returns it unchanged, as for names that are compared."""

    def read(text: str) -> str:
        check(text)
        return text

    return read


def bind(text: str) -> tuple[str, int]:
    """Read `host:port` (`[::1]:8080` for IPv6)."""
    host, colon, port = text.rpartition(":")
    # Python reads no number of over 4300 digits.
    is_short = port.isascii() and port.isdigit() and len(port) <= len(str(MAX_PORT))
    is_port = is_short and int(port) <= MAX_PORT
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not is_port:
        raise Unusable("is not host:port", "write it as 127.0.0.1:8080")
    return host, int(port)


def folder(text: str) -> Path:
    """Read a path; a relative one is taken from the working directory at start-up."""
    try:
        return Path(one_line(text)).expanduser().absolute()
    except RuntimeError:  # `~name/...`, of which there is none
        raise Unusable("is in the home of a user that is not there", "write the whole path") from None


def repository(text: str) -> str:
    """Read `owner/name`."""
    if REPOSITORY.fullmatch(text) is None:
        raise Unusable("is not the name of a repository", "write it as owner/name")
    return text


def accounts(text: str) -> tuple[str, ...]:
    """Read the names of GitHub accounts, separated by commas; an App's ends in `[bot]`."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not all(ACCOUNT.fullmatch(name) for name in names):
        raise Unusable("is not a list of GitHub accounts", "write it as name,other-name,app-name[bot]")
    return names


def branch(text: str) -> str:
    """Read the name of a branch."""
    # What git itself refuses in the name of a branch (git check-ref-format).
    is_odd = ".." in text or "//" in text or text.endswith(("/", ".", ".lock"))
    if BRANCH.fullmatch(text) is None or is_odd:
        raise Unusable("is not the name of a branch", "write it as main")
    return text


def one_line(text: str) -> str:
    """Read printable text of one line."""
    if not text.isprintable():
        raise Unusable("holds control characters", "write it in one line")
    return text


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Make a reader of whole numbers within bounds, both included."""

    def read(text: str) -> int:
        # int() alone would take underscores, signs and other scripts' digits.
        is_short = text.isascii() and text.isdigit() and len(text) <= len(str(high))
        if not is_short or not low <= int(text) <= high:
            raise Unusable(f"is not a whole number from {low} to {high}", "write it in digits")
        return int(text)

    return read


def duration(text: str) -> int:
    """Read a time: whole seconds, or a whole number with `s`, `m` or `h`."""
    found = re.fullmatch(r"([0-9]{1,7})([smh]?)", text)
    seconds = int(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]] if found else 0
    if not 0 < seconds <= MAX_DURATION:
        raise Unusable("is not a time of up to 30 days", "write it as 90s, 45m or 2h")
    return seconds


def one_line_secret(text: str) -> Secret:
    """Read a secret that goes into a header."""
    # A line break in a header's value would begin another header.
    if not text.isascii() or not text.isprintable() or " " in text:
        raise Unusable("holds white space or characters outside ASCII", "set it to the secret alone")
    return Secret(text)


def long_secret(length: int) -> Callable[[str], Secret]:
    """Make a reader of secrets of at least that many characters."""

    def read(text: str) -> Secret:
        secret = one_line_secret(text)
        if len(text) < length:
            raise Unusable(f"is shorter than {length} characters", "make one with: openssl rand -hex 32")
        return secret

    return read


def private_key(text: str) -> Secret:
    """Read a PEM private key."""
    if not text.startswith("-----BEGIN ") or "PRIVATE KEY-----" not in text:
        raise Unusable("is not a private key in PEM form", "use the file that GitHub gave for the App")
    return Secret(text)


def server_root(text: str) -> str:
    """Read the root of MindRouter; a trailing `/` or `/v1` means the same."""
    parts = _split(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise Unusable("is not the URL of a server", "write it as https://host")
    return models.server_root(text)


def web_url(example: str) -> Callable[[str], str]:
    """Make a reader of addresses that people or credentials are sent to."""

    def read(text: str) -> str:
        parts = _split(text)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise Unusable("is not the URL of a server", f"write it as {example}")
        # Paths are appended: `//` would be another path to some servers.
        return text.rstrip("/")

    return read


def http_proxy(text: str) -> str:
    """Read the URL of an HTTP proxy."""
    parts = _split(text)
    if parts.scheme != "http" or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise Unusable("is not the URL of an HTTP proxy", "write it as http://host:port")
    return text.rstrip("/")


def remote_url(text: str) -> str:
    """Read a git remote: over HTTP, or a folder of this machine."""
    parts = _split(text)
    is_folder = Path(text).is_absolute() or parts.scheme == "file"
    if not is_folder and (parts.scheme not in {"http", "https"} or not parts.hostname):
        # ssh, git:// and ext:: would bypass the credentials, or run a command.
        raise Unusable("is not a remote that git is allowed here", "write it as https://host/owner/name.git")
    return text


def require_encryption(url: str) -> None:
    """Refuse a URL that credentials would be sent to over plain HTTP, but for loopback."""
    parts = _split(url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise Unusable("would send credentials unencrypted", "use https, or set EVALHOOK_ALLOW_HTTP=1")


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        has_credentials = parts.username is not None or parts.password is not None
        # Read to be checked: urlsplit looks at a port only when it is asked for.
        _ = parts.port
    except ValueError:
        raise Unusable("is not a URL", "write it as https://host") from None
    if not text.isprintable() or " " in text:
        raise Unusable("holds white space", "write the URL alone")
    if has_credentials:
        raise Unusable("holds a user name or password", "take them out; the token has its own setting")
    return parts
