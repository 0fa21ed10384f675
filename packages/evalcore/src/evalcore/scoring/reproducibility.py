"""Reproducibility of one case: how far its replies agree with each other, whatever the truth is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from evalcore.scoring.canonical_text import canonical_text
from evalcore.scoring.interface import Agreement, Scorer
from evalcore.stats.numbers import mean
from evalcore.stats.uncertainty import Pairs
from evalcore.structs import Frozen, JsonValue


class CaseAgreement(Frozen, frozen=True):
    """The agreement of one case's replies, over all pairs of them. All values are in [0, 1]."""

    value: float
    identical_rate: float
    """The share of pairs with equal values: order of keys aside; 1, 1.0 and true are three values."""
    by_field: dict[str, float]
    """Per field the mean over the pairs in which it occurs; sorted by field."""
    pairs: Pairs
    """What `value` is the mean of, for its interval."""


class _Group(Frozen, frozen=True):
    """Replies with one and the same value."""

    value: JsonValue
    count: int


def agree_case(scorer: Scorer, values: Sequence[JsonValue], unparsed: int = 0) -> CaseAgreement | None:
    """Compare all pairs of one case's replies: the parsed values, and a number of replies that were none.

    An unparsable reply agrees with nothing, nor with another one: its pairs count 0, in every field.
    Replies that never came are not to be counted here. None where there are fewer than two replies.
    Equal values are compared once, however many there are.
    """
    replies = len(values) + unparsed
    if replies < 2:  # noqa: PLR2004 (a pair takes two)
        return None
    groups = _grouped(values)
    compared = _compared(scorer, groups)
    pairs = _pairs(groups, compared, unparsed)
    whole = math.comb(replies, 2)
    failed = whole - math.comb(len(values), 2)
    return CaseAgreement(
        value=pairs.value,
        identical_rate=sum(math.comb(group.count, 2) for group in groups) / whole,
        # A failed pair is wrong in every field there is; without one only what occurs counts.
        by_field=_by_field(scorer.fields if failed else (), _weighted(groups, compared), failed),
        pairs=pairs,
    )


# All pairs of 200 cases would be 19,900 comparisons, each as long as a score.
MOST_CHANCE_PAIRS = 100


def agreement_by_chance(
    values: Sequence[JsonValue], is_parsed: Sequence[bool], scorer_of: Callable[[int], Scorer]
) -> float | None:
    """Return how far replies to *different* cases agree: what agreement says nothing of the input.

    One reply of each case, each case paired with the next, then with the one after that and so on, up to
    MOST_CHANCE_PAIRS pairs, by the rules of the first of the two. An unparsable reply agrees with nothing.
    None with fewer than two cases.
    """
    cases = len(values)
    scorers: dict[int, Scorer] = {}
    found = []
    for one, other in islice(_pairs_of_cases(cases), MOST_CHANCE_PAIRS):
        if not (is_parsed[one] and is_parsed[other]):
            found.append(0.0)
            continue
        if one not in scorers:
            scorers[one] = scorer_of(one)
        found.append(scorers[one].agree(values[one], values[other]).value)
    return mean(found)


def _pairs_of_cases(cases: int) -> Iterator[tuple[int, int]]:
    for apart in range(1, cases // 2 + 1):
        # Half-way round, each pair would come twice.
        for one in range(cases if 2 * apart < cases else apart):
            yield one, (one + apart) % cases


def _grouped(values: Iterable[JsonValue]) -> list[_Group]:
    counts: dict[str, int] = {}
    firsts: dict[str, JsonValue] = {}
    for value in values:
        key = canonical_text(value)
        counts[key] = counts.get(key, 0) + 1
        firsts.setdefault(key, value)
    # In the order of the texts, so that the replies' order cannot reach the last digit of a sum.
    return [_Group(value=firsts[key], count=counts[key]) for key in sorted(counts)]


def _compared(scorer: Scorer, groups: Sequence[_Group]) -> dict[tuple[int, int], Agreement]:
    """Compare each two groups (the earlier one first), and each group of several replies with itself."""
    return {
        # One of each two groups alone: agreement is symmetric.
        (at, other): scorer.agree(groups[other].value, one.value)
        for at, one in enumerate(groups)
        for other in range(at + (one.count > 1))
    }


def _weighted(
    groups: Sequence[_Group], compared: Mapping[tuple[int, int], Agreement]
) -> list[tuple[Agreement, int]]:
    """Return each comparison with the number of pairs that it stands for."""
    counts = [group.count for group in groups]
    return [
        (agreement, counts[at] * counts[other] if other < at else math.comb(counts[at], 2))
        for (at, other), agreement in compared.items()
    ]


def _pairs(groups: Sequence[_Group], compared: Mapping[tuple[int, int], Agreement], unparsed: int) -> Pairs:
    # A group of one has no pair with itself: what stands there plays no part.
    rows = [
        tuple(compared[at, other].value if (at, other) in compared else 1.0 for other in range(at + 1))
        for at in range(len(groups))
    ]
    counts = [group.count for group in groups]
    # One group that agrees with nothing, itself included.
    if unparsed:
        counts.append(unparsed)
        rows.append((0.0,) * len(counts))
    return Pairs(counts=tuple(counts), agreement=tuple(rows))


def _by_field(
    fields: Iterable[str], compared: Iterable[tuple[Agreement, int]], failed: int
) -> dict[str, float]:
    totals: dict[str, list[float]] = {path: [] for path in fields}
    counts = dict.fromkeys(totals, failed)
    for agreement, count in compared:
        for path, value in agreement.by_field.items():
            totals.setdefault(path, []).append(value * count)
            counts[path] = counts.get(path, 0) + count
    return {path: math.fsum(totals[path]) / counts[path] for path in sorted(totals)}
