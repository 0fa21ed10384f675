"""Where a remote is, whether credentials may go there, and how git is given them."""

from __future__ import annotations

import ipaddress
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from evalcore.git.errors import GitFailed, InsecureRemote
from evalcore.git.setting_names import NO_NAMES, SettingNames

ASKPASS = Path(__file__).parent / "askpass.sh"
USER = "x-access-token"
"""The user name that GitHub takes with any kind of token."""


class Credentials(NamedTuple):
    """A token and the one origin (`https://github.com`) that it is for; None is that of the clone's remote.

    The token is asked for at each use, since an app's tokens last an hour.
    """

    origin: str | None
    token: Callable[[], str]
    forget: Callable[[], None] = lambda: None
    """Called where git failed with the token: an app's may have ended before its time."""

    def __repr__(self) -> str:
        """Never the token."""
        return f"Credentials(origin={self.origin!r})"


class Handover(NamedTuple):
    """What a git process inherits so that it can ask for the token."""

    environment: dict[str, str]
    descriptors: tuple[int, ...]
    token: str = ""
    """To be taken out of whatever git says."""

    def __repr__(self) -> str:
        """Never the token."""
        return f"Handover(descriptors={self.descriptors!r})"


NO_HANDOVER = Handover({"GIT_ASKPASS": ""}, ())


def origin_of(url: str) -> str | None:
    """The scheme, host and port of an HTTP URL; None for a path or another scheme."""
    parts = _split(url)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"


def without_userinfo(url: str) -> str:
    """The URL as it may be shown."""
    parts = _split(url)
    if parts is None or "@" not in parts.netloc:
        return url
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def require_secure(url: str, where: str, *, allow_http: bool, names: SettingNames = NO_NAMES) -> None:
    """Refuse a URL over which a token would be readable; raises InsecureRemote.

    HTTPS everywhere; plain HTTP to loopback, or where the operator allows it; no credentials in the
    URL itself, since git hands URLs to its children as arguments.
    """
    parts = _split(url)
    if parts is None or parts.scheme not in {"http", "https"}:
        return  # No credentials go there, and GIT_ALLOW_PROTOCOL has the last word.
    if parts.username or parts.password:
        what = f"the URL {without_userinfo(url)} holds credentials"
        raise InsecureRemote(what, where=where, hint="remove them from it and set GITHUB_TOKEN instead")
    if parts.scheme == "http" and not (allow_http or is_loopback(parts.hostname or "")):
        what = f"{url} is plain HTTP, where a token can be read on the way"
        hint = "use https://"
        if names.plain_http is not None:
            hint = f"{hint}, or set {names.plain_http} on a network you trust"
        raise InsecureRemote(what, where=where, hint=hint)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by definition (no name is looked up)."""
    # A name that leads to this machine now may lead to another one once git connects.
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def allowed_protocols(url: str, *, allow_http: bool) -> str:
    """What GIT_ALLOW_PROTOCOL is to be: the URL's own transport if it is one of ours, and no other."""
    parts = _split(url)
    if parts is None:
        return "file"
    if parts.scheme == "http" and (allow_http or is_loopback(parts.hostname or "")):
        return "http"
    # Of any other scheme too (`ssh`, `ext`): git then refuses the URL.
    return "file" if parts.scheme == "file" else "https"


@contextmanager
def handover(credentials: Credentials | None, url: str) -> Iterator[Handover]:
    """Give git the means to ask for the token, if it is for this URL's origin."""
    origin = origin_of(url)
    if credentials is None or origin is None or origin != (credentials.origin or origin).lower():
        yield NO_HANDOVER
        return
    # git would only say that it could not read the user name, which is told as a token that is not accepted.
    if not os.access(ASKPASS, os.X_OK):
        hint = "install evalcore again, keeping file modes"
        raise GitFailed("it cannot be run", where=str(ASKPASS), hint=hint)
    token = credentials.token()
    with _nameless_file(token) as descriptor:
        scheme, _, host = origin.partition("://")
        environment = {
            "GIT_ASKPASS": str(ASKPASS),
            "EVALHOOK_ASKPASS_ORIGIN": origin,
            # git asks for the password with the user in the origin, and for the user without.
            "EVALHOOK_ASKPASS_USER_ORIGIN": f"{scheme}://{USER}@{host}",
            "EVALHOOK_ASKPASS_FD": str(descriptor),
        }
        yield Handover(environment, (descriptor,), token)


@contextmanager
def _nameless_file(text: str) -> Iterator[int]:
    """An open file with no name, which only processes that inherit it can read."""
    # In memory where the system can (Linux), so that the token never reaches a disk.
    in_memory = getattr(os, "memfd_create", None)
    with os.fdopen(in_memory("evalhook"), "w+b") if in_memory else tempfile.TemporaryFile() as file:
        file.write(text.encode())
        file.flush()
        file.seek(0)
        yield file.fileno()


def _split(url: str) -> SplitResult | None:
    if "://" not in url:
        return None
    try:
        return urlsplit(url)
    except ValueError:
        return None
