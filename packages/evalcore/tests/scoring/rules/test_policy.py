"""scoring.yaml: what it may say, which entry counts, and what is told of mistakes."""

from __future__ import annotations

import json

import msgspec
import pytest

from evalcore.errors import ComponentError
from evalcore.library.component import Case, Component
from evalcore.scoring.rules.field_rules import FieldRules, plan_fields
from evalcore.scoring.rules.policy import parse_path, parse_policy
from evalcore.scoring.scorer import TreeScorer
from evalcore.structs import JsonValue
from evalsim.testing import SHA, make_case, make_component

WHERE = "components/memo/evals/scoring.yaml"
EXPECTED: JsonValue = {
    "rationale": "because",
    "confidence": 0.68,
    "evidence_excerpt": "Notice of Award",
    "document_type": "letter_support",
    "document_requirements": [{"code": "A", "label": "Alpha", "description": "First"}],
    "secondary_candidates": [{"document_type": "other"}],
}
OF_THE_ISSUE = """
fields:
  rationale: {compare: ignore}
  confidence: {compare: number, tolerance: 0.15, relative: false}
  evidence_excerpt: {compare: contained_in_input}
  document_requirements: {align_by: [code, label]}
  document_requirements[].description: {compare: text, weight: 0.25}
  secondary_candidates: {ordered: true}
  document_type: {one_of: [letter_support, other]}
"""


def component(policy: str, output: str = "json") -> Component:
    return make_component(output=output, policy=policy, policy_where=WHERE, policy_sha256=SHA)


def plan(policy: str, expected: JsonValue = EXPECTED) -> FieldRules:
    return plan_fields(component(policy), [make_case(expected=json.dumps(expected))])


def test_the_documented_policy_is_understood() -> None:
    scorer = TreeScorer(EXPECTED, plan(OF_THE_ISSUE), "A notice of award of May 2.")
    answer = {
        "rationale": "no reason",
        "confidence": 0.8,
        "evidence_excerpt": "award of May 2",
        "document_type": "other",
        "document_requirements": [{"code": "A", "label": "Alpha", "description": "Last of all"}],
        "secondary_candidates": [{"document_type": "other"}],
    }
    assert scorer.score(answer).accuracy == pytest.approx(6 / 6.25)


@pytest.mark.parametrize("text", ["", "# nothing\n", "fields:\n", "fields: {}\n"])
def test_a_policy_may_say_nothing(text: str) -> None:
    assert parse_policy(text, WHERE) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fields: {confidance: ignore}", ":1: there is no field `confidance`"),
        ("fields:\n  a.b.c: ignore", ":2: there is no field `a.b.c`"),
        ("fields:\n  document_requirements.code: ignore", "write lists as `name[]`"),
        ("fields:\n  rationale: {compare: same}", ":2: unknown comparator `same`"),
        ("fields:\n  rationale: {compare: closeness}", ":2: unknown comparator `closeness`"),
        (
            "fields:\n  rationale:\n    compare: text\n    wieght: 2",
            ":4: unknown option `wieght`; did you mean",
        ),
        ("field:\n  rationale: ignore", ":1: unknown key `field`; did you mean `fields`"),
        ("fields:\n  rationale: {compare: text, tolerance: 1}", ":2: `tolerance` goes with number or money"),
        ("fields:\n  rationale: {min: 1}", ":2: `min` goes with range"),
        ("fields:\n  rationale: {compare: range}", ":2: `range` needs `min` or `max`"),
        (
            "fields:\n  rationale:\n    compare: range\n    min: 3\n    max: 2",
            ":4: `min` is above `max`",
        ),
        ("fields:\n  rationale: {compare: range, min: .inf}", ":2: `min` is no number"),
        (f"fields:\n  rationale: {{compare: range, min: 1{'0' * 400}}}", ":2: `min` is no number"),
        ("fields:\n  rationale: {compare: one_of}", ":2: `one_of` needs its values"),
        ("fields:\n  rationale: {one_of: [a, null]}", ":2: a value of `one_of` is not a plain one"),
        ("fields:\n  rationale: {one_of: a}", ":2: `one_of` is no list of values"),
        ("fields:\n  rationale: {weight: -1}", ":2: `weight` is not between 0"),
        ("fields:\n  rationale: {weight: .nan}", ":2: `weight` is no number"),
        ("fields:\n  rationale: {weight: true}", ":2: `weight` is no number"),
        ("fields:\n  rationale: {ordered: 1}", ":2: `ordered` is neither true nor false"),
        ("fields:\n  rationale: {ordered: true}", ":2: `rationale` is no list"),
        ("fields:\n  document_requirements: {align_by: cod}", "has no field `cod` to align by"),
        ("fields:\n  document_requirements: {align_by: []}", ":2: `align_by` is no list of field names"),
        ("fields:\n  rationale: {}", ":2: nothing is said of the field"),
        ("fields:\n  rationale: [text]", ":2: what is said of a field is no mapping"),
        ("fields:\n  rationale..x: text", ":2: `rationale..x` is no field path"),
        ("fields:\n  rationale: text\n  rationale: text", ":3: the key `rationale` stands twice"),
        ("- a", ":1: the policy is no mapping"),
        ("fields: {", ": is not YAML"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(text: str, message: str) -> None:
    with pytest.raises(ComponentError) as caught:
        plan(text)
    assert WHERE in caught.value.line
    assert message in caught.value.line


def test_a_path_that_only_the_schema_has_is_known() -> None:
    schema = {"properties": {"due": {"type": "string"}}}
    with_schema = msgspec.structs.replace(component("fields: {due: date}"), schema=schema)
    assert plan_fields(with_schema, [make_case(expected={"a": 1})]).policy


def test_the_most_specific_entry_counts() -> None:
    text = "fields: {l: {compare: ignore}, 'l[].x': {compare: exact, weight: 2}}"
    expected = {"l": [{"x": "a", "y": "b"}], "z": 1}
    scorer = TreeScorer(expected, plan(text, expected))
    assert scorer.score({"l": [{"x": "A", "y": "b"}], "z": 1}).accuracy == pytest.approx(1 / 3)
    assert scorer.score({"l": [{"x": "a", "y": "no"}], "z": 1}).accuracy == 1
    assert scorer.fields == {"l[].x", "z"}


def test_the_whole_answer_is_a_dot() -> None:
    rules = plan("fields: {.: {ordered: true}}", [1, 2, 3])
    assert TreeScorer([1, 2, 3], rules).score([3, 1, 2]).accuracy == pytest.approx(2 / 4)


@pytest.mark.parametrize("answer", [0.35, 0.5, 0.65])
def test_a_tolerance_holds_at_its_very_edge(answer: float) -> None:
    rules = plan("fields: {n: {compare: number, tolerance: 0.15, relative: false}}", {"n": 0.5})
    assert TreeScorer({"n": 0.5}, rules).score({"n": answer}).accuracy == 1


def test_ordered_lists_lose_only_what_is_out_of_order() -> None:
    rules = plan("fields: {l: {ordered: true}}", {"l": [2, 3, 4, 5]})
    assert TreeScorer({"l": [2, 3, 4, 5]}, rules).score({"l": [9, 2, 3, 4, 5]}).accuracy == pytest.approx(
        4 / 5
    )


def test_elements_without_their_first_key_are_aligned_by_the_second() -> None:
    expected = {"l": [{"c": "A", "n": "x", "v": 1}, {"c": "B", "n": "y", "v": 2}]}
    scorer = TreeScorer(expected, plan("fields: {l: {align_by: [c, n]}}", expected))
    answer = {"l": [{"c": "b", "n": "x", "v": 2}, {"n": "x", "v": 1}]}
    # b is B (2 of 3 leaves: c by another case, v), and the other is A by its n (2 of 3).
    assert scorer.score(answer).accuracy == pytest.approx(4 / 6)


@pytest.mark.parametrize(
    ("expected", "answer", "score"),
    [
        ("by May 2", "signed by the dean", 1),
        ("by May 2", "signed by Dana", 0),
        ("by May 2", "by May 3", 0),
        # The author has cut it short, or told it in words of their own.
        ("signed ... May 2", "signed by the dean", 1),
        ("signed ... May 2", "signed ... May 2", 1),
        ("signed ... May 2", "signed ... May 3", 15 / 16),
    ],
)
def test_any_excerpt_of_the_input_is_right(expected: str, answer: str, score: float) -> None:
    assert excerpts(expected).score({"q": [answer]}).accuracy == pytest.approx(score)


def test_excerpts_of_the_input_agree_and_invented_ones_do_not() -> None:
    scorer = excerpts("by May 2")
    assert scorer.agree({"q": ["signed by the dean"]}, {"q": ["the dean"]}).value == 1
    assert scorer.agree({"q": ["signed by the dean"]}, {"q": ["signed by Dana"]}).value == 0


def excerpts(expected: str) -> TreeScorer:
    rules = plan("fields: {q: contained_in_input}", {"q": [expected]})
    return TreeScorer({"q": [expected]}, rules, input_text="To be SIGNED by the dean, by May 2.")


def test_markdown_sections_have_paths_by_heading_and_for_all() -> None:
    case = Case(
        name="first",
        input="?",
        expected="# Dates\n- Due: May 2\n- by mail\n# Scope\n- by hand\n",
        sha256="0" * 64,
    )
    text = """
fields:
  sections[].items[]: {weight: 0}
  sections[Dates].items[]: {compare: exact, weight: 2}
  sections[Dates].fields.Due: date
"""
    rules = plan_fields(component(text, "markdown"), [case])
    dates = rules.root.field("sections").field("Dates")
    assert dates.field("items").item().rule.weight == 2
    assert dates.field("fields").field("Due").rule.compare == "date"
    assert rules.root.field("sections").field("Scope").field("items").item().rule.weight == 0
    with pytest.raises(ComponentError, match=r"there is no field `sections\[Date\]`"):
        plan_fields(component("fields: {'sections[Date]': {required: true}}", "markdown"), [case])


@pytest.mark.parametrize(
    ("written", "path"),
    [
        (".", ()),
        ("a", ("a",)),
        ("a.b", ("a", "b")),
        ("a[].b", ("a", "[]", "b")),
        ("[].b", ("[]", "b")),
        ("[][]", ("[]", "[]")),
        ("sections[Key dates].items[]", ("sections", "Key dates", "items", "[]")),
        ("", None),
        ("a.", None),
        (".a", None),
        ("a[", None),
        ("a]", None),
        ("[]b", None),
    ],
)
def test_paths_are_read_as_they_are_written(written: str, path: tuple[str, ...] | None) -> None:
    assert parse_path(written) == path


def test_every_field_that_is_wrong_is_named_at_once():
    text = "fields:\n  a: {compare: normalised}\n  b: {compare: exact}\n  c: {weight: much}\n"
    with pytest.raises(ComponentError) as error:
        parse_policy(text, "scoring.yaml")
    assert error.value.line == (
        "scoring.yaml:2: unknown comparator `normalised`; did you mean `normalized`?; "
        "line 4: `weight` is no number; write one"
    )


def test_every_option_of_a_field_that_is_wrong_is_named_at_once():
    text = "other: 1\nfields:\n  a: {compare: exact, wieght: 1, tolerance: x, required: 3}\n  a..b: ignore\n"
    with pytest.raises(ComponentError) as error:
        parse_policy(text, "scoring.yaml")
    assert [one.where.rpartition(":")[2] for one in error.value.each] == ["1", "3", "3", "3", "3", "4"]
    told = "\n".join(error.value.lines)
    for words in ("key `other`", "option `wieght`; did you mean `weight`", "`tolerance` is no number",
                  "`tolerance` goes with", "`required` is neither", "`a..b` is no field path"):  # fmt: skip
        assert words in told


def test_a_field_that_nobody_has_is_named_beside_a_comparator_that_there_is_not():
    component = make_component(schema=None, policy="fields:\n  valeu: exact\n  value: {compare: exactly}\n")
    with pytest.raises(ComponentError) as error:
        plan_fields(component, [make_case("one", {"value": 1})])
    assert [line.partition(";")[0] for line in error.value.lines] == [
        "scoring.yaml:2: there is no field `valeu` in the schema nor in any expected answer",
        "scoring.yaml:3: unknown comparator `exactly`",
    ]
