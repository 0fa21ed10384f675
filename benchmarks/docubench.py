"""Scoring against hand labels: half of DocuBench, answers of real systems with the benchmark's own scores.

All answers are scored with our typed score, by their schema and without a policy. Printed are the
correlations with the published scores (Spearman's and Pearson's), the order of the systems in both, the
mean difference, and the answers on which the two differ most, with the leaves that make ours lower than 1.
The data are read where they lie, beside the project: labels and answers are DocuPipe's, CC BY 4.0.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from evalcore.library.component import Case, Component
from evalcore.scoring.difference import DiffNode, diff
from evalcore.scoring.scorer import TreeScorer, plan_fields, scorer_of
from evalcore.structs import JsonObject, JsonValue

LEAST_SPEARMAN = 0.95
MOST_DIFFERENCE = 0.01
SHOWN = 10
LEAVES_SHOWN = 6
WIDTH = 60


class Scored(NamedTuple):
    """One answer, by both scores."""

    system: str
    document: str
    ours: float
    anls_star: float
    published: float

    @property
    def difference(self) -> float:
        """How much higher ours is."""
        return self.ours - self.published


def component(schema: JsonObject) -> Component:
    return Component(
        slug="document",
        name="Document",
        version="1.0.0",
        category=None,
        prompt="?",
        prompt_sha256="0" * 64,
        output="json",
        schema=schema,
        schema_sha256=None,
        policy=None,
        policy_where=None,
        policy_sha256=None,
    )


def read(path: Path) -> JsonValue:
    value: JsonValue = json.loads(path.read_text(encoding="utf-8"))
    return value


def scorers(folder: Path) -> dict[str, TreeScorer]:
    """Return the scorer of each document."""
    found = {}
    for path in sorted(folder.glob("labels/*.json")):
        schema = read(folder / "schemas" / path.name)
        if not isinstance(schema, dict):
            sys.exit(f"{path.name}: its schema is no object")
        one = component(schema)
        case = Case(name=path.stem, input="", expected=path.read_text(encoding="utf-8"), sha256="0" * 64)
        found[path.stem] = scorer_of(one, case, plan_fields(one, (case,)))
    return found


def ranks(values: Sequence[float]) -> list[float]:
    """Return each value's rank; equal ones share the mean of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    begins = 0
    while begins < len(order):
        ends = begins
        while ends + 1 < len(order) and values[order[ends + 1]] == values[order[begins]]:
            ends += 1
        for at in order[begins : ends + 1]:
            found[at] = (begins + ends) / 2
        begins = ends + 1
    return found


def pearson(ones: Sequence[float], others: Sequence[float]) -> float:
    one_mean, other_mean = (math.fsum(values) / len(values) for values in (ones, others))
    one_off, other_off = [one - one_mean for one in ones], [other - other_mean for other in others]
    products = math.fsum(one * other for one, other in zip(one_off, other_off, strict=True))
    return products / math.sqrt(
        math.fsum(one * one for one in one_off) * math.fsum(two * two for two in other_off)
    )


def spearman(ones: Sequence[float], others: Sequence[float]) -> float:
    return pearson(ranks(ones), ranks(others))


def order(scored: Sequence[Scored], of: str) -> list[tuple[str, float]]:
    """Return the systems with their mean scores, the best first."""
    values: dict[str, list[float]] = {}
    for one in scored:
        values.setdefault(one.system, []).append(getattr(one, of))
    means = {system: math.fsum(many) / len(many) for system, many in values.items()}
    return sorted(means.items(), key=lambda item: -item[1])


def faults(node: DiffNode) -> Iterator[DiffNode]:
    """Yield the leaves that cost an answer something."""
    if node.children:
        for child in node.children:
            yield from faults(child)
    elif node.score < 1 and node.weight:
        yield node


def print_fault(node: DiffNode) -> None:
    sides = [(side or "-")[:WIDTH] for side in (node.expected, node.answered)]
    print(
        f"    {node.status:8} {node.score:.2f} x {node.weight:.2f}",
        f" {node.path[-WIDTH:]}: {sides[0]} | {sides[1]}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parents[2] / "shared" / "docubench")
    parser.add_argument("--shown", type=int, default=SHOWN, help="answers to show")
    parser.add_argument("--leaves", type=int, default=LEAVES_SHOWN, help="leaves to show of each")
    options = parser.parse_args()
    folder: Path = options.folder
    if not (folder / "published.json").is_file():
        sys.exit(f"{folder}: is not there; give DocuBench's folder with --folder")
    published = read(folder / "published.json")
    if not isinstance(published, dict):
        sys.exit("published.json is no object")
    by_document = scorers(folder)
    scored, slowest = [], 0.0
    for name, theirs in published.items():
        system, _, document = name.partition("/")
        answer = read(folder / "answers" / system / f"{document}.json")
        began = time.process_time()
        score = by_document[document].score(answer)
        slowest = max(slowest, time.process_time() - began)
        scored.append(Scored(system, document, score.accuracy, score.anls_star, float(str(theirs))))
    if not report(scored, by_document, folder, options.shown, options.leaves):
        sys.exit("not as close as wanted")
    print(f"slowest answer {slowest * 1e3:.1f} ms")


def report(
    scored: Sequence[Scored], by_document: Mapping[str, TreeScorer], folder: Path, shown: int, leaves: int
) -> bool:
    """Print all; return whether ours is as close as wanted."""
    for one in sorted(scored, key=lambda one: -abs(one.difference))[:shown]:
        print(f"{one.system}/{one.document}: ours {one.ours:.3f}, published {one.published:.3f}")
        answer = read(folder / "answers" / one.system / f"{one.document}.json")
        tree = diff(by_document[one.document], answer).tree
        found = sorted(faults(tree), key=lambda node: node.weight * (node.score - 1)) if tree else []
        for node in found[:leaves]:
            print_fault(node)
        if len(found) > leaves:
            print(f"    ... and {len(found) - leaves} more")
    theirs = [one.published for one in scored]
    ours, stars = [one.ours for one in scored], [one.anls_star for one in scored]
    orders = {of: order(scored, of) for of in ("ours", "published", "anls_star")}
    for of, systems in orders.items():
        print(f"{of:10}", ", ".join(f"{system} {mean:.4f}" for system, mean in systems))
    rho = spearman(ours, theirs)
    difference = math.fsum(abs(one.difference) for one in scored) / len(scored)
    names = [[system for system, _ in orders[of]] for of in ("ours", "published")]
    is_same = names[0] == names[1]
    print(
        f"{len(scored)} answers; ANLS*: Spearman {spearman(stars, theirs):.3f},",
        f"Pearson {pearson(stars, theirs):.3f}",
    )
    print(
        f"ours: Spearman {rho:.3f} (at least {LEAST_SPEARMAN}), Pearson {pearson(ours, theirs):.3f}; ", end=""
    )
    print(f"order of systems {'equal' if is_same else 'not equal'}; ", end="")
    print(f"mean difference {difference:.4f} (at most {MOST_DIFFERENCE})")
    return rho >= LEAST_SPEARMAN and is_same and difference <= MOST_DIFFERENCE


if __name__ == "__main__":
    main()
