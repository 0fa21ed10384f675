"""The product's intervals and tests beside a published library, on the same simulated replies.

evalstats (PyPI; MIT) was made for small samples of scores: its `mean_ci` chooses a method by the data. It
knows no strata, so the designs here have one case. The p-value is beside SciPy's permutation test, which
counts every deal where they are few and draws 9,999 at random elsewhere. `make oracle` runs this in an
environment of its own, since the library brings a plotting stack along.
"""

from __future__ import annotations

import argparse
import math
import warnings
from itertools import product
from random import Random

import evalstats
import numpy as np
from scipy.stats import permutation_test

from evalcore.stats.draws import draws_from
from evalcore.stats.permutation import Difference
from evalcore.stats.uncertainty import accuracy_interval
from noises import Noise, binary, smooth, unparsable, zero_inflated

NOISES: dict[str, Noise] = {
    "binary 0.95": binary(0.95),
    "binary 0.80": binary(0.80),
    "smooth": smooth(0.95),
    "20 % worse": zero_inflated(0.2, 0.95),
    "15 % unparsable": unparsable(0.15, 0.9),
}
DRAWS = 300
NEAR = 0.15
"""Two p-values may differ by so large a share of the larger: SciPy's own are drawn at random."""


def intervals(simulations: int) -> None:
    print("| noise | R | ours: covers | width | evalstats: covers | width | its methods |")
    print("|---|--:|--:|--:|--:|--:|---|")
    for (name, noise), replies in product(NOISES.items(), (5, 10, 20, 50)):
        rng = Random(f"oracle|{name}|{replies}")
        ours, theirs, methods = [], [], set()
        for _ in range(simulations):
            scores = noise.scores_of(noise.replies(replies, rng))
            ours.append(accuracy_interval([scores], draws_from(rng.random), DRAWS) or (0.0, 1.0))
            found = evalstats.mean_ci(np.array(scores))
            theirs.append((found.ci_low, found.ci_high))
            methods.add(found.method)
        cells = [
            f"{sum(low - 1e-9 <= noise.accuracy <= high + 1e-9 for low, high in side) / simulations:.1%} | "
            f"{math.fsum(high - low for low, high in side) / simulations:.3f}"
            for side in (ours, theirs)
        ]
        print(f"| {name} | {replies} | {' | '.join(cells)} | {', '.join(sorted(methods))} |")


def p_values(simulations: int) -> int:
    """Compare two-sided p-values of one case; return how many are too far apart."""
    apart = compared = 0
    worst = 0.0
    for (name, noise), replies in product(NOISES.items(), (4, 6, 10)):
        rng = Random(f"oracle p|{name}|{replies}")
        for _ in range(max(5, simulations // 20)):
            first = noise.scores_of(noise.replies(replies, rng))
            second = [max(0.0, score - 0.1) for score in noise.scores_of(noise.replies(replies, rng))]
            difference = Difference([first], [second])
            if not difference.sign or max(first + second) - min(first + second) < 1e-8:
                continue
            theirs = permutation_test(
                (first, second), lambda a, b, axis: np.mean(a, axis=axis) - np.mean(b, axis=axis),
                vectorized=True, n_resamples=20_000, rng=np.random.default_rng(1),
            ).pvalue  # fmt: skip
            ours = difference.p()
            gap = abs(ours - theirs) / max(ours, theirs)
            worst, compared = max(worst, gap), compared + 1
            apart += gap > NEAR and abs(ours - theirs) > 0.003
    print(f"\np-values: {compared} compared with SciPy's, {apart} too far apart, at most {worst:.1%}")
    return apart


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=400)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"evalstats {evalstats.__version__}\n")
    intervals(arguments.simulations)
    return 1 if p_values(arguments.simulations) else 0


if __name__ == "__main__":
    raise SystemExit(main())
