"""Two tokens at once, re-read when their files change: a rotation that loses no request."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest

from evalcore.errors import ConfigurationError
from evalcore.secret import Secret, TokenSource
from evalhook.config.settings import read_settings
from evalhook.security.tokens import SharedTokens

OLD, NEW = "old-" + "o" * 40, "new-" + "n" * 40


class Files:
    """The two files and what watches them."""

    def __init__(self, folder: Path) -> None:
        self.current, self.next = folder / "token", folder / "next"
        self.current.write_text(f"{OLD}\n")
        self.learned: list[Secret] = []
        self.tokens = SharedTokens(
            TokenSource("TOKEN", Secret(OLD), self.current),
            TokenSource("NEXT", None, self.next, may_be_absent=True),
            learned=self.learned.append,
        )

    def valid(self) -> set[str]:
        return {token for token in (OLD, NEW, "") if self.tokens.accept(token.encode())}


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_a_rotation_loses_no_request(files: Files) -> None:
    assert files.valid() == {OLD}
    files.next.write_text(NEW)
    assert files.valid() == {OLD, NEW}, "callers change over one by one"
    files.current.write_text(NEW)
    files.next.write_text("")
    assert files.valid() == {NEW}


def test_a_file_that_is_replaced_counts_as_one_that_is_written(files: Files, tmp_path: Path) -> None:
    assert files.valid() == {OLD}
    other = tmp_path / "other"
    other.write_text(NEW)
    os.utime(other, ns=(files.current.stat().st_mtime_ns,) * 2)
    other.replace(files.current)
    assert files.valid() == {NEW}


def test_two_changes_within_one_tick_of_the_clock_are_both_seen(files: Files) -> None:
    same_size = OLD[::-1]
    for token in (same_size, OLD, same_size):
        files.current.write_text(token)
        assert files.tokens.accept(token.encode())


@pytest.mark.parametrize("broken", [b"", b"too short", b"\xff" * 40, b"two words " * 5, b"line\nline" * 10])
def test_a_broken_file_keeps_the_last_good_token_and_is_logged_once(
    files: Files, capsys, broken: bytes
) -> None:
    files.next.write_text(NEW)
    assert files.valid() == {OLD, NEW}
    files.current.write_bytes(broken)
    for _ in range(3):
        assert files.valid() == {OLD, NEW}
    assert capsys.readouterr().out.count("token_not_read") == 1
    files.current.unlink()
    assert files.valid() == {OLD, NEW}


def test_a_short_next_token_is_not_taken(files: Files) -> None:
    files.next.write_text("short")
    assert files.valid() == {OLD}
    assert not files.tokens.accept(b"short")


def test_what_is_learned_from_a_file_is_masked_from_then_on(files: Files) -> None:
    files.next.write_text(NEW)
    files.valid()
    assert Secret(NEW) in files.learned


def test_a_next_token_may_wait_for_its_file(environment, tmp_path: Path) -> None:
    later = tmp_path / "next"
    for prepare in (lambda: None, later.touch, lambda: later.write_text(NEW)):
        prepare()
        settings = read_settings(environment(MINDROUTER_EVAL_WEBHOOK_TOKEN_NEXT_FILE=str(later)))
        assert settings.token_next_file == later
    assert settings.token_next == Secret(NEW)


@pytest.mark.parametrize("name", ["MINDROUTER_EVAL_WEBHOOK_TOKEN", "MINDROUTER_EVAL_WEBHOOK_TOKEN_NEXT"])
def test_a_short_token_stops_the_start(environment, name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_settings(environment(**{name: "x" * 31}))
    assert caught.value.where == name


def test_the_service_takes_both_without_a_restart(world, tmp_path: Path) -> None:
    file = tmp_path / "next"
    world.changes = {"MINDROUTER_EVAL_WEBHOOK_TOKEN_NEXT_FILE": str(file)}

    async def tell(client: httpx.AsyncClient) -> None:
        async def status(token: str) -> int:
            answer = await client.get("/jobs", headers={"Authorization": f"Bearer {token}"})
            return answer.status_code

        assert await status(NEW) == 401
        file.write_text(NEW)
        assert (await status(NEW), await status(world.token)) == (200, 200)
        file.unlink()
        assert (await status(NEW), await status(world.token)) == (401, 200)

    world.story(tell)
