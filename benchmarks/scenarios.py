"""What the grid of `calibrate.py` does not have: where readers draw their conclusions.

Each scenario is measured by the product's own functions, and says which shares must be met.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, product
from random import Random
from typing import NamedTuple

from evalcore.stats.draws import draws_from
from evalcore.stats.drift import drifts
from evalcore.stats.permutation import ALPHA, Difference, adjusted, fall_p
from evalcore.stats.power import DEFAULT_MARGIN
from evalcore.stats.ranks import LEVEL, rank_ranges
from evalcore.stats.student import t_quantile
from evalcore.stats.uncertainty import (
    Interval,
    accuracy_interval,
    all_right_interval,
    interval_of_like_cases,
    reproducibility_interval,
)
from evalcore.stats.weights import weights_from
from noises import Noise, binary, lowered, smooth, stable, unparsable, wide, zero_inflated

SEED = "scenarios"
DRAWS = 300
COVERED, ALARMS = 0.92, 0.05
NO_LEVEL = 1e-12
"""No p is ever held against a level as low as this."""

Scores = list[list[float]]


class Measure(NamedTuple):
    """One figure of a row; `least` and `most` are what it must be, where it must."""

    value: float
    least: float | None = None
    most: float | None = None
    is_share: bool = True

    @property
    def text(self) -> str:
        """As in the table."""
        return f"{self.value:.1%}" if self.is_share else f"{self.value:.3f}"


class Row(NamedTuple):
    """What was measured of a setting."""

    table: str
    setting: str
    measures: dict[str, Measure]

    def missed(self, slack: float) -> Iterator[str]:
        """Say which requirements it misses."""
        for name, measure in self.measures.items():
            if measure.least is not None and measure.value < measure.least - slack:
                yield f"{self.table}, {self.setting}: {name} {measure.text}"
            if measure.most is not None and measure.value > measure.most + slack:
                yield f"{self.table}, {self.setting}: {name} {measure.text}"


def covered(intervals: Sequence[tuple[Interval | None, float]]) -> dict[str, Measure]:
    """How often intervals hold the truth beside them, and how wide they are."""
    found = [(one, truth) for one, truth in intervals if one is not None]
    share = sum(low - 1e-12 <= truth <= high + 1e-12 for (low, high), truth in found) / len(found)
    width = math.fsum(high - low for (low, high), _ in found) / len(found)
    return {"covers": Measure(share, least=COVERED), "width": Measure(width, is_share=False)}


def mean_of(noises: Sequence[Noise]) -> float:
    return math.fsum(noise.accuracy for noise in noises) / len(noises)


def drawn(noises: Sequence[Noise], replies: int, rng: Random) -> Scores:
    return [noise.scores_of(noise.replies(replies, rng)) for noise in noises]


ONE_REPLY: dict[str, Callable[[int], Noise]] = {
    "binary 0.95": lambda _: binary(0.95),
    "binary 0.80": lambda _: binary(0.80),
    "one of four cases hard": lambda case: binary(0.2 if case % 4 == 0 else 0.99),
    "smooth": lambda _: smooth(0.95),
    "5 % worse": lambda _: zero_inflated(0.05, 0.95),
    "20 % worse": lambda _: zero_inflated(0.20, 0.95),
}


def one_reply(simulations: int) -> Iterator[Row]:
    for name, cases in product(ONE_REPLY, (1, 3, 10, 28)):
        rng = Random(f"{SEED}|one|{name}|{cases}")
        noises = [ONE_REPLY[name](case) for case in range(cases)]
        truth = mean_of(noises)
        found = [
            (accuracy_interval(drawn(noises, 1, rng), draws_from(rng.random), DRAWS), truth)
            for _ in range(simulations)
        ]
        yield Row("One reply of each case", f"{name}, C = {cases}", covered(found))


class Population(NamedTuple):
    """Cases from which those of a run are drawn: each one's chance of a right answer."""

    draw: Callable[[Random], float]
    mean: float


POPULATIONS = {
    "all right": Population(lambda _: 1.0, 1.0),
    "3 % hard": Population(lambda rng: 0.98 if rng.random() > 0.03 else 0.1, 0.97 * 0.98 + 0.03 * 0.1),
    "10 % hard": Population(lambda rng: 0.98 if rng.random() > 0.10 else 0.1, 0.90 * 0.98 + 0.10 * 0.1),
    "5 % half right": Population(lambda rng: 1.0 if rng.random() > 0.05 else 0.5, 0.975),
    "Beta(8, 2)": Population(lambda rng: rng.betavariate(8, 2), 0.8),
}


def like_cases(simulations: int) -> Iterator[Row]:
    for (name, population), cases, replies in product(POPULATIONS.items(), (20, 28, 50), (3, 10)):
        rng = Random(f"{SEED}|like|{name}|{cases}|{replies}")
        found = []
        for _ in range(simulations):
            chances = [population.draw(rng) for _ in range(cases)]
            means = [sum(rng.random() < p for _ in range(replies)) / replies for p in chances]
            found.append((interval_of_like_cases(means, draws_from(rng.random), DRAWS), population.mean))
        yield Row("Cases like these", f"{name}, C = {cases}, R = {replies}", covered(found))


AGREEMENT: dict[str, Callable[[], Noise]] = {
    "15 % unparsable": lambda: unparsable(0.15, 0.9),
    "binary 0.80": lambda: binary(0.80),
    "binary 0.50": lambda: binary(0.50),
    "three replies with little in common": wide,
}


def agreement(simulations: int) -> Iterator[Row]:
    for name, cases, replies in product(AGREEMENT, (3, 10, 28), (2, 3, 5, 10)):
        rng = Random(f"{SEED}|agreement|{name}|{cases}|{replies}")
        noise = AGREEMENT[name]()
        found = []
        for _ in range(simulations):
            pairs = [noise.pairs_of(noise.replies(replies, rng)) for _ in range(cases)]
            found.append(
                (reproducibility_interval(pairs, weights_from(rng.random), DRAWS), noise.reproducibility)
            )
        yield Row("Reproducibility", f"{name}, C = {cases}, R = {replies}", covered(found))


def all_right(simulations: int) -> Iterator[Row]:
    chances: dict[str, Sequence[float]] = {
        "0.99": [0.99], "0.95": [0.95], "0.80": [0.80], "0.50": [0.50], "mixed": [0.99, 0.95, 0.5, 0.05],
    }  # fmt: skip
    # A run's own replies, and as many of a pool's.
    sizes = {"3": (3, 3), "5": (5, 5), "10": (10, 10), "5 of 15": (5, 15), "10 of 30": (10, 30)}
    for name, cases, (size, (needed, replies)) in product(chances, (4, 12, 28), sizes.items()):
        rng = Random(f"{SEED}|right|{name}|{cases}|{size}")
        of = [chances[name][case % len(chances[name])] for case in range(cases)]
        truth = math.fsum(p**needed for p in of) / cases
        found = []
        for _ in range(simulations):
            right = [[rng.random() < p for _ in range(replies)] for p in of]
            found.append((all_right_interval(right, needed, draws_from(rng.random), DRAWS), truth))
        yield Row("All of a case's replies right", f"p = {name}, C = {cases}, R = {size}", covered(found))


def unequal(simulations: int) -> Iterator[Row]:
    """Every reply of unequal pools is used; beside it, equal numbers by lot."""
    spread = wide()
    even = lowered(smooth(0.9), smooth(0.9).accuracy - spread.accuracy)
    pairs: dict[str, tuple[Noise, Noise]] = {
        "rare zeros, the same": (unparsable(0.03, 0.92), unparsable(0.03, 0.92)),
        "binary 0.80, the same": (binary(0.8), binary(0.8)),
        "20 % worse, the same": (zero_inflated(0.2, 0.95), zero_inflated(0.2, 0.95)),
        "one mean, spread grows": (even, spread),
        "one mean, spread shrinks": (spread, even),
        "rare zeros, falls by 0.10": (unparsable(0.03, 0.92), lowered(unparsable(0.03, 0.92), 0.1)),
        "wide, falls by 0.20": (spread, lowered(spread, 0.2)),
        "smooth, falls by 0.05": (smooth(0.9), lowered(smooth(0.9), 0.05)),
    }
    for (name, (before, after)), sizes, cases in product(pairs.items(), ((30, 5), (5, 30), (50, 5)), (1, 3)):
        rng = Random(f"{SEED}|unequal|{name}|{sizes}|{cases}")
        alarms = lots = 0
        for _ in range(simulations):
            old, new = drawn([before] * cases, sizes[0], rng), drawn([after] * cases, sizes[1], rng)
            alarms += alarms_of(old, new)
            few = min(sizes)
            lots += alarms_of(
                [rng.sample(case, few) for case in old], [rng.sample(case, few) for case in new]
            )
        is_same = name.endswith("the same")
        share = Measure(alarms / simulations, most=ALARMS if is_same else None)
        yield Row(
            "Unequal pools",
            f"{name}, {sizes[0]} against {sizes[1]}, C = {cases}",
            {"all replies: alarms": share, "as many by lot: alarms": Measure(lots / simulations)},
        )


def alarms_of(old: Scores, new: Scores) -> bool:
    return min(fall_p(old, new, DEFAULT_MARGIN), fall_p(new, old, DEFAULT_MARGIN)) <= ALPHA


def many_models(simulations: int) -> Iterator[Row]:
    kinds: dict[str, Callable[[float], Noise]] = {
        "smooth": lambda fall: lowered(smooth(1.0), 0.1 - 0.02 + fall),
        "binary": lambda fall: binary(0.9 - fall),
        "rare zeros": lambda fall: lowered(unparsable(0.03, 0.93), fall),
    }
    designs = ((1, 5), (3, 5), (3, 10), (10, 10))
    for (name, kind), (cases, replies), models in product(kinds.items(), designs, (1, 8, 50)):
        rng = Random(f"{SEED}|many|{name}|{cases}|{replies}|{models}")
        # Fifty models are fifty comparisons.
        runs = max(40, simulations // (1 if models == 1 else 4))
        measures = {}
        for shift in (0.0, 0.005):
            wrong = sum(
                any(
                    judged(
                        [falling(kind, cases, replies, rng.choice((0, shift)), rng) for _ in range(models)]
                    )
                )
                for _ in range(runs)
            )
            measures[f"false alarms, shift {shift:g}"] = Measure(wrong / runs, most=ALARMS)
        for fall in (0.2, 0.85):
            found = 0
            for _ in range(runs):
                others = [falling(kind, cases, replies, 0.0, rng) for _ in range(models - 1)]
                found += judged([falling(kind, cases, replies, fall, rng), *others])[0]
            measures[f"finds one that falls by {fall:.2f}"] = Measure(found / runs)
        yield Row("Many models", f"{name} 0.90, C = {cases}, R = {replies}, {models} models", measures)


def falling(
    kind: Callable[[float], Noise], cases: int, replies: int, fall: float, rng: Random
) -> tuple[float, float]:
    """Both one-sided p of a model whose mean falls by so much."""
    before, after = drawn([kind(0.0)] * cases, replies, rng), drawn([kind(fall)] * cases, replies, rng)
    return fall_p(before, after, DEFAULT_MARGIN), fall_p(after, before, DEFAULT_MARGIN)


def judged(p_values: Sequence[tuple[float, float]]) -> list[bool]:
    falls, rises = adjusted([fall for fall, _ in p_values]), adjusted([rise for _, rise in p_values])
    return [fall <= ALPHA or rise <= ALPHA for fall, rise in zip(falls, rises, strict=True)]


def ranks(simulations: int) -> Iterator[Row]:
    kinds: dict[str, Callable[[float], Noise]] = {
        "smooth": lambda mean: smooth(mean + 0.08),
        "binary": binary,
        "20 % worse": lambda mean: lowered(zero_inflated(0.2, 1.0), 0.9 - mean),
        "3 % unparsable": lambda mean: lowered(unparsable(0.03, 1.0), unparsable(0.03, 1.0).accuracy - mean),
    }
    settings = (
        (0.88, 0.86, 0.80, 0.56), (0.88, 0.88, 0.88, 0.88), (0.90, 0.90, 0.90, 0.80, 0.80, 0.60),
        (0.85,) * 8,
    )  # fmt: skip
    # Of 20 replies and more far differences are settled by the normal limit.
    designs = ((3, 5), (10, 10), (3, 20))
    for (name, kind), means, (cases, replies) in product(kinds.items(), settings, designs):
        rng = Random(f"{SEED}|ranks|{name}|{means}|{cases}|{replies}")
        # The rate lies just below what is required: fewer would miss it by chance.
        runs = 2 * simulations
        wrong = strict = 0
        width = 0.0
        for _ in range(runs):
            models = [drawn([kind(mean)] * cases, replies, rng) for mean in means]
            wrong += is_wrong(models, means)
            seen = [math.fsum(map(math.fsum, model)) for model in models]
            strict += any(
                (seen[a] - seen[b]) * (means[a] - means[b]) <= 0
                for a, b in combinations(range(len(means)), 2)
            )
            ranges = rank_ranges(models)
            width += sum(one.worst - one.best + 1 for one in ranges) / len(ranges)
        yield Row(
            "Ranks",
            f"{name} {', '.join(f'{mean:.2f}' for mean in means)}; C = {cases}, R = {replies}",
            {
                "any statement wrong": Measure(wrong / runs, most=ALARMS),
                "strict order wrong": Measure(strict / runs),
                "mean range": Measure(width / runs, is_share=False),
            },
        )


def is_wrong(models: Sequence[Scores], means: Sequence[float]) -> bool:
    """Whether the ranges say of any pair what is not so: as `rank_ranges` has it, but pair by pair."""
    pairs = list(combinations(range(len(models)), 2))
    ranges = rank_ranges(models)
    for one, other in pairs:
        if ranges[one].worst < ranges[other].best and not means[one] > means[other]:
            return True
        if ranges[other].worst < ranges[one].best and not means[other] > means[one]:
            return True
    # Of equal models any bound on the rank is a statement too.
    return any(
        ranges[at].best > 1 + sum(mean > means[at] for mean in means)
        or ranges[at].worst < len(means) - sum(mean < means[at] for mean in means)
        for at in range(len(means))
    )


def far(simulations: int) -> Iterator[Row]:
    """Of 20 replies and more a far difference is settled by a bound from the normal limit: does it hold?

    Where it does, the exact p is counted beside it.
    """
    kinds: dict[str, Callable[[float], Noise]] = {
        "smooth": lambda fall: lowered(smooth(1.0), 0.1 + fall),
        "binary": lambda fall: binary(0.9 - fall),
        "binary, hardly ever wrong": lambda fall: binary(0.99 - fall),
        "rare zeros": lambda fall: lowered(unparsable(0.03, 0.93), fall),
        "20 % worse": lambda fall: lowered(zero_inflated(0.2, 1.0), fall),
    }
    sizes = ((20, 20), (20, 30), (30, 20), (20, 60), (60, 20), (50, 50))
    for (name, kind), (one, other), cases in product(kinds.items(), sizes, (1, 3)):
        rng = Random(f"{SEED}|far|{name}|{one}|{other}|{cases}")
        settled = wrong = 0
        largest = 0.0
        runs = max(50, simulations // 2)
        for at in range(runs):
            fall = (0.1, 0.2, 0.4)[at % 3]
            found = Difference(drawn([kind(0.0)] * cases, one, rng), drawn([kind(fall)] * cases, other, rng))
            p, exact = found.p(settled=LEVEL), found.p()
            # Below this the count itself is rounded, and no level is.
            if p != exact and exact > NO_LEVEL:
                settled += 1
                wrong += exact > p
                largest = max(largest, exact / p)
        yield Row(
            "Far differences",
            f"{name}, {one} against {other}, C = {cases}",
            {
                "settled": Measure(settled / runs),
                "exact p above the bound": Measure(wrong / runs, most=0.0),
                "exact p over the bound, at most": Measure(largest, is_share=False),
            },
        )


def drift(simulations: int) -> Iterator[Row]:
    """What is not in the intervals, and how often it is flagged; no requirement but few false flags."""
    for name in (
        "independent",
        "resembling the one before, p = 0.5",
        "run shifts of 0.02",
        "a trend of 0.10",
    ):
        for cases, replies in ((3, 10), (10, 10)):
            rng = Random(f"{SEED}|drift|{name}|{cases}|{replies}")
            noise = smooth(0.9)
            truth = noise.accuracy
            flagged, found = 0, []
            for _ in range(simulations):
                shift = rng.choice((-0.02, 0.02)) if name.startswith("run shifts") else 0.0
                scores = [
                    [
                        score + shift
                        for score in sticky(noise, replies, rng, 0.5 if "one before" in name else 0)
                    ]
                    for _ in range(cases)
                ]
                if name.startswith("a trend"):
                    scores = [
                        [score + 0.1 * (at / (replies - 1) - 0.5) for at, score in enumerate(case)]
                        for case in scores
                    ]
                found.append((accuracy_interval(scores, draws_from(rng.random), DRAWS), truth))
                flagged += drifts(scores, rng.random)
            measures = covered(found)
            is_sound = name == "independent"
            measures["covers"] = Measure(measures["covers"].value, least=COVERED if is_sound else None)
            measures["flagged"] = Measure(flagged / simulations, most=0.02 if is_sound else None)
            yield Row("Drift", f"smooth, {name}, C = {cases}, R = {replies}", measures)


def sticky(noise: Noise, replies: int, rng: Random, share: float) -> list[float]:
    """Draw scores, each the one before with this chance."""
    scores: list[float] = []
    for score in noise.scores_of(noise.replies(replies, rng)):
        scores.append(scores[-1] if scores and rng.random() < share else score)
    return scores


def widths(simulations: int) -> Iterator[Row]:
    """Accuracy's interval beside Student's t, the percentile bootstrap and Wilson's, on the same replies."""
    kinds: dict[str, Noise] = {
        "binary 0.95": binary(0.95), "binary 0.80": binary(0.80), "smooth": smooth(0.95),
        "20 % worse": zero_inflated(0.2, 0.95), "stable": stable(0.9),
    }  # fmt: skip
    for (name, noise), (cases, replies) in product(kinds.items(), ((1, 10), (3, 5), (10, 10))):
        rng = Random(f"{SEED}|widths|{name}|{cases}|{replies}")
        found: dict[str, list[tuple[Interval | None, float]]] = {
            "ours": [],
            "t": [],
            "bootstrap": [],
            "Wilson": [],
        }
        for _ in range(simulations):
            scores = drawn([noise] * cases, replies, rng)
            found["ours"].append((accuracy_interval(scores, draws_from(rng.random), DRAWS), noise.accuracy))
            found["t"].append((t_interval(scores), noise.accuracy))
            found["bootstrap"].append((percentile_bootstrap(scores, rng), noise.accuracy))
            if name.startswith("binary"):
                found["Wilson"].append((wilson(scores), noise.accuracy))
        measures: dict[str, Measure] = {}
        for method, intervals in found.items():
            if intervals:
                own = covered(intervals)
                least = COVERED if method == "ours" else None
                measures[f"{method}: covers"] = Measure(own["covers"].value, least=least)
                measures[f"{method}: width"] = own["width"]
        yield Row("Beside other intervals", f"{name}, C = {cases}, R = {replies}", measures)


def t_interval(scores: Scores) -> Interval:
    means = [math.fsum(case) / len(case) for case in scores]
    squares = math.fsum(
        (score - mean) ** 2 for case, mean in zip(scores, means, strict=True) for score in case
    )
    replies = sum(map(len, scores))
    middle = math.fsum(means) / len(means)
    half = t_quantile(replies - len(scores)) * math.sqrt(squares / (replies - len(scores)) / replies)
    return middle - half, middle + half


def percentile_bootstrap(scores: Scores, rng: Random) -> Interval:
    means = sorted(
        math.fsum(math.fsum(rng.choices(case, k=len(case))) / len(case) for case in scores) / len(scores)
        for _ in range(DRAWS)
    )
    return means[round(0.025 * (DRAWS - 1))], means[round(0.975 * (DRAWS - 1))]


def wilson(scores: Scores) -> Interval:
    replies = sum(map(len, scores))
    share, z = math.fsum(map(math.fsum, scores)) / replies, 1.959963984540054
    middle = (share + z * z / (2 * replies)) / (1 + z * z / replies)
    half = z * math.sqrt(share * (1 - share) / replies + z * z / (4 * replies**2)) / (1 + z * z / replies)
    return middle - half, middle + half


SCENARIOS: tuple[Callable[[int], Iterator[Row]], ...] = (
    one_reply, like_cases, agreement, all_right, unequal, many_models, ranks, far, drift, widths,
)  # fmt: skip


def tables(rows: Sequence[Row]) -> Iterator[str]:
    """Write the rows in Markdown, a table for each scenario."""
    for table in dict.fromkeys(row.table for row in rows):
        own = [row for row in rows if row.table == table]
        names = list(dict.fromkeys(name for row in own for name in row.measures))
        yield f"\n### {table}\n\n| setting | {' | '.join(names)} |\n|---|{'--:|' * len(names)}\n"
        for row in own:
            cells = [row.measures[name].text if name in row.measures else "-" for name in names]
            yield f"| {row.setting} | {' | '.join(cells)} |\n"
