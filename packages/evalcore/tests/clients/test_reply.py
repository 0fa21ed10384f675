"""A stored reply: what its tokens cost, and whose failure it is."""

from __future__ import annotations

import msgspec
import pytest

from evalcore.clients.reply import CallError, Reply, Usage
from evalcore.library.models import Price

PRICE = Price(input=1.0, output=10.0, cache_read=0.1, cache_write=2.0, thinking=20.0)


@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        (Usage(1_000_000, 0), 1.0),
        (Usage(0, 1_000_000), 10.0),
        (Usage(1_000_000, 0, cache_read=1_000_000), 0.1),
        (Usage(1_000_000, 0, cache_write=500_000), 1.5),
        (Usage(0, 1_000_000, thinking=250_000), 12.5),
        (Usage(0, 0), 0.0),
    ],
)
def test_every_kind_of_token_has_its_price(usage: Usage, usd: float) -> None:
    assert usage.cost(PRICE) == pytest.approx(usd)


def test_kinds_without_a_price_cost_what_the_rest_costs() -> None:
    plain = Price(input=1.0, output=10.0)
    usage = Usage(2_000_000, 1_000_000, cache_read=1_000_000, cache_write=500_000, thinking=250_000)
    assert usage.cost(plain) == pytest.approx(12.0)


def test_only_kinds_that_were_counted_are_stored() -> None:
    assert msgspec.json.encode(Usage(3, 4)) == b'{"prompt":3,"completion":4}'


def reply(error: CallError | None) -> Reply:
    moment = "2026-07-01T10:00:00.000Z"
    return Reply("one", 0, "r", "0" * 64, None, None, None, moment, moment, 1.0, 1, error)


def test_a_failure_is_infrastructures_only_where_it_is_not_the_models() -> None:
    assert reply(CallError("infrastructure", "timeout", "no answer")).is_infrastructure_failure
    assert not reply(CallError("model", "content_refused", "refused")).is_infrastructure_failure
    assert not reply(None).is_infrastructure_failure
