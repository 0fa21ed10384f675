"""One answer scored by hand, and the rules explained, by a prompt library in a folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalsim.testing import write_component

Evalcli = Callable[..., Any]

PROMPT = """---
name: memo
version: 1.2.0
---
## Prompt

Read the memo.
"""
SCHEMA = {
    "type": "object",
    "properties": {
        "decision": {"enum": ["approve", "reject"]},
        "amount": {"type": "integer"},
        "reasons": {"type": "array", "items": {"type": "string"}},
        "certainty": {"type": "number", "minimum": 0, "maximum": 1},
    },
}
EXPECTED = {"decision": "approve", "amount": 4125, "reasons": ["complete", "signed"], "certainty": 0.9}


@pytest.fixture
def library(tmp_path: Path) -> Path:
    for slug in ("memo", "explain"):
        cases = dict.fromkeys(("one", "two"), EXPECTED)
        write_component(tmp_path, slug, prompt_file=PROMPT, schema=SCHEMA, cases=cases)
    return tmp_path


@pytest.fixture
def score(evalcli: Evalcli, library: Path) -> Callable[..., Any]:
    """Score an answer to case `one` of component `memo`."""

    def run(answer: Any, *more: object) -> Any:
        file = library / "answer.txt"
        file.write_text(answer if isinstance(answer, str) else json.dumps(answer))
        return evalcli("score", "memo", file, "--case", "one", "--prompt-library", library, *more)

    return run


def test_a_command_that_is_misspelt_is_answered_with_the_command(evalcli: Callable[..., Any]) -> None:
    for line in (("explai", "memo"), ("anwser", "memo", "answer.json")):
        ended = evalcli("score", *line)
        assert (ended.code, "did you mean `" in ended.err) == (2, True), line


def test_a_right_answer_matches_in_every_leaf(score: Callable[..., Any]) -> None:
    ended = score(EXPECTED)
    assert ended.code == 0
    assert ended.out.startswith("memo, case one\naccuracy 1.000, precision 1.000, recall 1.000")
    assert "= amount: 4125  [number, weight 1]" in ended.out
    assert not any(line.lstrip()[:1] in {"x", "+", "~"} for line in ended.out.splitlines()[2:-1])


def test_what_is_wrong_missed_and_invented_is_shown_as_such(score: Callable[..., Any]) -> None:
    reasons = ["complet", "late", "odd"]
    out = score({"decision": "reject", "reasons": reasons, "certainty": 0.9, "note": "x"}).out
    lines = [line.strip() for line in out.splitlines()]
    assert 'x decision: "reject" instead of "approve"  [exact, weight 1]' in lines
    assert "- amount: 4125  [number, weight 1]" in lines
    assert any(line.startswith('~ [0]: "complet" instead of "complete" (0.875)') for line in lines)
    assert any(line.startswith('+ note: "x"') for line in lines)
    assert any(line.startswith("reasons  ") for line in lines)


def test_what_is_required_and_missing_is_named(score: Callable[..., Any], library: Path) -> None:
    policy = library / "components" / "memo" / "evals" / "scoring.yaml"
    policy.write_text("fields:\n  decision: {required: true}\n")
    lines = score({**EXPECTED, "decision": None}).out.splitlines()
    assert lines[1].startswith("accuracy 0.000, precision 1.000")
    assert lines[2] == "Required and missing, so the answer scores 0: decision."


def test_what_is_measured_is_marked_where_it_is_wording(score: Callable[..., Any], library: Path) -> None:
    prompt = library / "components" / "memo" / "prompt.md"
    prompt.write_text(PROMPT.replace("name: memo", "name: memo\ncategory: drafting"))
    assert score(EXPECTED).out.startswith("memo, case one; wording, not correctness\n")


def test_a_reply_is_read_as_a_models_is(score: Callable[..., Any]) -> None:
    assert "accuracy 1.000" in score(f"Here it is:\n```json\n{json.dumps(EXPECTED)}\n```\n").out


def test_an_unparsable_answer_is_told_and_exit_code_1(score: Callable[..., Any]) -> None:
    ended = score('{"decision": ')
    assert ended.code == 1
    assert "accuracy 0.000: unparsable: the reply's JSON is broken" in ended.out
    said = json.loads(score("no answer", "--json").out)
    assert said["score"] == {"accuracy": 0.0}
    assert "does not hold" in said["unparsed"]


def test_json_has_the_score_and_the_tree(score: Callable[..., Any]) -> None:
    told = json.loads(score({"decision": "approve"}, "--json").out)
    assert (told["component"], told["case"]) == ("memo", "one")
    assert 0 < told["score"]["accuracy"] < 1
    statuses = {child["path"]: child["status"] for child in told["tree"]["children"]}
    assert (statuses["decision"], statuses["amount"], statuses["reasons"]) == ("matched", "missed", "missed")


def test_what_a_model_wrote_cannot_move_the_cursor(score: Callable[..., Any]) -> None:
    out = score({"decision": "\x1b[2J\u202e", "\x1b]0;": 1}).out
    assert "\x1b" not in out
    assert "\u202e" not in out


@pytest.mark.parametrize(
    "answer",
    [
        '{"\\ud800": "\\udfff", "decision": "\\ud800"}',
        '{"amount": ' + "9" * 5000 + "}",
        '{"amount": 1e999}',
        "[" * 5000,
        '{"reasons": ' + "[" * 200 + "]" * 200 + "}",
        json.dumps({"reasons": ["complete"] * 3000}),
        json.dumps({f"key {n}": {} for n in range(3000)}),
    ],
    ids=["surrogates", "digits", "infinity", "unclosed", "nested", "copies", "keys"],
)
def test_a_strange_answer_is_scored_low_or_refused(score: Callable[..., Any], answer: str) -> None:
    for more in ((), ("--json",)):
        ended = score(answer, *more)
        assert ended.code in {0, 1}
        assert "accuracy 1.000" not in ended.out
    told = json.loads(ended.out)
    assert told["score"]["accuracy"] < 0.5


def test_every_leaf_is_explained(evalcli: Evalcli, library: Path) -> None:
    ended = evalcli("score", "explain", "memo", "--prompt-library", library)
    assert ended.code == 0
    assert ended.out.count("decision") == 2
    row = next(line.split() for line in ended.out.splitlines() if line.startswith("amount"))
    assert row[:4] == ["amount", "4125", "number", "1"]
    one = evalcli("score", "explain", "memo", "--case", "two", "--prompt-library", library, "--json")
    rules = json.loads(one.out)
    assert {rule["case"] for rule in rules} == {"two"}
    assert [rule["path"] for rule in rules if rule["rule"] == "confidence"] == ["certainty"]
    assert all(rule["why"] for rule in rules)


def test_weights_that_let_one_list_decide_are_warned_of(evalcli: Evalcli, tmp_path: Path) -> None:
    expected = {"decision": "approve", "papers": [{"code": f"P{at}"} for at in range(60)]}
    write_component(tmp_path, "memo", prompt_file=PROMPT, schema=SCHEMA, cases={"one": expected})
    ended = evalcli("score", "explain", "memo", "--prompt-library", tmp_path, "--json")
    assert ended.code == 0
    assert "case one: the list `papers` holds 98 % of the weight" in ended.err
    assert "case one: the key field `decision` weighs 1.6 %" in ended.err
    assert {rule["case"] for rule in json.loads(ended.out)} == {"one"}


def test_the_policy_is_named_with_its_line(evalcli: Evalcli, library: Path) -> None:
    policy = library / "components" / "memo" / "evals" / "scoring.yaml"
    policy.write_text("fields:\n  amount: {compare: ignore}\n")
    out = evalcli("score", "explain", "memo", "--case", "one", "--prompt-library", library).out
    row = next(line for line in out.splitlines() if line.startswith("amount"))
    assert "ignore" in row
    assert "scoring.yaml:2" in row


def test_a_component_called_explain_is_reached_by_the_long_form(evalcli: Evalcli, library: Path) -> None:
    file = library / "answer.json"
    file.write_text(json.dumps(EXPECTED))
    line = ("--case", "one", "--prompt-library", library)
    assert "accuracy 1.000" in evalcli("score", "answer", "explain", file, *line).out
    assert evalcli("score", "explain", "explain", *line).code == 0
    # Options may come first, too.
    assert "accuracy 1.000" in evalcli("score", *line, "memo", file).out


def test_wrong_usage_is_one_line_and_exit_code_2(evalcli: Evalcli, library: Path) -> None:
    file = library / "answer.json"
    file.write_bytes(b"\xff")
    for line, words in (
        (("memo", file, "--case", "three"), "its cases: one, two"),
        (("memo", file), "--case"),
        (("absent", file, "--case", "one"), "there is no component"),
        (("memo", file, "--case", "one"), "is not UTF-8"),
        (("memo", library / "none", "--case", "one"), "does not exist"),
    ):
        ended = evalcli("score", *line, "--prompt-library", library)
        assert (ended.code, ended.out) == (2, "")
        assert words in ended.err
        assert ended.err.count("\n") == 1


def test_a_document_has_no_text_to_compare_with_before_it_is_stored(
    score: Callable[..., Any], library: Path
) -> None:
    case = library / "components/memo/evals/cases/one"
    (case / "input.md").rename(case / "input.pdf")
    assert score(EXPECTED).code == 0  # nothing is compared with the input
    policy = library / "components/memo/evals/scoring.yaml"
    policy.write_text("fields:\n  reasons[]: {compare: contained_in_input}\n")
    ended = score(EXPECTED)
    assert ended.code == 2
    assert "evalcli cases read memo --write" in ended.err


def test_a_case_that_is_not_named_or_cannot_be_used_is_answered_with_what_there_is(
    evalcli: Evalcli, library: Path, tmp_path: Path
) -> None:
    answer = tmp_path / "answer.json"
    answer.write_text("{}")
    line = ("score", "memo", answer, "--prompt-library", library)
    unnamed = evalcli(*line)
    assert (unnamed.code, "add --case NAME; its cases: one" in unnamed.err) == (2, True)
    broken = library / "components/memo/evals/cases/broken"
    broken.mkdir()
    (broken / "input.md").write_text("?")
    (broken / "expected.json").write_text("{")
    ended = evalcli(*line, "--case", "broken")
    assert (ended.code, "case broken cannot be used: " in ended.err, "is not JSON" in ended.err) == (
        2,
        True,
        True,
    )
