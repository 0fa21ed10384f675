"""`evalcli show`: why a model is wrong, from a run's folder alone."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalcore.clients.reply import CallError
from evalcore.library.models import Model
from evalcore.runs.folder import RunFolder
from evalsim import testing

Evalcli = Callable[..., Any]
MakeRun = Callable[..., Path]

RIGHT = {"decision": "approve", "amount": 4125, "reasons": ["complete", "signed"]}
WRONG = {"decision": "reject", "amount": 4125, "reasons": ["signed", "late"]}
WORST = {"decision": "reject", "note": "new"}
LONG = "The applicant has submitted every one of the documents that the call asks for, and "


def test_the_worst_answer_stands_beside_the_expected_one(evalcli: Evalcli, make_run: MakeRun) -> None:
    ended = evalcli("show", make_run([RIGHT, WRONG, WORST, WORST]))
    assert ended.code == 0, ended.err
    assert "case one: accuracy 0." in ended.out
    assert "of 4 replies: 1 right, 3 wrong" in ended.out
    assert "replicate 2, and 3 alike: accuracy" in ended.out
    lines = [line.strip() for line in ended.out.splitlines()]
    for begins in ('x decision: "reject" instead of "approve"', "- amount: 4125", '+ note: "new"'):
        assert any(line.startswith(begins) for line in lines), ended.out
    assert "replicate 1" not in ended.out


def test_a_component_may_be_named_by_its_folder(evalcli: Evalcli, make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run([WRONG])
    (tmp_path / "components" / "memo").mkdir(parents=True, exist_ok=True)
    for name in ("memo", f"{tmp_path}/components/memo", f"{tmp_path}/components/memo/"):
        assert evalcli("show", name, "--runs-dir", run.parent).out == evalcli("show", run).out


def test_list_elements_are_named_by_their_place_in_the_expected_answer(
    evalcli: Evalcli, make_run: MakeRun
) -> None:
    out = evalcli("show", make_run([WRONG])).out
    assert '= [1]: "signed"' in out
    assert '"complete"' in out


def test_more_and_less_of_it_can_be_asked_for(evalcli: Evalcli, make_run: MakeRun) -> None:
    run = make_run([RIGHT, WRONG, WORST])
    assert evalcli("show", run, "--worst", 3).out.count("replicate ") == 3
    one = evalcli("show", run, "--replicate", 1).out
    assert "replicate 1: accuracy" in one
    assert "= amount: 4125" in one
    assert "amount" not in evalcli("show", run, "--replicate", 1, "--wrong-only").out


def test_a_run_without_a_mistake_says_so(evalcli: Evalcli, make_run: MakeRun) -> None:
    out = evalcli("show", make_run([RIGHT, RIGHT]), "--wrong-only").out
    assert "Nothing is wrong" in out
    assert "case one" not in out


def test_two_long_texts_are_quoted_around_the_first_word_that_differs(
    evalcli: Evalcli, make_run: MakeRun
) -> None:
    case = testing.make_case("one", {"summary": LONG * 3 + "is eligible."})
    run = make_run([{"summary": LONG * 3 + "is not eligible."}], cases=[case])
    out = evalcli("show", run).out
    assert "is not eligible." in out
    assert "is eligible." in out
    assert LONG.strip() not in out
    assert LONG.strip() in evalcli("show", run, "--full").out


def test_what_cannot_be_parsed_is_shown_with_the_reason(evalcli: Evalcli, make_run: MakeRun) -> None:
    out = evalcli("show", make_run(["I cannot answer.", "I cannot answer.", RIGHT])).out
    assert "replicate 0, and 1 alike: unparsable: the reply does not hold a JSON object" in out
    assert "I cannot answer." in out
    assert "cut at the token limit" not in out


def _failed_run(runs: Path, *replies: dict[str, Any]) -> Path:
    plan = testing.make_run_plan(
        cases=[testing.make_case("one", RIGHT)],
        model=Model("big", "mindrouter", params={"max_tokens": 64}),
        replicates=len(replies),
    )
    folder = RunFolder.create(runs, plan)
    for at, fields in enumerate(replies):
        folder.append(testing.make_reply("one", at, request_id=f"r{at}", **fields))
    folder.close()
    return folder.path


def test_where_all_unparsable_replies_are_truncated_the_cure_is_named(
    evalcli: Evalcli, tmp_path: Path
) -> None:
    cut = {"text": '{"decision": "app', "finish_reason": "length"}
    run = _failed_run(tmp_path / "runs", cut, cut, {"text": json.dumps(RIGHT)})
    out = evalcli("show", run).out
    assert "All 2 unparsable replies were cut at the token limit: raise `max_tokens`" in out
    assert "(now max_tokens: 64)" in out
    assert "it has no record yet" in out


def test_an_unfinished_run_is_shown_with_the_command_that_goes_on_with_it(
    evalcli: Evalcli, tmp_path: Path, make_run: MakeRun
) -> None:
    unfinished = _failed_run(tmp_path / "unfinished", {"text": json.dumps(RIGHT)})
    going_on = f"the run is not finished; go on with:\n  evalcli evaluate memo --resume {unfinished}\n"
    assert evalcli("show", unfinished).err == going_on
    assert evalcli("-q", "show", unfinished).err == ""
    assert evalcli("show", make_run([RIGHT])).err == ""


def test_calls_without_a_reply_are_shown_with_the_reason(evalcli: Evalcli, tmp_path: Path) -> None:
    error = CallError("infrastructure", "rate_limited", "the server asks for a pause")
    run = _failed_run(tmp_path / "runs", {"text": None, "error": error}, {"text": json.dumps(RIGHT)})
    out = evalcli("show", run).out
    assert "replicate 0: no reply came: rate_limited: the server asks for a pause" in out
    assert "1 never came" in out


@pytest.fixture
def in_library(make_run: MakeRun, tmp_path: Path) -> Path:
    """Make two runs of one component, of which the second is newer; return the library."""
    make_run([RIGHT], 1)
    make_run([WRONG], 2)
    (tmp_path / ".evaluator").mkdir()
    (tmp_path / "runs").rename(tmp_path / ".evaluator" / "runs")
    return tmp_path


def test_a_run_is_found_by_what_people_know_of_it(evalcli: Evalcli, in_library: Path) -> None:
    runs = sorted((in_library / ".evaluator" / "runs").iterdir())
    slug = json.loads((runs[0] / "run.json").read_bytes())["component"]["slug"]
    where = ("--prompt-library", in_library, "--json")

    def found(selector: object) -> str:
        return json.loads(evalcli("show", selector, *where).out)["run_id"]

    assert found(runs[0]) == found(runs[0] / "replies.jsonl") == found(runs[0].name) == runs[0].name
    assert found(f"{slug}@1.0.0/big") == found(f"{slug}@1.0.0") == found(slug) == runs[1].name
    # Ids begin with their time in milliseconds.
    beginning, later = runs[1].name[:8], runs[1].name[:13]
    assert found(later) == runs[1].name
    several = evalcli("show", beginning, *where)
    assert several.code == 2
    assert "2 runs begin with" in several.err
    unknown = evalcli("show", f"{slug}@9.0.0/big", *where)
    assert unknown.code == 2
    assert f"did you mean `{slug}@1.0.0/big`?" in unknown.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--case", "three"], "the run has no case 'three'; its cases: one"),
        (["--replicate", "7"], "its replicates are 0 to 1"),
        (["--json", "--open"], "leave one out"),
    ],
)
def test_what_a_run_lacks_is_said(evalcli: Evalcli, make_run: MakeRun, options: list[str], said: str) -> None:
    ended = evalcli("show", make_run([RIGHT, WRONG]), *options)
    assert ended.code == 2
    assert said in ended.err


def test_json_has_the_whole_tree(evalcli: Evalcli, make_run: MakeRun) -> None:
    shown = json.loads(evalcli("show", make_run([WRONG]), "--json").out)
    (case,) = shown["cases"]
    (sample,) = case["samples"]
    assert sample["difference"]["tree"]["children"]
    assert json.loads(sample["text"]) == WRONG


HOSTILE = "</style></pre><script>alert(1)</script>\x1b[2J\u202e"


def test_what_a_model_wrote_is_text_on_the_terminal_and_on_the_page(
    evalcli: Evalcli, make_run: MakeRun, tmp_path: Path
) -> None:
    run = make_run([HOSTILE, {**RIGHT, "decision": HOSTILE, HOSTILE: 1}])
    out = evalcli("show", run, "--full").out
    assert "\x1b" not in out
    assert "\u202e" not in out
    browser = tmp_path / "browser"
    browser.write_text(f'#!{sys.executable}\nimport sys\nopen("{tmp_path}/opened", "w").write(sys.argv[1])\n')
    browser.chmod(0o755)
    ended = evalcli("show", run, "--open", BROWSER=str(browser))
    assert ended.code == 0
    assert ended.out == f"{run}/show.html\n"
    page = (run / "show.html").read_text()
    assert "<script" not in page
    assert "\x1b" not in page
    assert page.count("</style>") == 1
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    assert "http" not in page.replace("http-equiv", "")


def test_score_refuses_the_replies_of_a_run_and_names_show(
    evalcli: Evalcli, make_run: MakeRun, tmp_path: Path
) -> None:
    replies = make_run([RIGHT, WRONG]) / "replies.jsonl"
    copied = tmp_path / "answer.txt"
    copied.write_bytes(replies.read_bytes())
    for path in (replies, copied):
        ended = evalcli("score", "memo", path, "--case", "one", "--prompt-library", tmp_path)
        assert ended.code == 2
        assert "holds the replies of a run" in ended.err
        assert f"evalcli show {path.parent} --case NAME" in ended.err
