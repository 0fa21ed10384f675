"""Sessions: bounded in number and time, ended by a change of tokens; which cookie counts."""

from __future__ import annotations

import pytest
from litestar.datastructures import Headers

from evalhook.security.sessions import (
    COOKIE,
    LIFETIME_SECONDS,
    MAX_COOKIE,
    MOST_SESSIONS,
    Sessions,
    is_from_elsewhere,
    session_of,
)


def test_sessions_end_by_themselves_and_are_bounded() -> None:
    clock = [0.0]
    sessions = Sessions(monotonic=lambda: clock[0])
    first = sessions.open()
    assert sessions.is_open(first)
    clock[0] = LIFETIME_SECONDS
    assert not sessions.is_open(first)
    opened = [sessions.open() for _ in range(MOST_SESSIONS + 1)]
    assert not sessions.is_open(opened[0])
    assert all(sessions.is_open(session) for session in opened[1:])
    sessions.close(opened[-1])
    assert not sessions.is_open(opened[-1])


def test_a_change_of_tokens_ends_every_session() -> None:
    era = [b"one"]
    sessions = Sessions(era=lambda: era[0])
    session = sessions.open()
    assert sessions.is_open(session)
    era[0] = b"two"
    assert not sessions.is_open(session)
    assert sessions.is_open(sessions.open())


@pytest.mark.parametrize(
    ("cookie", "session"),
    [
        (f"{COOKIE}=abc", "abc"),
        (f"other=1; {COOKIE}=abc", "abc"),
        ("evalhook=abc", None),
        ("", None),
        (f"{COOKIE}={'x' * MAX_COOKIE}", None),
    ],
)
def test_only_our_own_cookie_of_a_sane_size_is_a_session(cookie: str, session: str | None) -> None:
    assert session_of(Headers({"cookie": cookie})) == session


@pytest.mark.parametrize(
    ("headers", "elsewhere"),
    [
        ({}, False),
        ({"sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "same-site"}, True),
        ({"origin": "https://hook.example", "host": "hook.example"}, False),
        ({"origin": "https://hook.example:444", "host": "hook.example"}, True),
        ({"origin": "null", "host": "hook.example"}, True),
    ],
)
def test_a_form_counts_only_from_the_page_itself(headers: dict[str, str], elsewhere: bool) -> None:  # noqa: FBT001
    assert is_from_elsewhere(Headers(headers)) is elsewhere
