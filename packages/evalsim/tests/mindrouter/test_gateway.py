"""What the simulated gateway remembers: who is away, requests, tokens, calls."""

from __future__ import annotations

import pytest

from evalsim.mindrouter.config import SimConfig, SimModel
from evalsim.mindrouter.gateway import WINDOW, Gateway


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def gateway(clock, *models, **config):
    found = models or (SimModel(id="m"),)
    return Gateway(SimConfig(models=found, **config), clock)


def test_a_model_is_served_until_its_breaker_opens_and_again_after(clock):
    served = gateway(clock, breaker_seconds=25)
    assert served.served("m").id == "m"
    served.trip("m", None)
    assert served.served("m") is None
    assert served.listed() == []
    clock.now += 24.9
    assert served.served("m") is None
    clock.now += 0.1
    assert served.served("m") is not None


def test_a_model_may_be_away_for_another_time(clock):
    served = gateway(clock)
    served.trip("m", 5)
    clock.now += 5
    assert served.served("m") is not None
    served.trip("m", 0)
    assert served.served("m") is not None


def test_an_alias_leads_to_its_model_one_level_deep(clock):
    served = gateway(clock, SimModel(id="m"), SimModel(id="also", alias_target="m"))
    assert (served.target("also"), served.target("m"), served.target("other")) == ("m", "m", "other")
    assert served.served("also") is None
    assert [model.id for model in served.listed()] == ["m", "also"]
    served.trip("m", None)
    assert served.listed() == []


def test_a_name_in_another_case_is_taken_for_known_and_not_served(clock):
    served = gateway(clock, SimModel(id="Org/Model"))
    assert served.knows_in_another_case("org/model")
    assert served.served("org/model") is None
    assert not served.knows_in_another_case("other")


def test_the_minute_begins_with_the_first_request_and_refused_ones_do_not_count(clock):
    served = gateway(clock, requests_per_minute=2)
    assert [served.rate_limit_words() for _ in range(2)] == [None, None]
    for _ in range(3):
        assert served.rate_limit_words() == "Rate limit exceeded: 2 requests per minute (current: 2)"
    clock.now += WINDOW - 0.1
    assert served.rate_limit_words() is not None
    clock.now += 0.1
    assert served.rate_limit_words() is None


def test_without_a_limit_every_request_passes(clock):
    served = gateway(clock)
    assert all(served.rate_limit_words() is None for _ in range(1000))


def test_the_quota_is_exceeded_once_as_many_tokens_are_used(clock):
    served = gateway(clock, token_quota=10)
    served.charge(9)
    assert not served.is_quota_exceeded
    served.charge(1)
    assert served.is_quota_exceeded
    assert not gateway(clock).is_quota_exceeded


def test_calls_of_a_case_are_numbered_by_model_and_input(clock):
    served = gateway(clock)
    numbers = [
        served.next_of_case(*key) for key in (("m", "a"), ("m", "a"), ("m", "b"), ("n", "a"), ("m", "a"))
    ]
    assert numbers == [0, 1, 0, 0, 2]


def test_calls_that_wait_are_counted_while_they_do(clock):
    served = gateway(clock)
    with served.waiting("m"), served.waiting("m"):
        assert served.queue["m"] == 2
    assert served.queue["m"] == 0


def test_slots_are_bounded_only_where_the_model_says_so(clock):
    served = gateway(clock, SimModel(id="m", slots=1), SimModel(id="free"))
    assert served.slots("free") is None
    assert served.slots("m") is served.slots("m") is not None
