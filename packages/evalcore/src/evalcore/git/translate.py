"""What git printed -> which error it is, in words for the operator."""

from __future__ import annotations

import re
from typing import NamedTuple

from evalcore.errors import EvaluatorError, StorageError
from evalcore.git import errors
from evalcore.git.command import Outcome
from evalcore.git.setting_names import NO_NAMES, SettingNames

SHOWN = 240
"""Characters of git's own words in an error."""


class Meaning(NamedTuple):
    """What a line of git's means."""

    pattern: re.Pattern[str]
    kind: type[EvaluatorError]
    what: str
    hint: str


def _meaning(pattern: str, kind: type[EvaluatorError], what: str, hint: str) -> Meaning:
    return Meaning(re.compile(pattern, re.IGNORECASE), kind, what, hint)


# The first that matches says it best: the cause stands before its consequences.
MEANINGS = (
    _meaning("no space left|disk quota exceeded", StorageError, "the disk is full", "free some space"),
    _meaning(
        "dubious ownership",
        errors.CloneUnusable,
        "the clone belongs to another user",
        "give it to the user that the service runs as (chown -R)",
    ),
    _meaning(
        r"permission denied|read-only file system",
        StorageError,
        "git may not write here",
        "give the folder to the user that the service runs as",
    ),
    _meaning(
        r"\.lock': File exists|unable to create '.*\.lock'|cannot lock ref|another git process",
        errors.CloneLocked,
        "another git process is at work in the clone",
        "wait until it ends; if there is none, delete the lock file that is named",
    ),
    _meaning(
        "couldn't find remote ref",
        errors.BranchMissing,
        "the remote has no such branch",
        "see whether {names.default_branch} is the right one, and has a commit",
    ),
    _meaning(
        r"transport '.*' not allowed",
        errors.InsecureRemote,
        "the remote is reached over a transport that is not allowed",
        "use https://",
    ),
    _meaning(
        # 404 too: GitHub hides a private repository from whoever may not read it.
        r"authentication failed|could not read (username|password)|returned error: 40[134]"
        r"|repository not found|repository '.*' not found|access denied",
        errors.RemoteRefused,
        "the remote does not let the service in, or has no such repository",
        "check the URL, and what the token may do",
    ),
    _meaning(
        r"could not resolve host|failed to connect|connection (refused|reset|timed out)|unable to access"
        r"|returned error: [35]\d\d|early eof|unexpected disconnect|rpc failed|hung up|ssl|certificate"
        r"|does not appear to be a git repository|operation too slow",
        errors.RemoteUnreachable,
        "the remote cannot be reached",
        "check the network and the URL",
    ),
    _meaning(
        r"would be overwritten|local changes",
        errors.CloneDirty,
        "files in the clone's checkout stand in the way",
        "move them away",
    ),
    _meaning(
        r"not a git repository|bad object|corrupt|unable to read|loose object|bad signature|index file"
        r"|packfile|invalid object|unknown revision|bad revision|not a valid|unable to resolve|bad ref"
        r"|invalid sha1|bad config|missing (blob|tree|commit)",
        errors.CloneCorrupt,
        "git cannot read the clone",
        "it is made anew at its next use where its URL is set; otherwise delete it and clone it again",
    ),
)


def translate(outcome: Outcome, command: str, where: str, names: SettingNames = NO_NAMES) -> EvaluatorError:
    """Make the error that a failed git command stands for."""
    # What the remote wrote is its own affair: it must not pass for a cause on this machine.
    own = "\n".join(line for line in outcome.errors.splitlines() if not line.startswith("remote:"))
    for meaning in MEANINGS:
        if meaning.pattern.search(own):
            what = f"{meaning.what} ({said(own, meaning.pattern)})"
            return meaning.kind(what, where=where, hint=meaning.hint.format(names=names))
    what = f"git {command} failed: {said(outcome.errors)}"
    return errors.GitFailed(what, where=where, hint="`git fsck` says whether the clone is whole")


def said(text: str, pattern: re.Pattern[str] | None = None) -> str:
    """Git's own words that matter, in one line without control characters."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if pattern and pattern.search(line)]
    loud = [line for line in lines if line.startswith(("fatal:", "error:", "remote:"))]
    chosen = (telling or loud or lines or ["it gave no reason"])[0]
    printable = "".join(character if character.isprintable() else " " for character in chosen)
    return " ".join(printable.split())[:SHOWN]


def scrub(text: str, token: str) -> str:
    """Take credentials out of what git or a remote printed."""
    text = text.replace(token, "[token]") if token else text
    return re.sub(r"://[^/@\s]+@", "://", text)
