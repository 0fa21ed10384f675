"""Do the intervals cover, do the comparisons alarm when they should? By simulation with known truth.

Every cell has its own fixed seed, so the table is the same wherever it is made. The product's own
functions are called, with fewer draws than in a run: that makes them a little less exact, not more.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from multiprocessing import Pool
from pathlib import Path
from random import Random

import scenarios
from evalcore.stats.draws import draws_from
from evalcore.stats.permutation import ALPHA, can_alarm, fall_p
from evalcore.stats.power import DEFAULT_MARGIN, Spread, smallest_change
from evalcore.stats.sampling import cuts, make_beta
from evalcore.stats.uncertainty import Interval, Pairs, accuracy_interval, reproducibility_interval
from evalcore.stats.weights import weights_from
from evalcore.structs import Frozen
from noises import NOISES, Noise
from scenarios import SCENARIOS

SEED = "evaluator"
DRAWS = 300
COVERED = 0.92
FALSE_ALARMS = 0.05
BIAS = 0.005
FOR_SHOW = 8
"""Of this many simulations one also tries the interval without our amendments."""
COMPARED = 2
"""Of this many simulations one is a comparison, which takes that much longer."""
MOST = 0.4
"""Not every noise can be lowered by more."""
RELIABLE_REPLICATES = 5
"""Reproducibility intervals must cover from here on; with fewer replies they are rough, and said to be."""
SHIFTS = (0.0, 0.005)
FALLS = (0.05, 0.10)


class Cell(Frozen, frozen=True):
    """One noise, cases and replicates, and how often it is simulated."""

    noise: str
    cases: int
    replicates: int
    simulations: int

    @property
    def name(self) -> str:
        """The first columns of the tables."""
        return f"{self.noise} | {self.cases} | {self.replicates}"

    def rng(self, purpose: str) -> Random:
        """Make the random numbers of one purpose."""
        return Random(f"{SEED}|{purpose}|{self.name}")

    def models(self, fall: float = 0.0) -> list[Noise]:
        """How the model answers each case, its mean lowered by so much."""
        return [NOISES[self.noise](case, fall) for case in range(self.cases)]


class Coverage(Frozen, frozen=True):
    """How often an interval holds the truth, and how wide it is on average."""

    covered: float
    width: float


class Row(Frozen, frozen=True):
    """All that was measured of one cell."""

    cell: Cell
    accuracy: Coverage
    reproducibility: Coverage
    prescribed: Coverage
    """Accuracy's interval as the bootstrap gives it without our two amendments."""
    bias: float
    false_alarms: dict[str, float]
    power: dict[str, float]
    told: float | None
    found_at_told: float | None


def measure(cell: Cell) -> Row:
    """Simulate one cell."""
    models = cell.models()
    accuracy = math.fsum(model.accuracy for model in models) / cell.cases
    agreement = math.fsum(model.reproducibility for model in models) / cell.cases
    found = list(simulated(cell))
    spread = math.sqrt(math.fsum(model.spread**2 for model in models) / cell.cases)
    told = smallest_change(cell.cases, cell.replicates, Spread(mean=accuracy, deviation=spread))
    return Row(
        cell=cell,
        accuracy=coverage(found, "accuracy", accuracy),
        reproducibility=coverage(found, "reproducibility", agreement),
        prescribed=coverage(found, "prescribed", accuracy),
        bias=bias(cell, agreement),
        false_alarms=dict(false_alarms(cell)),
        power={f"{fall:.2f}": power(cell, fall) for fall in FALLS},
        told=told,
        found_at_told=None if told is None or told > MOST else power(cell, told),
    )


def simulated(cell: Cell) -> Iterator[dict[str, Interval | None]]:
    """Yield the intervals of so many runs; the one without amendments, for show, of some of them."""
    models, rng = cell.models(), cell.rng("intervals")
    for number in range(cell.simulations):
        kinds = [model.replies(cell.replicates, rng) for model in models]
        scores = [model.scores_of(drawn) for model, drawn in zip(models, kinds, strict=True)]
        pairs = [model.pairs_of(drawn) for model, drawn in zip(models, kinds, strict=True)]
        yield {
            "accuracy": accuracy_interval(scores, draws_from(rng.random), DRAWS),
            "reproducibility": reproducibility_interval(pairs, weights_from(rng.random), DRAWS),
            "prescribed": prescribed_interval(scores, rng) if number % FOR_SHOW == 0 else None,
        }


def coverage(intervals: Sequence[Mapping[str, Interval | None]], figure: str, truth: float) -> Coverage:
    found = [interval for one in intervals if (interval := one[figure]) is not None]
    return Coverage(
        covered=sum(low - 1e-12 <= truth <= high + 1e-12 for low, high in found) / len(found),
        width=math.fsum(high - low for low, high in found) / len(found),
    )


def prescribed_interval(scores: Sequence[Sequence[float]], rng: Random, draws: int = DRAWS) -> Interval:
    """The plain Bayesian bootstrap with pseudo-mass 0.5 / C, for comparison."""
    mass = 0.5 / len(scores)
    lows, highs = [0.0] * draws, [0.0] * draws
    for case in scores:
        beta = make_beta(mass, len(case), rng.random)
        for draw in range(draws):
            cut, extra = cuts(len(case), rng.random), beta()
            inner = (1 - extra) * sum(value * (cut[at + 1] - cut[at]) for at, value in enumerate(case))
            lows[draw] += inner / len(scores)
            highs[draw] += (inner + extra) / len(scores)
    at = round(0.025 * (draws - 1))
    return sorted(lows)[at], sorted(highs)[-1 - at]


def bias(cell: Cell, truth: float) -> float:
    """The mean agreement over many runs, less the true one; of 20 cases' replies for each simulation."""
    rng = cell.rng("bias")
    models = cell.models()
    runs = max(1, 20 * cell.simulations // cell.cases)
    found: list[Pairs] = [
        model.pairs_of(model.replies(cell.replicates, rng)) for _ in range(runs) for model in models
    ]
    return math.fsum(pairs.value for pairs in found) / len(found) - truth


def false_alarms(cell: Cell) -> Iterator[tuple[str, float]]:
    """How often two sets of runs of one model are told apart, either way."""
    for shift in SHIFTS:
        for more in (1, 3):
            name = f"{'unequal R' if more > 1 else 'equal R'}, shift {shift:g}"
            yield name, alarms(cell, shift, cell.replicates * more, both_sides=True)


def power(cell: Cell, fall: float) -> float:
    return alarms(cell, fall, cell.replicates, both_sides=False)


def alarms(cell: Cell, fall: float, replicates_after: int, *, both_sides: bool) -> float:
    if not can_alarm([(cell.replicates, replicates_after)] * cell.cases):
        return 0.0
    rng = cell.rng(f"compare {fall} {replicates_after} {both_sides}")
    count = 0
    simulations = max(1, cell.simulations // COMPARED)
    for _ in range(simulations):
        before = [model.scores_of(model.replies(cell.replicates, rng)) for model in cell.models()]
        after = [model.scores_of(model.replies(replicates_after, rng)) for model in cell.models(fall)]
        least = fall_p(before, after, DEFAULT_MARGIN)
        if both_sides:
            least = min(least, fall_p(after, before, DEFAULT_MARGIN))
        count += least <= ALPHA
    return count / simulations


def missed(row: Row, slack: float) -> Iterator[str]:
    """Say which requirements a row misses; `slack` is for runs of few simulations."""
    if row.accuracy.covered < COVERED - slack:
        yield f"accuracy covers {row.accuracy.covered:.1%}"
    if row.cell.replicates >= RELIABLE_REPLICATES and row.reproducibility.covered < COVERED - slack:
        yield f"reproducibility covers {row.reproducibility.covered:.1%}"
    if abs(row.bias) > BIAS + slack / 5:
        yield f"agreement is off by {row.bias:+.4f}"
    for name, share in row.false_alarms.items():
        if share > FALSE_ALARMS + slack:
            yield f"{share:.1%} false alarms ({name})"


def tables(rows: Sequence[Row]) -> Iterator[str]:
    """Write the two tables, in Markdown."""
    yield "| noise | cases | R | accuracy: covers | width | reproducibility: covers | width "
    yield "| bias of agreement | accuracy without amendments: covers | width |\n"
    yield f"|---|{'--:|' * 9}\n"
    for row in rows:
        spans = [row.accuracy, row.reproducibility]
        cells = " | ".join(f"{span.covered:.1%} | {span.width:.3f}" for span in spans)
        plain = f"{row.prescribed.covered:.1%} | {row.prescribed.width:.3f}"
        yield f"| {row.cell.name} | {cells} | {row.bias:+.4f} | {plain} |\n"
    alarms_of, falls = list(rows[0].false_alarms), list(rows[0].power)
    head = [*(f"false alarms: {name}" for name in alarms_of), *(f"finds a fall of {fall}" for fall in falls)]
    head += ["told as smallest change", "finds that"]
    yield f"\n| noise | cases | R | {' | '.join(head)} |\n|---|--:|--:|{'--:|' * len(head)}\n"
    for row in rows:
        shares = [*row.false_alarms.values(), *row.power.values()]
        told = "-" if row.told is None else f"{row.told:.3f}"
        found = "-" if row.found_at_told is None else f"{row.found_at_told:.0%}"
        yield f"| {row.cell.name} | {' | '.join(f'{share:.1%}' for share in shares)} | {told} | {found} |\n"


def edges(cells: Iterable[tuple[int, int]]) -> Iterator[str]:
    """Write what the interval says where every reply is right, and how it covers at the worst true rate.

    That rate lies just below the lower limit L: all N replies are right with chance L^N, and then missed.
    """
    many = 10_000
    yield "| cases | R | lower limit | covers at worst | unamended: lower limit | covers at worst |\n"
    yield "|--:|--:|--:|--:|--:|--:|\n"
    for cases, replicates in cells:
        right = [[1.0] * replicates] * cases
        ours = accuracy_interval(right, draws_from(Random(SEED).random), many)
        limits = [ours[0] if ours else 0.0, prescribed_interval(right, Random(SEED), many)[0]]
        columns = " | ".join(f"{low:.3f} | {1 - low ** (cases * replicates):.1%}" for low in limits)
        yield f"| {cases} | {replicates} | {columns} |\n"


def measure_scenario(task: tuple[int, int]) -> list[scenarios.Row]:
    """Simulate one scenario, by its number."""
    number, simulations = task
    return list(SCENARIOS[number](simulations))


def grid(arguments: argparse.Namespace) -> list[Cell]:
    cases, replicates = ((1, 3), (5, 10)) if arguments.quick else ((1, 3, 10), (5, 10, 20))
    return [
        Cell(
            noise=noise,
            cases=many,
            replicates=count,
            simulations=arguments.simulations,
        )
        for noise, many, count in product(NOISES, cases, replicates)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a part of the grid, roughly, in under a minute")
    parser.add_argument("--simulations", type=int, help="per cell (1500; 150 with --quick)")
    parser.add_argument("--processes", type=int, default=2)
    names = [scenario.__name__ for scenario in SCENARIOS]
    parser.add_argument(
        "--only",
        choices=("grid", "scenarios", *names),
        help="one of the two parts, or one scenario; all where not given",
    )
    parser.add_argument("--out", type=Path, help="also write the tables to this file")
    arguments = parser.parse_args()
    arguments.simulations = arguments.simulations or (150 if arguments.quick else 1500)
    # Three standard errors of a share near 95 %, where there are too few simulations to tell.
    slack = 3 * math.sqrt(0.05 * 0.95 * COMPARED / arguments.simulations) if arguments.quick else 0.0
    started = time.monotonic()
    cells = grid(arguments) if arguments.only in {None, "grid"} else []
    tasks = [
        (at, arguments.simulations)
        for at, name in enumerate(names)
        if arguments.only in {None, "scenarios", name}
    ]
    rows: list[Row] = []
    found: list[scenarios.Row] = []
    with Pool(arguments.processes) as workers:
        for row in workers.imap(measure, cells):
            rows.append(row)
            print(f"{len(rows)}/{len(cells)} {row.cell.name}", file=sys.stderr)
        for several in workers.imap(measure_scenario, tasks):
            found += several
            print(f"{several[0].table}: {len(several)} settings", file=sys.stderr)
    text = "".join([*(tables(rows) if rows else ()), *scenarios.tables(found)])
    if cells:
        text += "".join(["\n", *edges(sorted({(cell.cases, cell.replicates) for cell in cells}))])
    print(text)
    if arguments.out:
        arguments.out.write_text(text, encoding="utf-8")
    wrong = [f"{row.cell.name}: {what}" for row in rows for what in missed(row, slack)]
    wrong += [what for row in found for what in row.missed(slack)]
    print("\n".join(wrong) or "every requirement is met")
    print(f"{arguments.simulations} simulations a cell, {time.monotonic() - started:.0f} s", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
