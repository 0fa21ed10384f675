"""The shared tokens that callers may show: two at once, re-read when their files change.

A file is checked (one `stat`) with each request that shows a token, and read again only where it has
changed. While a file is unusable the last good token stays valid, and that is logged once: a rotation
that goes wrong locks nobody out.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

import structlog

from evalcore.secret import MIN_TOKEN_LENGTH, Secret, TokenSource
from evalhook.config.values import Unusable, long_secret

MAX_TOKEN_BYTES: Final = 64 * 1024
RACY_NS: Final = 2_000_000_000
"""A file changed this recently may change again without its time showing it: it is read once more."""
log = structlog.stdlib.get_logger(__name__)


class SharedTokens:
    """The shared tokens that are valid now; `learned` is called with each new one, to mask it in logs."""

    def __init__(self, *sources: TokenSource, learned: Callable[[Secret], None] = lambda _: None) -> None:
        self._watched = [_Watched(source, learned) for source in sources]

    def accept(self, shown: bytes) -> bool:
        """Whether a token is valid; the time this takes depends neither on the token nor on the answer."""
        # Digests are of one length: the time of `compare_digest` may tell the lengths of what it compares.
        digest = sha256(shown).digest()
        # Every comparison is made, whatever the first one yields, so that the time reveals nothing.
        equal = [hmac.compare_digest(digest, watched.digest()) for watched in self._watched]
        return True in equal

    def era(self) -> bytes:
        """Return a value that changes whenever the valid tokens do."""
        return b"".join(watched.digest() for watched in self._watched)


class _Stamp(NamedTuple):
    """What differs once a file has been changed or replaced."""

    # A file that is replaced by renaming may have size and time of the one before; its inode differs.
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


class _Watched:
    """One token and its file."""

    def __init__(self, source: TokenSource, learned: Callable[[Secret], None]) -> None:
        self._source = source
        self._learned = learned
        # The digest of a token that is not set: random, so that no token shown has this digest.
        self._nothing = secrets.token_bytes(sha256().digest_size)
        self._digest = self._digest_of(source.secret)
        self._seen: _Stamp | None = None
        self._is_settled = False
        self._complaint = ""

    def digest(self) -> bytes:
        """Return the digest of the token as it is now."""
        if self._source.path is not None:
            self._look(self._source.path)
        return self._digest

    def _look(self, path: Path) -> None:
        try:
            stamp = _stamp(path)
            if stamp == self._seen and self._is_settled:
                return
            self._seen = stamp
            # As git does for its index: two writes within one tick of the clock have the same stamp.
            self._is_settled = abs(time.time_ns() - stamp.changed_ns) > RACY_NS
            self._take(_read(path))
        except FileNotFoundError:
            # Once it is there again it is read, whatever its stamp.
            self._seen = None
            self._take("")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            self._complain(f"it cannot be read: {reason}")

    def _take(self, text: str) -> None:
        if not text and self._source.may_be_absent:
            self._use(None)
        elif not text:
            self._complain("it is not there, or empty")
        else:
            try:
                self._use(long_secret(MIN_TOKEN_LENGTH)(text))
            except Unusable as error:
                self._complain(f"it {error.what}")

    def _use(self, token: Secret | None) -> None:
        digest, self._complaint = self._digest_of(token), ""
        # The digests are compared: no line is written for a file that was touched and says the same.
        if digest != self._digest:
            self._digest = digest
            log.info("token_changed", setting=self._source.setting, is_set=token is not None)
        if token is not None:
            self._learned(token)

    def _complain(self, reason: str) -> None:
        if reason != self._complaint:
            self._complaint = reason
            file = f"{self._source.setting}_FILE"
            log.warning("token_not_read", setting=file, reason=reason, kept="the last good one")

    def _digest_of(self, token: Secret | None) -> bytes:
        return self._nothing if token is None else sha256(token.reveal().encode()).digest()


def _stamp(path: Path) -> _Stamp:
    status = path.stat()
    return _Stamp(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(MAX_TOKEN_BYTES).decode().strip()
