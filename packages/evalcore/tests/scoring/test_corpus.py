"""On every expected answer of the real prompt library ANLS* is the reference's.

The reference takes up to a minute for the large ones: of those, the first list elements are compared
here, and the whole by the benchmark.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from anls_star import anls_score

from evalcore.errors import CaseError
from evalcore.formats.markdown import parse_markdown
from evalcore.library.cases import load_cases
from evalcore.library.checkout import FolderCheckout
from evalcore.library.loader import load_component
from evalcore.scoring.answers import Parsed, Unparsed, parse_answer
from evalcore.scoring.scorer import TreeScorer, make_scorer, plan_fields
from evalcore.structs import JsonValue
from evalsim.testing import make_case, make_component

LONGEST_LIST = 2
LONGEST_TEXT = 90

pytestmark = pytest.mark.corpus


def expected_answers(shared_dir: Path) -> dict[str, JsonValue]:
    folder = shared_dir / "prompt-library" / "components"
    answers: dict[str, JsonValue] = {}
    for path in sorted(folder.glob("*/evals/cases/*/expected.*")):
        text = path.read_text(encoding="utf-8")
        answers[str(path)] = json.loads(text) if path.suffix == ".json" else parse_markdown(text)
    assert len(answers) >= 9
    return answers


def cut(value: JsonValue) -> JsonValue:
    """The first elements of each list, and the beginning of each text."""
    if isinstance(value, list):
        return [cut(item) for item in value[:LONGEST_LIST]]
    if isinstance(value, dict):
        return {key: cut(item) for key, item in value.items()}
    return value[:LONGEST_TEXT] if isinstance(value, str) else value


def perturbed(value: JsonValue, rng: random.Random) -> JsonValue:
    if isinstance(value, list):
        kept = [perturbed(item, rng) for item in value if rng.random() < 0.9]
        rng.shuffle(kept)
        return [*kept, "invented"] if rng.random() < 0.1 else kept
    if isinstance(value, dict):
        return {key: perturbed(item, rng) for key, item in value.items() if rng.random() < 0.95}
    if isinstance(value, str) and rng.random() < 0.4:
        at = rng.randrange(len(value) + 1)
        return f"{value[:at]}~~{value[at + 3 :]}"
    return value if rng.random() < 0.9 else None


@pytest.mark.parametrize("seed", [1, 2])
def test_every_expected_answer_scores_as_the_reference_says(shared_dir: Path, seed: int) -> None:
    for where, whole in expected_answers(shared_dir).items():
        expected = cut(whole)
        answer = perturbed(expected, random.Random(seed))
        ours = TreeScorer(expected).score(answer).anls_star
        assert ours == pytest.approx(anls_score(expected, answer), abs=1e-9), where


def test_every_expected_answer_is_right_and_agrees_with_itself_in_any_order(shared_dir: Path) -> None:
    rng = random.Random(3)
    for where, whole in expected_answers(shared_dir).items():
        scorer = TreeScorer(whole)
        result = scorer.score(whole)
        assert result.accuracy == 1, where
        assert set(result.by_field) == scorer.fields, where
        assert set(result.by_field.values()) == {1.0}, where
        answer = perturbed(whole, rng)
        assert scorer.agree(whole, answer) == scorer.agree(answer, whole), where


def test_no_real_case_scores_itself_under_1(shared_dir: Path) -> None:
    library = FolderCheckout(shared_dir / "prompt-library")
    seen = 0
    for path in sorted((shared_dir / "prompt-library" / "components").iterdir()):
        component = load_component(library, None, path.name)
        try:
            cases, _ = load_cases(library, None, component)
        except CaseError:
            continue
        rules = plan_fields(component, cases)
        for case in cases:
            parsed = parse_answer(case.expected, component.output)
            assert isinstance(parsed, Parsed)
            score = make_scorer(component, case, rules).score(parsed.value)
            assert (score.accuracy, score.precision, score.recall) == (1, 1, 1), case.name
            seen += 1
    assert seen >= 7


def shared_rows(shared_dir: Path) -> Iterator[dict[str, Any]]:
    for line in (shared_dir / "cases" / "scores.jsonl").read_text(encoding="utf-8").splitlines():
        if line.strip():
            yield json.loads(line)


def test_every_small_case_beside_the_project_scores_what_it_must(shared_dir: Path) -> None:
    for row in shared_rows(shared_dir):
        is_markdown = row["format"] == "md"
        component = make_component(
            output="markdown" if is_markdown else "json",
            schema=None if is_markdown else row.get("schema", {}),
            policy=json.dumps(row["policy"]) if "policy" in row else None,
            policy_where="scoring.yaml" if "policy" in row else None,
        )
        case = make_case("c", row["expected"] if is_markdown else json.dumps(row["expected"]))
        answer = row.get("reply", row.get("answer"))
        text = answer if row["format"] in {"md", "reply"} else json.dumps(answer)
        parsed = parse_answer(text, component.output)
        if not isinstance(parsed, Parsed) or row["want"] == "unparsed":
            assert (row["want"] == "unparsed") == isinstance(parsed, Unparsed), row
            continue
        low, high = row["want"] if isinstance(row["want"], list) else (row["want"] - 1e-6, row["want"] + 1e-6)
        assert low <= make_scorer(component, case).score(parsed.value).accuracy <= high, row
