"""What git printed, and which error its operator gets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.errors import StorageError
from evalcore.git import errors
from evalcore.git.command import Outcome
from evalcore.git.translate import SHOWN, said, scrub, translate


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("fatal: sha1 file '/x' write error: No space left on device", StorageError),
        ("error: unable to create '/x/.git/index.lock': Permission denied", StorageError),
        ("fatal: Unable to create '/x/.git/index.lock': File exists.", errors.CloneLocked),
        ("fatal: unable to access 'https://h/x/': Could not resolve host: h", errors.RemoteUnreachable),
        (
            "fatal: unable to access 'https://h/x/': The requested URL returned error: 502",
            errors.RemoteUnreachable,
        ),
        ("fatal: unable to access 'https://h/x/': SSL certificate problem", errors.RemoteUnreachable),
        (
            "fatal: unable to access 'https://h/x/': The requested URL returned error: 403",
            errors.RemoteRefused,
        ),
        ("fatal: Authentication failed for 'https://h/x/'", errors.RemoteRefused),
        ("remote: Repository not found.\nfatal: repository 'https://h/x/' not found", errors.RemoteRefused),
        ("fatal: bad object HEAD", errors.CloneCorrupt),
        ("fatal: something new", errors.GitFailed),
        ("", errors.GitFailed),
    ],
)
def test_causes_are_told_apart(text: str, kind: type[Exception]) -> None:
    error = translate(Outcome(128, b"", text), "fetch", "/x")
    assert type(error) is kind
    assert error.hint


def test_what_a_remote_writes_is_no_cause_on_this_machine() -> None:
    text = "remote: No space left on device\nfatal: the remote end hung up unexpectedly"
    assert type(translate(Outcome(128, b"", text), "fetch", "/x")) is errors.RemoteUnreachable


@given(st.text(max_size=2000))
def test_gits_words_are_shown_in_one_bounded_printable_line(text: str) -> None:
    shown = said(text)
    assert shown.isprintable()
    assert len(shown) <= SHOWN


def test_credentials_are_taken_out_of_gits_words() -> None:
    text = "fatal: https://user:pw@h/x and ghp_canary"
    assert scrub(text, "ghp_canary") == "fatal: https://h/x and [token]"
