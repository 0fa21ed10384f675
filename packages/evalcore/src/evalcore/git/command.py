"""Runs git: a clean environment, fixed settings, a time limit on every call, bounded output.

Why nothing in a clone can make git run a program or write outside its folder:

- hooks: `core.hooksPath` is /dev/null, and `core.fsmonitor` is off;
- filters, merge drivers, textconv and external diffs: `.gitattributes` can only *name* them; their
  commands come from configuration, and no file of a commit is configuration. The system's and the
  user's configuration are not read; the clone's own `.git/config` is its operator's;
- submodules: never recursed into, so `.gitmodules` is a file like any other;
- transports: `GIT_ALLOW_PROTOCOL` names the one transport of the remote's URL, so `ext::`, `ssh` and
  a redirect to another protocol are refused; HTTP redirects are not followed;
- paths: git itself refuses `.git`, `..`, absolute paths and writing through symbolic links, and
  `core.protectHFS`/`core.protectNTFS` refuse their disguises. Links are checked out as links; what
  reads a checkout refuses those that leave it. Results are committed without any checkout;
- editors, pagers, prompts: none, and standard input is empty.

`read_git` and `start_reading` are the same for a checkout that somebody else made: one that another
user owns is read all the same, since nothing of it is executed, and nothing missing is fetched.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from evalcore.git.credentials import NO_HANDOVER, Handover
from evalcore.git.errors import GitFailed, GitTimedOut

# A leaderboard is the largest thing that is read.
OUTPUT_LIMIT = 64 * 1024 * 1024
"""Bytes of standard output that are returned."""
# A remote may send as many lines as it likes.
ERROR_LIMIT = 64 * 1024
"""Bytes of standard error that are returned."""
LOCAL_TIMEOUT = 60.0
"""Seconds for a command that stays on this machine."""
GRACE = 2.0
"""Seconds that git has to remove its lock files after SIGTERM."""

# On every command line, which counts above the clone's own configuration.
SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    # Milliseconds to wait for another git process's lock on a reference, instead of failing at once.
    "core.filesRefLockTimeout": "2000",
    "core.packedRefsTimeout": "2000",
    "credential.helper": "",
    "http.followRedirects": "false",
    "http.sslVerify": "true",
    # git itself ends a transfer of less than 1000 bytes a second for 60 s.
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "60",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "push.recurseSubmodules": "no",
    "push.gpgSign": "false",
    "commit.gpgSign": "false",
    # Housekeeping would go on in the background, beyond the command's end and its time limit.
    "gc.auto": "0",
    "maintenance.auto": "false",
    "advice.detachedHead": "false",
}
INHERITED_VARIABLES = (
    "PATH", "TMPDIR", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
)  # fmt: skip
FIXED_VARIABLES = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    # A status that only reads takes no index.lock, which would make another command fail.
    "GIT_OPTIONAL_LOCKS": "0",
    # A file's name may hold `*` or `:`: no path is a pattern.
    "GIT_LITERAL_PATHSPECS": "1",
    # A reference below refs/replace would show other contents under a commit's id.
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_EDITOR": "false",
    # Messages in English: `translate` reads them.
    "LC_ALL": "C",
    "LANGUAGE": "C",
}
ANY_OWNER = {"safe.directory": "*"}
"""For checkouts that another user owns, as in a container's job."""
READING = SETTINGS | ANY_OWNER
AS_USER = ANY_OWNER | {name: SETTINGS[name] for name in ("core.hooksPath", "core.fsmonitor")}
READING_VARIABLES = {
    "GIT_TERMINAL_PROMPT": "0",
    # In a partial clone, reading a missing object would fetch it from the remote.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}


class Outcome(NamedTuple):
    """How a git command ended."""

    status: int
    output: bytes
    errors: str

    @property
    def text(self) -> str:
        """The output as stripped text."""
        return self.output.decode("utf-8", "replace").strip()


def run_git(
    directory: Path,
    *arguments: str,
    timeout: float = LOCAL_TIMEOUT,
    environment: Mapping[str, str] | None = None,
    protocols: str = "none",
    credentials: Handover = NO_HANDOVER,
    stdin: bytes = b"",
) -> Outcome:
    """Run one git command in a directory; raises GitTimedOut, and GitFailed where git cannot be run."""
    variables = _environment(protocols) | dict(environment or {}) | credentials.environment
    return _run(directory, arguments, SETTINGS, variables, timeout, credentials.descriptors, stdin)


def read_git(directory: Path, *arguments: str) -> Outcome:
    """Ask git about a checkout, so that it changes, runs and fetches nothing; raises as `run_git`."""
    return _run(directory, arguments, READING, _reading_environment(), LOCAL_TIMEOUT)


def read_git_as_user(directory: Path, *arguments: str, environment: Mapping[str, str]) -> Outcome:
    """Ask git about a checkout with the configuration of whoever runs this; raises as `run_git`.

    Only for comparing a checkout's files with its commit on the user's own machine: their filters
    (git-lfs) and what they ignore decide what is a change. Never for the service.
    """
    # GIT_DIR and its kind would answer for another repository, as in a hook of git's.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    variables = inherited | READING_VARIABLES | dict(environment)
    return _run(directory, arguments, AS_USER, variables, LOCAL_TIMEOUT)


def start_reading(directory: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a git command that is asked again and again, with pipes to ask it; raises OSError.

    Whoever starts it ends it.
    """
    return subprocess.Popen(
        _command(READING, arguments),
        cwd=directory,
        env=_reading_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def _command(settings: Mapping[str, str], arguments: Sequence[str]) -> list[str]:
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return ["git", *options, *arguments]


def _run(
    directory: Path,
    arguments: Sequence[str],
    settings: Mapping[str, str],
    variables: Mapping[str, str],
    timeout: float,
    descriptors: tuple[int, ...] = (),
    stdin: bytes = b"",
) -> Outcome:
    try:
        process = subprocess.Popen(
            _command(settings, arguments),
            cwd=directory,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=descriptors,
            # Its own group, so that a time-out ends git's children (git-remote-https) with it.
            start_new_session=True,
        )
    except OSError as error:
        what = f"git cannot be run: {error.strerror}"
        raise GitFailed(
            what, where=str(directory), hint="is git installed, and may this program run it here?"
        ) from error
    with process:
        try:
            return _communicate(process, stdin, timeout)
        except subprocess.TimeoutExpired as error:
            what = f"git {arguments[0]} did not end within {timeout:.0f} s"
            hint = "is the remote reachable, and the disk not overloaded?"
            raise GitTimedOut(what, where=str(directory), hint=hint) from error
        finally:
            _end(process)


def _reading_environment() -> dict[str, str]:
    return _environment("none") | READING_VARIABLES


def _environment(protocols: str) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in INHERITED_VARIABLES if name in os.environ}
    return {**inherited, **FIXED_VARIABLES, "GIT_ALLOW_PROTOCOL": protocols}


def _communicate(process: subprocess.Popen[bytes], stdin: bytes, timeout: float) -> Outcome:
    output, errors = bytearray(), bytearray()
    readers = [
        threading.Thread(target=_drain, args=(process.stdout, output, OUTPUT_LIMIT), daemon=True),
        threading.Thread(target=_drain, args=(process.stderr, errors, ERROR_LIMIT), daemon=True),
        # In a thread as well: git may write while it still reads, and both sides would wait for each other's
        # pipe.
        threading.Thread(target=_feed, args=(process.stdin, stdin), daemon=True),
    ]
    for thread in readers:
        thread.start()
    try:
        status = process.wait(timeout)
    finally:
        _end(process)
        for thread in readers:
            thread.join(GRACE)
    return Outcome(status, bytes(output), errors.decode("utf-8", "replace"))


def _drain(stream: IO[bytes], buffer: bytearray, limit: int) -> None:
    """Read to the end, so that git never blocks; the beginning goes into the buffer."""
    while chunk := stream.read1(65536) if hasattr(stream, "read1") else stream.read(65536):
        buffer.extend(chunk[: limit - len(buffer)])


def _feed(stream: IO[bytes], stdin: bytes) -> None:
    try:
        stream.write(stdin)
        stream.close()
    except BrokenPipeError:
        pass


def _end(process: subprocess.Popen[bytes]) -> None:
    """End git and its children: politely, so that locks are removed, then at once."""
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
