"""Reproducibility of one case: how far its replies agree with each other, whatever the truth is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from evalcore.scoring.canonical_text import canonical_text
from evalcore.scoring.interface import Agreement, Scorer
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
        by_field=_by_field(scorer.fields if failed else (), _weighted(groups, compared), failed),
        pairs=pairs,
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


def _compared(scorer: Scorer, groups: Sequence[_Group]) -> dict[tuple[int, int], Agreement]:
    """Compare each two groups (the earlier one first), and each group of several replies with itself."""
    return {
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
