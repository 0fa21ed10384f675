"""Rankings of 60 components x 20 models: at most 60 s, and 3 s with what was worked out before.

Three cases x 5 to 28 x 10, smooth scores, right or wrong, and smooth with rare zeros; fixed seeds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from random import Random
from typing import Final

from evalcore.reports.ranking import Cache, rankings
from evalcore.runs.record import CaseResult, RunRecord
from evalsim.testing import make_record

COMPONENTS, MODELS = 60, 20
DESIGNS: Final = ((3, 5), (10, 10), (10, 10), (28, 10))
"""Cases, and replicates of each."""
COLD, WARM = 60.0, 3.0
"""Seconds."""


def smooth(rng: Random, mean: float) -> float:
    return min(1.0, max(0.0, rng.gauss(mean, 0.05)))


def right_or_wrong(rng: Random, mean: float) -> float:
    return float(rng.random() < mean)


def with_zeros(rng: Random, mean: float) -> float:
    return smooth(rng, mean) if rng.random() < 0.9 else 0.0


KINDS: Final[tuple[Callable[[Random, float], float], ...]] = (smooth, right_or_wrong, with_zeros)


def runs_of(component: int) -> list[RunRecord]:
    rng = Random(component)
    (cases, replicates), kind = DESIGNS[component % len(DESIGNS)], KINDS[component % len(KINDS)]
    records = []
    for number in range(1, MODELS + 1):
        mean = rng.uniform(0.6, 0.95)
        scores = []
        for _ in range(cases):
            level = rng.gauss(mean, 0.1)
            scores.append([kind(rng, level) for _ in range(replicates)])
        results = tuple(
            CaseResult(f"c{at}", f"{at:064x}", None, tuple(case), 0.5, exact=tuple(one == 1 for one in case))
            for at, case in enumerate(scores)
        )
        records.append(
            make_record(
                number,
                mean=sum(map(sum, scores)) / (cases * replicates),
                cases_sha256=f"{component:064x}",
                replicates=replicates,
                cases=cases,
                model=f"model-{number}",
                case_results=results,
                scoring_version=3,
            )
        )
    return records


def main() -> int:
    components = [runs_of(component) for component in range(COMPONENTS)]
    cache: Cache = {}
    is_reached = True
    for name, most in (("cold", COLD), ("warm", WARM)):
        began = time.perf_counter()
        for records in components:
            rankings(records, cache)
        took = time.perf_counter() - began
        is_reached &= took <= most
        print(f"{COMPONENTS} components x {MODELS} models, {name}: {took:.1f} s (at most {most:.0f})")
    return 0 if is_reached else 1


if __name__ == "__main__":
    sys.exit(main())
