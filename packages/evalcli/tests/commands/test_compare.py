"""Two sets of runs compared, by real leaderboards and run folders."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from evalcore.formats.strict_json import encode_canonical
from evalcore.runs.plan import Server
from evalcore.runs.record import Accuracy, CaseResult, RunRecord, record_object
from evalsim.testing import write_leaderboard

Evalcli = Callable[..., Any]
MakeRecord = Callable[..., RunRecord]

GOOD = (0.9, 0.95, 1.0, 0.9, 0.95)
BAD = (0.4, 0.45, 0.5, 0.4, 0.45)
BIG = "openai/gpt-oss-120b"
GOLDEN = Path(__file__).parents[1] / "golden" / "compare.txt"


@pytest.fixture
def run(make_record: MakeRecord) -> Callable[..., RunRecord]:
    """Make a run of three cases with these scores in each."""

    def make(number: int, version: str, scores: Sequence[float], **fields: Any) -> RunRecord:
        middle = sum(scores) / len(scores)
        cases = tuple(
            CaseResult(name, digit * 64, fields.pop(f"validated_{name}", None), tuple(scores), None)
            for name, digit in (("one", "1"), ("two", "2"), ("three", "3"))
        )
        accuracy = fields.pop("by_field", {})
        values = {"case_results": cases, "cases": 3, "replicates": len(scores), "scoring_version": 2}
        return make_record(
            number,
            component_version=version,
            **(values | {"accuracy": Accuracy(middle, None, middle, accuracy)} | fields),
        )

    return make


@pytest.fixture
def library(tmp_path: Path) -> Callable[..., Path]:
    """Write a prompt library that holds one leaderboard."""

    def write(*records: RunRecord, slug: str = "memo") -> Path:
        write_leaderboard(tmp_path / "components" / slug / "leaderboard.json", *records, slug=slug)
        return tmp_path

    return write


def _verdicts(ended: Any) -> dict[str, str]:
    return {one["model"]: one["verdict"] for one in json.loads(ended.out)["models"]}


def test_a_version_is_compared_with_the_one_before_it(
    evalcli: Evalcli, run: Callable[..., RunRecord], library: Callable[..., Path]
) -> None:
    where = library(
        run(1, "1.9.0", BAD),
        run(2, "1.10.0", GOOD),
        run(3, "1.11.0", BAD),
        run(4, "1.12.0", GOOD, status="partial"),
        run(5, "1.9.0", GOOD, model="small"),
        run(6, "1.11.0", GOOD, model="small"),
        run(7, "1.10.0", GOOD, model="small"),
    )
    ended = evalcli("compare", "memo", "--prompt-library", where, "--json")
    assert ended.code == 0
    told = json.loads(ended.out)
    assert (told["before"], told["after"]) == ("memo 1.10.0", "memo 1.11.0")
    assert _verdicts(ended) == {"big": "regression", "small": "no evidence"}


def test_versions_may_be_named(
    evalcli: Evalcli, run: Callable[..., RunRecord], library: Callable[..., Path]
) -> None:
    where = library(run(1, "1.0.0", BAD), run(2, "1.1.0", GOOD), run(3, "1.2.0", GOOD))
    line = ("--prompt-library", where, "--json")
    assert _verdicts(evalcli("compare", "memo@1.0.0", "memo@1.2.0", *line)) == {"big": "improvement"}
    assert _verdicts(evalcli("compare", "memo@1.2.0", "memo@1.0.0", *line)) == {"big": "regression"}
    assert _verdicts(evalcli("compare", "memo@1.1.0", *line)) == {"big": "improvement"}
    file = where / "components" / "memo" / "leaderboard.json"
    assert _verdicts(evalcli("compare", f"{file}@1.0.0", file, "--json")) == {"big": "improvement"}


def test_a_run_may_be_named_by_its_id_or_its_folder(
    evalcli: Evalcli,
    run: Callable[..., RunRecord],
    library: Callable[..., Path],
    make_run: Callable[..., Path],
) -> None:
    old, new = run(1, "1.0.0", GOOD), run(2, "1.1.0", BAD)
    where = library(old, new, run(3, "1.0.0", GOOD, model="other"))
    line = ("--prompt-library", where, "--json")
    assert _verdicts(evalcli("compare", old.run_id, new.run_id, *line)) == {"big": "regression"}
    assert _verdicts(evalcli("compare", "memo@1.0.0", new.run_id, *line)) == {"big": "regression"}
    folder = make_run([{}], 9)
    (folder / "record.json").write_bytes(encode_canonical(record_object(run(9, "1.2.0", GOOD))))
    assert _verdicts(evalcli("compare", new.run_id, folder, *line)) == {"big": "improvement"}


def test_two_runs_that_count_together_are_compared_with_each_other(
    evalcli: Evalcli, run: Callable[..., RunRecord], library: Callable[..., Path]
) -> None:
    old = run(1, "1.0.0", GOOD, server=Server(version="1", quantization="fp16"))
    new = run(2, "1.0.0", BAD, server=Server(version="1", quantization="int4"))
    where = library(old, new)
    (told,) = json.loads(evalcli("compare", old.run_id, new.run_id, "--prompt-library", where, "--json").out)[
        "models"
    ]
    assert told["verdict"] == "regression"
    assert (told["before"]["run_ids"], told["after"]["run_ids"]) == ([old.run_id], [new.run_id])
    assert told["server_changed"] == ["quantization"]


def test_runs_asked_and_scored_alike_count_together_and_the_count_is_shown(
    evalcli: Evalcli, run: Callable[..., RunRecord], library: Callable[..., Path]
) -> None:
    where = library(run(1, "1.0.0", GOOD), run(2, "1.0.0", BAD), run(3, "1.1.0", GOOD))
    out = evalcli("compare", "memo", "--prompt-library", where).out
    assert "10 replies in 2 runs" not in out
    assert "30 replies in 2 runs" in out


def test_of_a_run_that_is_named_it_is_said_that_others_count_with_it(
    evalcli: Evalcli, run: Callable[..., RunRecord], library: Callable[..., Path]
) -> None:
    old, new = run(1, "1.0.0", GOOD), run(3, "1.1.0", GOOD)
    where = library(old, run(2, "1.0.0", BAD), new)
    lines = evalcli("compare", old.run_id, new.run_id, "--prompt-library", where).out.splitlines()
    assert lines[1:3] == [
        f"Run {old.run_id} counts together with all that were asked and scored alike, 2 runs.", ""
    ]  # fmt: skip


def test_new_expected_answers_are_not_comparable_and_it_says_why(
    evalcli: Evalcli, run: Callable[..., RunRecord], library: Callable[..., Path]
) -> None:
    other = (CaseResult("one", "9" * 64, None, BAD, None),)
    where = library(
        run(1, "1.0.0", GOOD), run(2, "2.0.0", BAD, case_results=other), run(3, "2.0.0", BAD, model="new")
    )
    out = evalcli("compare", "memo", "--prompt-library", where).out
    assert "big: not comparable\n  no case has the same input and expected answer in both\n" in out
    assert "new: not comparable\n  there is no complete run before\n" in out
    assert "regression" not in out


def test_a_change_within_the_margin_is_none(
    evalcli: Evalcli, run: Callable[..., RunRecord], library: Callable[..., Path]
) -> None:
    where = library(run(1, "1.0.0", GOOD), run(2, "1.1.0", BAD))
    line = ("compare", "memo", "--prompt-library", where, "--json")
    assert _verdicts(evalcli(*line, "--margin", "0.6")) == {"big": "no evidence"}
    assert _verdicts(evalcli(*line, "--margin", "0")) == {"big": "regression"}


def test_too_few_replies_cannot_alarm(
    evalcli: Evalcli, run: Callable[..., RunRecord], library: Callable[..., Path]
) -> None:
    one = {"case_results": (CaseResult("one", "1" * 64, None, (1.0, 1.0, 1.0), None),)}
    two = {"case_results": (CaseResult("one", "1" * 64, None, (0.0, 0.0, 0.0), None),)}
    where = library(run(1, "1.0.0", (1.0,), **one), run(2, "1.1.0", (0.0,), **two))
    out = evalcli("compare", "memo", "--prompt-library", where).out
    assert "big: cannot alarm\n" in out
    assert "too few replies to show any change" in out


def test_the_first_version_has_nothing_to_be_compared_with(
    evalcli: Evalcli, run: Callable[..., RunRecord], library: Callable[..., Path]
) -> None:
    ended = evalcli("compare", "memo", "--prompt-library", library(run(1, "1.0.0", GOOD)))
    assert (ended.code, ended.out) == (3, "")
    assert "no earlier version" in ended.err


def test_what_is_not_there_is_one_line_and_exit_code_2(
    evalcli: Evalcli,
    run: Callable[..., RunRecord],
    library: Callable[..., Path],
    make_run: Callable[..., Path],
) -> None:
    partial = run(2, "1.1.0", GOOD, status="partial")
    where = library(run(1, "1.0.0", GOOD), partial)
    for operand, words in (
        ("absent", "there is no component `absent`"),
        ("memo@3.0.0", "versions with complete runs: 1.0.0"),
        ("memo@1.1.0", "no complete run of version 1.1.0"),
        (partial.run_id, "is partial"),
        ("00000000-0000-7000-8000-000000000001", "no leaderboard holds run"),
        (str(where), "run.json"),
        (str(make_run([{}], is_recorded=False)), "evalcli rescore"),
    ):
        ended = evalcli("compare", operand, "--prompt-library", where)
        assert (ended.code, ended.out) == (2, "")
        assert words in ended.err
        assert ended.err.count("\n") == 1


def test_a_hostile_name_cannot_colour_the_report(
    evalcli: Evalcli, run: Callable[..., RunRecord], library: Callable[..., Path]
) -> None:
    where = library(run(1, "1.0.0", GOOD), run(2, "1.1.0", GOOD), run(3, "1.1.0", GOOD, model="\x1b[31mnew"))
    assert "\\x1b[31mnew: not comparable" in evalcli("compare", "memo", "--prompt-library", where).out


def test_one_report_to_the_letter(
    evalcli: Evalcli, run: Callable[..., RunRecord], library: Callable[..., Path]
) -> None:
    before = {"decision": 1.0, "amount": 0.9}
    after = {"decision": 0.5, "amount": 0.95}
    where = library(
        run(1, "1.0.0", GOOD, model=BIG, by_field=before, server=Server(version="2.1")),
        run(2, "1.0.0", GOOD, model=BIG, by_field=before, server=Server(version="2.1")),
        run(3, "1.1.0", BAD, model=BIG, by_field=after, server=Server(version="2.2"), validated_one="1.0.0"),
        run(4, "1.0.0", GOOD, model="qwen/qwen3.5-122b"),
        run(5, "1.1.0", GOOD, model="qwen/qwen3.5-122b"),
        run(6, "1.0.0", BAD, model="openai/gpt-oss-20b"),
        run(7, "1.1.0", GOOD, model="openai/gpt-oss-20b"),
        run(8, "1.1.0", GOOD, model="phi4:14b"),
    )
    out = evalcli("compare", "memo", "--prompt-library", where).out
    assert out == GOLDEN.read_text()


SMALL = "small"


def test_two_models_are_compared_case_by_case_at_the_newest_version_of_both(
    evalcli: Evalcli, run: Callable[..., RunRecord], library: Callable[..., Path]
) -> None:
    where = library(
        run(1, "1.0.0", BAD, model=SMALL),
        run(2, "1.0.0", BAD, model=BIG),
        run(3, "1.1.0", GOOD, model=BIG),
        run(4, "1.1.0", BAD, model=SMALL),
        run(5, "1.2.0", GOOD, model=BIG),
    )
    line = ("compare", "--prompt-library", where, "--models", BIG, SMALL)
    ended = evalcli(*line, "memo")
    assert ended.code == 0
    assert "memo 1.1.0: regression" in ended.out
    assert f"{BIG}  0.940" in ended.out
    assert "server changed" not in ended.out
    assert _verdicts(evalcli(*line, "--json")) == {"memo 1.1.0": "regression"}
    assert _verdicts(evalcli(*line, "memo@1.0.0", "--json")) == {"memo 1.0.0": "no evidence"}
    turned = ("compare", "--prompt-library", where, "--models", SMALL, BIG, "memo", "--json")
    assert _verdicts(evalcli(*turned)) == {"memo 1.1.0": "improvement"}


def test_two_models_that_were_asked_or_scored_differently_are_not_comparable(
    evalcli: Evalcli, run: Callable[..., RunRecord], library: Callable[..., Path]
) -> None:
    where = library(
        run(1, "1.0.0", GOOD, model=BIG, prompt_sha256="1" * 64), run(2, "1.0.0", BAD, model=SMALL)
    )
    line = ("compare", "--models", BIG, SMALL, "--prompt-library", where)
    assert "not comparable\n  asked with two texts of the prompt under one version" in evalcli(*line).out
    library(run(1, "1.0.0", GOOD, model=BIG, policy_sha256="1" * 64), run(2, "1.0.0", BAD, model=SMALL))
    assert "scored by two policies" in evalcli(*line).out
    # Of several pools the one counts that can be compared.
    library(
        run(1, "1.0.0", GOOD, model=BIG),
        run(2, "1.0.0", BAD, model=SMALL),
        run(3, "1.0.0", GOOD, model=BIG, policy_sha256="1" * 64),
    )
    assert "memo 1.0.0: regression" in evalcli(*line).out


def test_models_that_are_not_there_are_named_with_what_is_near(
    evalcli: Evalcli, run: Callable[..., RunRecord], library: Callable[..., Path]
) -> None:
    where = library(run(1, "1.0.0", GOOD, model=BIG), run(2, "1.0.0", BAD, model=SMALL))
    line = ("compare", "--prompt-library", where, "--models")
    ended = evalcli(*line, BIG, "smal", "memo")
    assert (ended.code, "did you mean `small`?" in ended.err) == (2, True)
    ended = evalcli(*line, BIG, "smal")
    assert (ended.code, "has complete runs of both" in ended.err) == (3, True)
    ended = evalcli(*line, BIG, SMALL, "memo@1.0.0", "memo@1.1.0")
    assert (ended.code, "compares at one version" in ended.err) == (2, True)
    assert evalcli(*line, BIG, BIG).code == 2
    assert evalcli("compare", "--prompt-library", where).code == 2


def test_a_regression_can_be_made_exit_code_1(
    evalcli: Evalcli, run: Callable[..., RunRecord], library: Callable[..., Path]
) -> None:
    where = library(run(1, "1.0.0", GOOD), run(2, "1.1.0", BAD), run(3, "1.2.0", GOOD))
    for line, code in (
        (("memo@1.0.0", "memo@1.1.0"), 1),
        (("memo@1.1.0", "memo@1.2.0"), 0),
        (("--models", "big", "big2"), 3),
    ):
        ended = evalcli("compare", *line, "--prompt-library", where, "--fail-on-regression", "--json")
        assert ended.code == code
        assert (ended.err == "gate not met: regression of big, accuracy -0.500\n") is (code == 1)
    assert evalcli("compare", "memo@1.0.0", "memo@1.1.0", "--prompt-library", where).code == 0


def test_where_the_prompt_has_a_later_version_without_a_run_it_is_named(
    evalcli: Evalcli, run: Callable[..., RunRecord], library: Callable[..., Path]
) -> None:
    where = library(run(1, "1.0.0", GOOD))
    told = "memo 1.0.0: no earlier version has a complete run, so there is nothing to compare it with"
    assert evalcli("compare", "memo", "--prompt-library", where).err == f"{told}\n"
    (where / "components/memo/prompt.md").write_text("---\nname: memo\nversion: 1.1.0\n---\nAnswer.\n")
    later = evalcli("compare", "memo", "--prompt-library", where)
    assert later.err == f"{told}; the prompt is 1.1.0 now, and has none yet: `evalcli evaluate memo`\n"
