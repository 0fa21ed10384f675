"""The word `github-actions`: ranges from GitHub's `meta`, refreshed daily, the last good ones kept."""

from __future__ import annotations

import asyncio
import ipaddress
from pathlib import Path
from typing import Any

import pytest

from evalhook.config.networks import parse_allowed
from evalhook.config.values import Unusable
from evalhook.security.allowed_ips import REFRESH_SECONDS, RETRY_SECONDS, AllowedAddresses
from evalhook.security.fetch import FetchFailed
from evalsim.asgi import json_answer, send_answer
from evalsim.serving import running

RUNNER, OFFICE, STRANGER = "4.148.0.9", "192.0.2.1", "203.0.113.9"


class Meta:
    """GitHub's `meta`; an answer that is an error is raised."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, url: str, _limit: int) -> Any:
        self.asked.append(url)
        answer = self.answers.pop(0)
        if isinstance(answer, FetchFailed):
            raise answer
        return answer


GOOD = {"hooks": ["192.30.252.0/22"], "actions": ["4.148.0.0/16", "4.148.0.0/24", "2a01:111:f403::/48"]}
AWAY = FetchFailed("GitHub does not answer")


def allowed(folder: Path, meta: Meta, text: str = f"{OFFICE} github-actions") -> AllowedAddresses:
    stored = folder / "state" / "meta.json"
    return AllowedAddresses(parse_allowed(text), api_url="https://api.example", stored=stored, fetch=meta)


def admitted(addresses: AllowedAddresses) -> set[str]:
    return {text for text in (RUNNER, OFFICE, STRANGER) if ipaddress.ip_address(text) in addresses}


def waits(addresses: AllowedAddresses, rounds: int) -> list[float]:
    """What is waited between refreshes, for so many rounds."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == rounds:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(addresses.keep_fresh(sleep))
    return waited


def test_the_word_allows_nobody_before_the_ranges_have_come(tmp_path: Path) -> None:
    addresses = allowed(tmp_path, Meta(GOOD))
    assert admitted(addresses) == {OFFICE}
    assert addresses.refresh()
    assert admitted(addresses) == {OFFICE, RUNNER}


def test_ranges_are_refreshed_daily_and_sooner_after_a_failure(tmp_path: Path) -> None:
    meta = Meta(GOOD, AWAY, GOOD)
    assert waits(allowed(tmp_path, meta), 3) == [REFRESH_SECONDS, RETRY_SECONDS, REFRESH_SECONDS]
    assert set(meta.asked) == {"https://api.example/meta"}


@pytest.mark.parametrize(
    "answer", [AWAY, {}, {"actions": []}, {"actions": ["nonsense"]}, {"actions": "4.0.0.0/8"}, []]
)
def test_the_last_good_ranges_are_kept_over_failures_and_restarts(tmp_path: Path, answer: Any) -> None:
    addresses = allowed(tmp_path, Meta(GOOD, answer))
    assert addresses.refresh()
    assert not addresses.refresh()
    assert admitted(addresses) == {OFFICE, RUNNER}
    restarted = allowed(tmp_path, Meta(AWAY))
    waits(restarted, 1)
    assert admitted(restarted) == {OFFICE, RUNNER}


def test_ranges_that_would_allow_everybody_are_passed_over(tmp_path: Path) -> None:
    addresses = allowed(tmp_path, Meta({"actions": ["0.0.0.0/0", "::/0", "4.148.0.0/16"]}))
    addresses.refresh()
    assert STRANGER not in admitted(addresses)


def test_a_damaged_file_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "meta.json").write_text('{"actions": 7}')
    addresses = allowed(tmp_path, Meta(AWAY))
    waits(addresses, 1)
    assert admitted(addresses) == {OFFICE}


def test_without_the_word_github_is_not_asked(tmp_path: Path) -> None:
    meta = Meta()
    asyncio.run(allowed(tmp_path, meta, OFFICE).keep_fresh(asyncio.sleep))
    assert meta.asked == []


def test_ranges_are_fetched_over_real_http(tmp_path: Path) -> None:
    async def github(scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send_answer(send, json_answer(200 if scope["path"] == "/meta" else 404, GOOD))

    with running(github) as url:
        stored = tmp_path / "meta.json"
        addresses = AllowedAddresses(parse_allowed("github-actions"), api_url=url, stored=stored)
        assert addresses.refresh()
        wrong = AllowedAddresses(parse_allowed("github-actions"), api_url=f"{url}/x", stored=stored)
        assert not wrong.refresh()
    assert admitted(addresses) == {RUNNER}


@pytest.mark.parametrize("text", ["github", "10.0.0.1/8", "github-actions, everybody"])
def test_a_wrong_word_is_refused(text: str) -> None:
    with pytest.raises(Unusable):
        parse_allowed(text)
