"""Reproducibility of one case: how far its replies agree with each other, whatever the truth is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import combinations

from evalcore.scoring.canonical_text import canonical_text
from evalcore.scoring.interface import Agreement, Scorer
from evalcore.structs import Frozen, JsonValue


class CaseAgreement(Frozen, frozen=True):
    """The agreement of one case's replies, over all pairs of them. All values are in [0, 1]."""

    value: float
    identical_rate: float
    """The share of pairs with equal values: order of keys aside; 1, 1.0 and true are three values."""
    by_field: dict[str, float]
    """Per field the mean over the pairs in which it occurs; sorted by field."""


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
    pairs = math.comb(replies, 2)
    groups = _grouped(values)
    compared = list(_compared_pairs(scorer, groups))
    failed = pairs - math.comb(len(values), 2)
    return CaseAgreement(
        value=math.fsum(agreement.value * count for agreement, count in compared) / pairs,
        identical_rate=sum(math.comb(group.count, 2) for group in groups) / pairs,
        by_field=_by_field(scorer.fields if failed else (), compared, failed),
    )


def _grouped(values: Iterable[JsonValue]) -> list[_Group]:
    counts: dict[str, int] = {}
    firsts: dict[str, JsonValue] = {}
    for value in values:
        key = canonical_text(value)
        counts[key] = counts.get(key, 0) + 1
        firsts.setdefault(key, value)
    # In the order of the texts, so that the replies' order cannot reach the last digit of a sum.
    return [_Group(value=firsts[key], count=counts[key]) for key in sorted(counts)]


def _compared_pairs(scorer: Scorer, groups: Sequence[_Group]) -> Iterable[tuple[Agreement, int]]:
    """Yield each comparison with the number of pairs that it stands for."""
    for group in groups:
        if group.count > 1:
            yield scorer.agree(group.value, group.value), math.comb(group.count, 2)
    for one, other in combinations(groups, 2):
        yield scorer.agree(one.value, other.value), one.count * other.count


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
