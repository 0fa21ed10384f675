"""Addresses of databases: shown without a password, and said in one line where one cannot be used."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcli.campaigns import address as addresses
from evalcli.campaigns.address import (
    _CONNECT_LIMITS,
    DatabaseGone,
    has_password,
    shown_url,
    sqlite_url,
    when_there,
)
from evalcli.campaigns.database import CampaignDatabase
from evalcore.errors import EvaluatorError

PASSWORD = "s3cret-canary-8f1d"


@pytest.mark.parametrize(
    "address",
    [
        "campaigns.sqlite",
        "",
        "sqlite://",
        "mysql://host/name",
        f"postgres://u:{PASSWORD}@host/name",
        f"postgresql://u:{PASSWORD}@host:port/name",
        f"postgresql://u:{PASSWORD}@[::1/name",
        f"postgresql+nodriver://u:{PASSWORD}@127.0.0.1:1/name",
        "postgresql://%",
    ],
)
def test_what_is_no_address_of_a_database_is_one_line_without_its_password(address: str) -> None:
    with pytest.raises(EvaluatorError) as raised:
        CampaignDatabase(address)
    assert "\n" not in raised.value.line
    assert PASSWORD not in raised.value.line


@given(st.text(max_size=40) | st.text(":/@%?#[]=.!&", max_size=12).map(lambda text: f"postgresql:{text}"))
def test_any_text_can_be_shown_instead_of_an_address(text: str) -> None:
    assert isinstance(shown_url(text), str)
    assert isinstance(has_password(text), bool)


def test_a_password_is_seen_and_not_shown() -> None:
    address = f"postgresql://user:{PASSWORD}@host/name"
    assert has_password(address)
    assert not has_password("postgresql://user@host/name")
    assert shown_url(address) == "postgresql://user:***@host/name"
    in_query = f"postgresql://user@host/name?password={PASSWORD}&sslmode=require"
    assert has_password(in_query)
    assert PASSWORD not in shown_url(in_query)


def test_a_file_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.sqlite").write_text("This is no database." * 100)
    for path in (tmp_path / "absent" / "campaigns.sqlite", tmp_path, tmp_path / "text.sqlite"):
        with pytest.raises(DatabaseGone, match="the database cannot be used") as raised:
            CampaignDatabase(sqlite_url(path))
        assert "\n" not in raised.value.line


def test_a_database_that_nobody_listens_at_is_one_line_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(DatabaseGone) as raised:
            CampaignDatabase(f"postgresql://user:{PASSWORD}@127.0.0.1:{port}/name")
    assert time.monotonic() - began < 15
    assert "\n" not in raised.value.line
    assert PASSWORD not in raised.value.line


def test_a_database_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    # The least that libpq takes.
    monkeypatch.setitem(_CONNECT_LIMITS, "connect_timeout", "2")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(DatabaseGone) as raised:
            CampaignDatabase(f"postgresql://user:{PASSWORD}@127.0.0.1:{port}/name")
    assert time.monotonic() - began < 20
    assert "\n" not in raised.value.line
    assert PASSWORD not in raised.value.line


def test_a_database_that_comes_is_waited_for_and_said_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(addresses, "BETWEEN_S", 0.01)
    gone = DatabaseGone("the database cannot be used (refused)", where="postgresql://host/name")
    answers = iter([gone, gone, "the database"])

    def opened() -> str:
        answer = next(answers)
        if isinstance(answer, DatabaseGone):
            raise answer
        return answer

    assert when_there(opened) == "the database"
    assert capsys.readouterr().err.splitlines() == [
        "postgresql://host/name: the database cannot be used (refused); it is waited for, 10 min 0 s at most",
        "the database is there",
    ]
    # One that is there is opened without a word.
    assert (when_there(lambda: 7), capsys.readouterr().err) == (7, "")


def test_a_database_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "BETWEEN_S", 0.01)
    monkeypatch.setattr(addresses, "PATIENCE_S", 0.1)
    gone = DatabaseGone("the database cannot be used (refused)", where="postgresql://host/name")

    def opened() -> None:
        raise gone

    with pytest.raises(DatabaseGone):
        when_there(opened)
