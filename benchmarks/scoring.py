"""Scoring: ours against `anls-star` on every expected answer of the prompt library.

Each answer is compared with itself and with perturbed copies (fixed seed). The values must be the same.
The reference takes many seconds for the large answers: without --full those are cut down to their first
list elements for it, and ours is timed on the whole as well. Ours is timed with all it gives: the typed
score with precision, recall and fields, and ANLS* beside it. Then a long list, and many small answers.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import random
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from anls_star import anls_score

from evalcore.formats.markdown import parse_markdown
from evalcore.scoring.markdown_tree import markdown_fields
from evalcore.scoring.rules.field_rules import FieldRules
from evalcore.scoring.scorer import TreeScorer
from evalcore.structs import JsonValue

SEED = 20_260
COPIES = 2
CUT = 4
"""List elements left of each list where the reference would take too long."""
AFFORDABLE = 3_000
"""Characters of an answer's JSON that the reference compares in reasonable time."""
MIN_RATIO = 500
MAX_MS = 30
LONG_LIST, MAX_LIST_SECONDS = 300, 2.0
SMALL_ANSWERS, MAX_SMALL_SECONDS = 10_000, 2.0


def expected_answers(library: Path) -> Iterator[tuple[str, JsonValue]]:
    for path in sorted(library.glob("components/*/evals/cases/*/expected.*")):
        text = path.read_text(encoding="utf-8")
        value = json.loads(text) if path.suffix == ".json" else parse_markdown(text)
        yield f"{path.parts[-5]}/{path.parts[-2]}"[:42], value


def cut(value: JsonValue) -> JsonValue:
    if isinstance(value, list):
        return [cut(item) for item in value[:CUT]]
    return {key: cut(item) for key, item in value.items()} if isinstance(value, dict) else value


def perturbed(value: JsonValue, rng: random.Random) -> JsonValue:
    """Lists shuffled and shortened, keys dropped, texts and numbers changed."""
    if isinstance(value, list):
        kept = [perturbed(item, rng) for item in value if rng.random() < 0.95]
        rng.shuffle(kept)
        return kept
    if isinstance(value, dict):
        return {key: perturbed(item, rng) for key, item in value.items() if rng.random() < 0.97}
    if isinstance(value, str) and value and rng.random() < 0.3:
        at = rng.randrange(len(value))
        return f"{value[:at]}(changed){value[at + rng.randrange(9) :]}"
    if isinstance(value, int | float) and rng.random() < 0.2:
        return not value if isinstance(value, bool) else value + 1
    return value


def seconds(work: Callable[[], float], times: int) -> tuple[float, float]:
    """Return the work's result and its shortest CPU time."""
    best, result = math.inf, 0.0
    for _ in range(times):
        start = time.process_time()
        result = work()
        best = min(best, time.process_time() - start)
    return result, best


def reference(expected: JsonValue, answer: JsonValue) -> float:
    value = anls_score(expected, answer)
    assert isinstance(value, float | int)
    return value


def scorer_of(expected: JsonValue) -> TreeScorer:
    """Return the scorer that a component would have, its schema aside."""
    if not isinstance(expected, dict) or "sections" not in expected:
        return TreeScorer(expected)
    named = markdown_fields(expected)
    return TreeScorer(named, FieldRules(None, [named], markdown=True), published=expected)


def measure(name: str, expected: JsonValue, answer: JsonValue) -> tuple[float, float]:
    """Print one line; return how many times faster ours is, and its milliseconds."""
    scorer = scorer_of(expected)
    ours, our_time = seconds(lambda: scorer.score(answer).anls_star, times=7)
    theirs, their_time = seconds(lambda: reference(expected, answer), times=1)
    if abs(ours - theirs) > 1e-9:
        sys.exit(f"{name}: ours is {ours!r}, the reference's {theirs!r}")
    ratio = their_time / our_time
    print(f"{name:48} {ours:8.4f} {our_time * 1e3:10.3f} ms {their_time * 1e3:12.1f} ms {ratio:10.0f} x")
    return ratio, our_time * 1e3


def long_list(rng: random.Random) -> tuple[JsonValue, JsonValue]:
    """Return 300 objects, and the same shuffled with a third of the leaves changed."""
    expected: list[JsonValue] = [
        {
            "code": f"DOC_{at}",
            "label": f"Required document number {at}",
            "page_limit": rng.choice([None, 1, 2, 15]),
            "is_required": rng.random() < 0.5,
            "source": f"Section {at % 7}",
        }
        for at in range(LONG_LIST)
    ]
    changed: list[JsonValue] = [
        {**item, "label": f"{item['label']} (form)", "page_limit": 3}
        for item in expected
        if isinstance(item, dict)
    ]
    rng.shuffle(changed)
    return {"documents": expected}, {"documents": changed}


def small_answers(rng: random.Random) -> tuple[JsonValue, list[JsonValue]]:
    """Return a classifier's expected answer, and thousands of different answers."""
    word = "letterhead date salutation proposal signature budget award notice header".split()  # noqa: SIM905

    def answer(kind: str) -> JsonValue:
        return {
            "document_type": kind,
            "confidence": rng.randrange(100) / 100,
            "evidence_excerpt": " ".join(rng.choices(word, k=20)),
            "rationale": " ".join(rng.choices(word, k=30)),
            "secondary_candidates": [
                {
                    "document_type": "other",
                    "confidence": rng.randrange(30) / 100,
                    "rationale": " ".join(rng.choices(word, k=25)),
                }
            ],
        }

    kinds = ["letter", "award", "budget"]
    return answer("letter"), [answer(rng.choice(kinds)) for _ in range(SMALL_ANSWERS)]


def measure_sizes() -> bool:
    """Print the seconds of a long list and of many small answers; return whether both are in time."""
    rng = random.Random(SEED)
    expected, answer = long_list(rng)
    scorer = TreeScorer(expected)
    _, listed = seconds(lambda: scorer.score(answer).accuracy, times=2)
    expected, answers = small_answers(rng)
    small = TreeScorer(expected)
    _, many = seconds(lambda: math.fsum(small.score(each).accuracy for each in answers), times=2)
    print(f"{LONG_LIST} objects against {LONG_LIST}: {listed:.2f} s (at most {MAX_LIST_SECONDS})")
    print(f"{SMALL_ANSWERS} small answers: {many:.2f} s (at most {MAX_SMALL_SECONDS})")
    return listed <= MAX_LIST_SECONDS and many <= MAX_SMALL_SECONDS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--full", action="store_true", help="give the reference the large answers whole (minutes)"
    )
    parser.add_argument(
        "--library", type=Path, default=Path(__file__).parents[2] / "shared" / "prompt-library"
    )
    options = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)
    gc.disable()  # as timeit does
    rng = random.Random(SEED)
    ratios, slowest = [], 0.0
    print(f"{'expected answer':48} {'ANLS*':>8} {'ours':>13} {'anls-star':>15} {'ratio':>12}")
    for name, whole in expected_answers(options.library):
        expected, label = whole, name
        if len(json.dumps(whole)) > AFFORDABLE and not options.full:
            scorer, answer = scorer_of(whole), perturbed(whole, rng)
            value, whole_time = seconds(lambda s=scorer, a=answer: s.score(a).anls_star, times=7)  # type: ignore[misc]
            print(f"{name:48} {value:8.4f} {whole_time * 1e3:10.3f} ms {'(not run)':>15}")
            slowest = max(slowest, whole_time * 1e3)
            expected, label = cut(whole), f"{name} (cut)"
        for answer in [expected, *(perturbed(expected, rng) for _ in range(COPIES))]:
            ratio, ours = measure(label, expected, answer)
            ratios.append(ratio)
            slowest = max(slowest, ours)
    if not ratios:
        sys.exit(f"no expected answers under {options.library}")
    mean = math.exp(math.fsum(map(math.log, ratios)) / len(ratios))
    print(f"geometric mean {mean:.0f} x (at least {MIN_RATIO}); slowest {slowest:.1f} ms (at most {MAX_MS})")
    if not measure_sizes() or mean < MIN_RATIO or slowest > MAX_MS:
        sys.exit("too slow")


if __name__ == "__main__":
    main()
