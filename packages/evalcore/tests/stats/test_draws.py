"""Shared draws are those that each call would have made for itself."""

from hypothesis import given
from hypothesis import strategies as st

from evalcore.stats import draws
from evalcore.stats.draws import MeanStratum, SharedDraws, ShareStratum, draws_of_seed

COUNT = 20
MASSES = st.sampled_from([0.02, 0.06, 0.6, 1.0])


@st.composite
def share_strata(draw):
    parts = draw(st.integers(1, 30))
    return ShareStratum(parts, draw(st.integers(0, parts // 2)), draw(MASSES))


@st.composite
def mean_strata(draw):
    parts = draw(st.integers(1, 30))
    return MeanStratum(parts, draw(MASSES), draw(st.booleans()) and parts > 1)


def listed(drawn):
    return [[(list(numbers), extra) for numbers, extra in of_stratum] for of_stratum in drawn]


@given(st.lists(mean_strata() | share_strata(), min_size=1, max_size=6), st.data())
def test_every_call_gives_the_numbers_of_the_seed_whatever_was_drawn_before(strata, data):
    """The calls share how they begin, and some are of another number of draws."""
    source = SharedDraws("a", "b")
    for _ in range(4):
        begun = strata[: data.draw(st.integers(0, len(strata)))]
        called = begun + data.draw(st.lists(mean_strata() | share_strata(), max_size=2))
        count = data.draw(st.sampled_from([COUNT, COUNT, 2 * COUNT]))
        assert listed(source(called, count)) == listed(draws_of_seed("a", "b")(called, count))


def test_a_draw_that_vanishes_half_way_leaves_the_numbers_behind_it_to_the_next():
    """With so small a shape every other draw ends at once, and some later: 20,000 hold hundreds of those."""
    strata = [
        MeanStratum(8, 0.03, differ=True),
        ShareStratum(40, 3, 0.03),
        MeanStratum(50, 0.02, differ=False),
    ]
    shared = listed(SharedDraws("c")(strata, 20_000))
    assert shared == listed(draws_of_seed("c")(strata, 20_000))
    assert {extra == 0.0 for of_stratum in shared for _, extra in of_stratum} == {True, False}


def test_of_very_many_replies_no_number_is_held(monkeypatch):
    strata = [MeanStratum(30, 0.06, differ=True)] * 2
    monkeypatch.setattr(draws, "LARGEST_KEPT", 2 * COUNT * strata[0].most_taken - 1)
    source = SharedDraws("d")
    for _ in range(2):
        assert listed(source(strata, COUNT)) == listed(draws_of_seed("d")(strata, COUNT))
