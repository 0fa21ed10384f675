"""What the simulated GitHub remembers: repositories, tokens, Apps, and its time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from evalsim.github.state import State

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


class Clock:
    now = NOON

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def state(tmp_path, clock):
    return State(tmp_path / "root", clock)


def test_a_repository_is_made_once_and_taken_up_again(state, tmp_path):
    seed = tmp_path / "seed"
    seed.mkdir()
    (seed / "a.txt").write_text("a")
    first = state.add_repository("acme/library", seed)
    tip = first.bare.branch("main")
    (seed / "a.txt").write_text("b")
    again = State(tmp_path / "root").add_repository("acme/library", seed)
    assert again.bare.branch("main") == tip
    assert (again.full_name, again.owner, again.name) == ("acme/library", "acme", "library")


def test_a_repository_is_known_whatever_the_case_of_its_name(state):
    made = state.add_repository("Acme/Library")
    assert state.repositories["acme/library"] is made


def test_two_repositories_share_nothing(state):
    one, other = state.add_repository("a/x"), state.add_repository("a/y")
    one.labels["bug"] = None
    one.issues.append(None)
    assert other.labels == {}
    assert other.issues == []


def test_a_repository_may_be_public_and_have_another_default_branch(state):
    made = state.add_repository("a/x", private=False, default_branch="trunk")
    assert (made.private, made.bare.default_branch) == (False, "trunk")


@pytest.mark.parametrize("token", [None, "", "unknown"])
def test_nobody_bears_a_token_that_is_not_known(state, token):
    state.add_token("known")
    assert state.bearer(token) is None


def test_a_token_has_its_bearer_and_what_it_may(state):
    state.add_token("known", login="me", access="read")
    assert (state.bearer("known").login, state.bearer("known").access) == ("me", "read")


def test_a_token_is_good_until_it_expires(state, clock):
    state.add_token("short", expires=NOON + timedelta(seconds=10))
    clock.now += timedelta(seconds=9)
    assert state.bearer("short") is not None
    clock.now += timedelta(seconds=1)
    assert state.bearer("short") is None


def test_an_app_gets_a_new_token_each_time_for_an_hour(state):
    state.add_app("7", "public key")
    state.add_app("8", "public key")
    assert state.apps["7"].installation != state.apps["8"].installation
    (one, expires), (other, _) = (state.mint(state.apps["7"]) for _ in range(2))
    assert one != other
    assert one.startswith("ghs_")
    assert expires == NOON + timedelta(hours=1)
    assert state.bearer(one).login == "evaluator-7[bot]"


def test_time_is_written_as_github_writes_it(state):
    assert state.now() == "2026-01-05T12:00:00Z"
