"""What holds of the typed score whatever the answers are."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from itertools import permutations
from random import Random

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from evalcore.scoring.rules.field_rules import FieldRules
from evalcore.scoring.rules.policy import parse_policy
from evalcore.scoring.scorer import TreeScorer
from evalcore.structs import JsonObject, JsonValue

# No two of these read alike, and the long ones are prose.
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(2, 9),
    st.sampled_from(
        [
            "",
            "alpha",
            "alphb",
            "beta carotene",
            "2026-07-01",
            "$4,125",
            "a long one of eight words or more indeed",
            "a long one of nine words or more as well",
        ]
    ),
)
TREES: st.SearchStrategy[JsonValue] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("pqr"), inner, max_size=3)
    ),
    max_leaves=10,
)
OBJECT_LISTS = st.lists(st.dictionaries(st.sampled_from("pqr"), SCALARS, max_size=3), max_size=3)
PAIRS = st.one_of(st.tuples(TREES, TREES), st.tuples(OBJECT_LISTS, OBJECT_LISTS))
RANDOMS = st.randoms(use_true_random=False)


def accuracy(expected: JsonValue, answer: JsonValue, rules: FieldRules | None = None) -> float:
    return TreeScorer(expected, rules).score(answer).accuracy


def shuffled(value: JsonValue, random: Random) -> JsonValue:
    if isinstance(value, list):
        return [shuffled(item, random) for item in random.sample(value, len(value))]
    if isinstance(value, dict):
        names = random.sample(list(value), len(value))
        return {name: shuffled(value[name], random) for name in names}
    return value


def bare(value: JsonValue) -> JsonValue:
    """A tree without what is no leaf, its lists in one order."""
    if isinstance(value, list):
        items = [bare(item) for item in value]
        return sorted((item for item in items if item is not None), key=repr) or None
    if isinstance(value, dict):
        fields = {name: bare(item) for name, item in sorted(value.items())}
        return {name: item for name, item in fields.items() if item is not None} or None
    return value


def containers(value: JsonValue) -> Iterator[list | dict]:
    if isinstance(value, list | dict):
        yield value
        for item in value.values() if isinstance(value, dict) else value:
            yield from containers(item)


@settings(max_examples=80)
@given(PAIRS)
def test_every_figure_is_between_0_and_1(pair: tuple[JsonValue, JsonValue]) -> None:
    score = TreeScorer(pair[0]).score(pair[1])
    figures = [score.accuracy, score.anls_star, score.precision, score.recall]
    tables = [score.by_field, score.precision_by_field, score.recall_by_field]
    figures.extend(value for table in tables for value in table.values())
    figures.append(0.0 if score.prose is None else score.prose)
    assert all(0 <= figure <= 1 for figure in figures)
    assert score.accuracy <= min(score.precision, score.recall) + 1e-12


@settings(max_examples=80)
@given(PAIRS)
def test_only_equal_trees_score_1(pair: tuple[JsonValue, JsonValue]) -> None:
    assert (accuracy(*pair) == 1) == (bare(pair[0]) == bare(pair[1]))


@settings(max_examples=60)
@given(TREES)
def test_a_tree_is_right_beside_itself(tree: JsonValue) -> None:
    score = TreeScorer(tree).score(tree)
    assert score.accuracy == score.precision == score.recall == 1
    assert set(score.by_field.values()) <= {1.0}


@settings(max_examples=80)
@given(PAIRS)
def test_the_score_is_symmetric(pair: tuple[JsonValue, JsonValue]) -> None:
    expected, answer = pair
    rules = FieldRules(None, [expected, answer])
    assert accuracy(expected, answer, rules) == accuracy(answer, expected, rules)


@settings(max_examples=80)
@given(PAIRS, RANDOMS)
def test_neither_keys_nor_elements_have_an_order(pair: tuple[JsonValue, JsonValue], random: Random) -> None:
    expected, answer = pair
    rules = FieldRules(None, [expected])
    scored = TreeScorer(expected, rules).score(answer)
    again = TreeScorer(shuffled(expected, random), rules).score(shuffled(answer, random))
    assert again.accuracy == scored.accuracy
    assert (again.by_field, again.precision, again.recall) == (
        scored.by_field,
        scored.precision,
        scored.recall,
    )


@settings(max_examples=150)
@given(PAIRS, SCALARS.filter(lambda leaf: leaf is not None), st.integers(0, 50))
@example(
    ([{"p": 2, "q": 3, "r": 4}, {"p": 9}], [{"p": 2, "q": 3, "r": 5}]),
    7,
    1,
)
def test_an_invented_leaf_never_raises_the_score(
    pair: tuple[JsonValue, JsonValue], leaf: JsonValue, at: int
) -> None:
    expected, answer = pair
    more = deepcopy(answer)
    places = list(containers(more))
    if not places:
        return
    place = places[at % len(places)]
    if isinstance(place, list):
        place.append({"invented": leaf})
    else:
        place["invented"] = leaf
    assert accuracy(expected, more) <= accuracy(expected, answer)


def test_an_invented_leaf_can_raise_anls_star_but_not_the_typed_score() -> None:
    """Why the typed score does not assign by sums of averages: one leaf turns 11/20 against 20/37."""
    answer = {f"k{at}": at for at in range(20)}
    small = {f"k{at}": at for at in range(11)}
    large = answer | {f"b{at}": at for at in range(17)}
    scorer = TreeScorer([small, large])
    before, after = scorer.score([answer]), scorer.score([{**answer, "invented": 0}])
    assert after.anls_star > before.anls_star
    assert after.accuracy < before.accuracy


@settings(max_examples=150)
@given(OBJECT_LISTS, OBJECT_LISTS)
@example(
    [{"p": "a long one of eight words or more indeed"}, {"q": 2}],
    [{"p": "a long one of eight words or more indeed", "q": 3}],
)
def test_the_score_is_the_highest_that_any_partners_give(
    expected: list[JsonObject], answer: list[JsonObject]
) -> None:
    # Which fields are prose is told by half of a list's texts, and by each of an object's alone.
    kinds = {(name, str(item[name]).count(" ") > 6) for item in expected for name in item}
    assume(len(kinds) == len({name for name, _ in kinds}))
    size = max(len(expected), len(answer))
    # As fields of an object, elements of one name are partners.
    fixed = dict(zip("012", expected, strict=False))
    padded = [*answer, *[None] * (size - len(answer))]
    ways = [dict(zip("012", order, strict=False)) for order in permutations(padded)]
    rules = FieldRules(None, [dict.fromkeys("012", item) for item in expected])
    highest = max(accuracy(fixed, way, rules) for way in ways)
    assert accuracy(expected, answer) == pytest.approx(highest, abs=1e-12)


@settings(max_examples=60)
@given(TREES, RANDOMS)
def test_a_tree_agrees_with_its_own_shuffle(tree: JsonValue, random: Random) -> None:
    assert TreeScorer(None).agree(tree, shuffled(tree, random)).value == 1


@settings(max_examples=60)
@given(PAIRS)
def test_ordered_lists_keep_the_bounds_and_score_no_higher(pair: tuple[JsonValue, JsonValue]) -> None:
    expected, answer = {"l": pair[0]}, {"l": pair[1]}
    if not isinstance(pair[0], list):
        return
    policy = parse_policy("fields: {l: {ordered: true}}", "scoring.yaml")
    ordered = accuracy(expected, answer, FieldRules(None, [expected], policy))
    assert 0 <= ordered <= accuracy(expected, answer)
    assert accuracy(expected, expected, FieldRules(None, [expected], policy)) == 1
