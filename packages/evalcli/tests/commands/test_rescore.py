"""A run scored again from its kept replies alone, by real files."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalcore.formats.strict_json import encode_canonical, sha256_hex
from evalcore.library.models import Model
from evalcore.runs.compression import compress_replies
from evalcore.runs.rescoring import rescored_run_id
from evalcore.version import SCORING_VERSION
from evalsim.testing import write_component, write_leaderboard

Evalcli = Callable[..., Any]
MakeRun = Callable[..., Path]

RIGHT = {"decision": "approve", "amount": 4125, "reasons": ["signed", "complete"]}
WRONG = {"decision": "reject", "amount": 4125, "reasons": []}
LATER = f"record-{SCORING_VERSION}.json"


def _age(run_dir: Path, version: int = SCORING_VERSION - 1, **changes: Any) -> dict[str, Any]:
    """Make a run's record one that other rules made."""
    record: dict[str, Any] = json.loads((run_dir / "record.json").read_bytes())
    record |= {"scoring_version": version, **changes}
    record["accuracy"]["mean"] = 0.125
    (run_dir / "record.json").write_bytes(encode_canonical(record))
    return record


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def add(library: Path) -> Callable[..., Path]:
    """Write the component's leaderboard with these records."""
    return functools.partial(write_leaderboard, library / "components" / "memo" / "leaderboard.json")


def test_the_same_rules_give_the_same_bytes_and_it_says_so(evalcli: Evalcli, make_run: MakeRun) -> None:
    run = make_run([RIGHT, WRONG, "no answer"])
    before = (run / "record.json").read_bytes()
    ended = evalcli("rescore", run)
    assert ended.code == 0
    assert "identical, byte for byte" in ended.out
    assert (run / "record.json").read_bytes() == before
    assert not list(run.glob("record-*"))


def test_all_runs_of_a_folder_are_named_by_what_the_shell_makes_of_a_star(
    evalcli: Evalcli, make_run: MakeRun
) -> None:
    runs = [make_run([RIGHT], 1), make_run([WRONG], 2)]
    (runs[0].parent / "scratch").mkdir()
    ended = evalcli("rescore", *sorted(runs[0].parent.iterdir()))
    assert (ended.code, ended.out.count("identical, byte for byte")) == (0, 2)
    assert evalcli("rescore", runs[0].parent / "scratch").code == 2


def test_the_present_policy_needs_no_name(evalcli: Evalcli, make_run: MakeRun, library: Path) -> None:
    run = make_run([WRONG])
    named = evalcli("rescore", run, "--policy", "current", "--prompt-library", library)
    assert evalcli("rescore", run, "--prompt-library", library, "--policy").err == named.err


def test_compressed_replies_give_the_same_bytes(evalcli: Evalcli, make_run: MakeRun) -> None:
    run = make_run([RIGHT, WRONG])
    compress_replies(run)
    ended = evalcli("rescore", run)
    assert (ended.code, "identical" in ended.out) == (0, True)
    assert not (run / "replies.jsonl").exists()


def test_json_is_the_record_as_it_is_kept(evalcli: Evalcli, make_run: MakeRun) -> None:
    run = make_run([RIGHT, WRONG])
    ended = evalcli("rescore", run, "--json")
    assert json.loads(ended.out) == [json.loads((run / "record.json").read_bytes())]
    assert "identical" in ended.err


def test_a_record_that_its_replies_do_not_give_is_told_and_left(evalcli: Evalcli, make_run: MakeRun) -> None:
    run = make_run([RIGHT, WRONG])
    _age(run, SCORING_VERSION)
    before = (run / "record.json").read_bytes()
    ended = evalcli("rescore", run)
    assert ended.code == 1
    assert "differs" in ended.out
    assert (run / "record.json").read_bytes() == before


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("replies.jsonl", b"big", b"bIg", "replies.jsonl: not the replies that the record names"),
        ("replies.jsonl", b'"request_sha256":"0', b'"request_sha256":"1', "replies.jsonl: not the replies"),
        ("run.json", b'"prompt": "Answer."', b'"prompt": "ANSWER."', "run.json: the prompt is not the one"),
        ("run.json", b'"input": "?"', b'"input": "!"', "run.json: case one is not the one"),
        ("run.json", b'"temperature": 0.1', b'"temperature": 0.2', "run.json: not the bytes"),
    ],
)
def test_a_file_that_is_not_what_it_was_is_named_and_nothing_is_written(
    evalcli: Evalcli, make_run: MakeRun, name: str, old: bytes, new: bytes, said: str
) -> None:
    """None of these changes another figure."""
    model = Model("big", "mindrouter", params={"temperature": 0.1})
    run = make_run([{**RIGHT, "invented": "big"}], model=model)
    before = (run / name).read_bytes()
    assert old in before
    (run / name).write_bytes(before.replace(old, new, 1))
    ended = evalcli("rescore", run)
    assert ended.code == 1
    assert said in ended.out
    assert "identical" not in ended.out
    assert not (run / LATER).exists()


def test_what_an_older_record_does_not_hash_is_held_against_the_hashes_in_the_plan(
    evalcli: Evalcli, make_run: MakeRun
) -> None:
    run = make_run([RIGHT, WRONG])
    _age(run, replies_sha256=None, plan_sha256=None)
    plan = (run / "run.json").read_bytes()
    (run / "run.json").write_bytes(plan.replace(b'"prompt": "Answer."', b'"prompt": "ANSWER."'))
    ended = evalcli("rescore", run)
    assert (ended.code, "the prompt is not the one that was hashed" in ended.out) == (1, True)
    (run / "run.json").write_bytes(plan)
    assert evalcli("rescore", run).code == 0


def test_newer_rules_give_a_record_of_its_own_beside_the_old_one(evalcli: Evalcli, make_run: MakeRun) -> None:
    run = make_run([RIGHT, WRONG])
    whole = json.loads((run / "record.json").read_bytes())
    old = _age(run)
    ended = evalcli("rescore", run)
    assert ended.code == 0
    assert f"by version {SCORING_VERSION} instead of {SCORING_VERSION - 1}" in ended.out
    assert json.loads((run / "record.json").read_bytes()) == old
    later = json.loads((run / LATER).read_bytes())
    assert later["rescored_from"] == old["run_id"]
    assert later["run_id"] == rescored_run_id(old["run_id"], SCORING_VERSION)
    changed = {"run_id": whole["run_id"], "rescored_from": None}
    assert later | changed == whole


def test_two_people_rescoring_get_one_record(evalcli: Evalcli, make_run: MakeRun) -> None:
    run = make_run([RIGHT, WRONG])
    _age(run)
    evalcli("rescore", run)
    first = (run / LATER).read_bytes()
    (run / LATER).unlink()
    evalcli("rescore", run)
    assert (run / LATER).read_bytes() == first
    again = evalcli("rescore", run)
    assert (again.code, "as it was there already" in again.out) == (0, True)


def test_a_run_that_was_never_scored_gets_its_record(evalcli: Evalcli, make_run: MakeRun) -> None:
    run = make_run([RIGHT], is_recorded=False, scoring_version=1)
    assert "for the first time" in evalcli("rescore", run).out
    record = json.loads((run / "record.json").read_bytes())
    assert (record["scoring_version"], record["rescored_from"]) == (SCORING_VERSION, None)


def test_what_cannot_be_rescored_is_one_line_and_exit_code_2(evalcli: Evalcli, make_run: MakeRun) -> None:
    later = make_run([RIGHT])
    _age(later, SCORING_VERSION + 1)
    unfinished = make_run([RIGHT], 2, is_recorded=False, replicates=5)
    broken = make_run([RIGHT], 3)
    (broken / "record.json").write_text("[]")
    for run, words in (
        (later, "update the evaluator"),
        (unfinished, "resume"),
        (later.parent, "run.json"),
        (broken, "remove it, and rescore the run"),
    ):
        ended = evalcli("rescore", run)
        assert ended.code == 2
        assert words in ended.err
        assert ended.err.count("\n") == 1


def test_rescored_runs_can_be_added_to_a_leaderboard(
    evalcli: Evalcli, make_run: MakeRun, add: Callable[..., Path]
) -> None:
    run = make_run([RIGHT, WRONG])
    path = add(_age(run))
    assert evalcli("rescore", run, "--leaderboard", path).code == 0
    versions = [record["scoring_version"] for record in json.loads(path.read_bytes())["runs"]]
    assert sorted(versions) == [SCORING_VERSION - 1, SCORING_VERSION]


def test_a_run_of_the_services_does_not_publish_its_cases_when_it_is_rescored(
    evalcli: Evalcli, make_run: MakeRun, library: Path
) -> None:
    run, path = make_run([RIGHT]), library / "leaderboard.json"
    plan = json.loads((run / "run.json").read_bytes())
    plan["origin"] = "vm"
    for case in plan["cases"]:
        case |= {"name": f"zebra-{case['name']}", "source": "data_sets"}
    (run / "run.json").write_text(json.dumps(plan))
    replies = (run / "replies.jsonl").read_text()
    (run / "replies.jsonl").write_text(replies.replace('"case":"', '"case":"zebra-'))
    (run / "record.json").unlink()
    (library / "case-names.key").write_bytes(b"k" * 32)
    assert evalcli("rescore", run, "--leaderboard", path).code == 0
    assert "zebra" in (run / "record.json").read_text()
    assert "zebra" not in path.read_text()
    assert '"case": "case-' in path.read_text()


def test_a_leaderboard_is_brought_to_the_present_rules_as_far_as_replies_are_kept(
    evalcli: Evalcli, make_run: MakeRun, add: Callable[..., Path], library: Path
) -> None:
    kept, gone, current = make_run([RIGHT], 1), make_run([WRONG], 2), make_run([RIGHT], 3)
    path = add(_age(kept), _age(gone), json.loads((current / "record.json").read_bytes()))
    gone.rename(library / "elsewhere")
    line = ("leaderboard", "rescore", "memo", "--prompt-library", library, "--runs-dir", library / "runs")
    ended = evalcli(*line)
    assert ended.code == 1
    assert "its replies are not in" in ended.out
    assert ended.out.splitlines()[-1].endswith(
        f"1 run rescored, 1 at scoring version {SCORING_VERSION} before, 1 without replies at hand"
    )
    assert f"the ranking at scoring version {SCORING_VERSION} lacks 1 complete run" in ended.err
    runs = json.loads(path.read_bytes())["runs"]
    assert len(runs) == 4
    assert [run["rescored_from"] for run in runs if run["rescored_from"]] == [kept.name]
    again = path.read_bytes()
    assert "0 runs rescored" in evalcli(*line).out
    assert path.read_bytes() == again


@pytest.mark.parametrize("policy", [(), ("--policy", "current")])
def test_a_run_id_that_is_a_path_leads_to_no_folder(
    evalcli: Evalcli, make_run: MakeRun, add: Callable[..., Path], library: Path, policy: tuple[str, ...]
) -> None:
    run = make_run([RIGHT])
    aged = _age(run)
    elsewhere = run.rename(library / "elsewhere")
    files = sorted(elsewhere.iterdir())
    add(aged | {"run_id": "../elsewhere"}, aged | {"run_id": str(elsewhere)})
    line = ("leaderboard", "rescore", "memo", "--prompt-library", library, "--runs-dir", library / "runs")
    ended = evalcli(*line, *policy)
    assert "0 runs rescored" in ended.out
    assert "2 without replies at hand" in ended.out
    assert sorted(elsewhere.iterdir()) == files


def test_a_leaderboard_is_named_by_its_component_or_file_and_must_be_there(
    evalcli: Evalcli, make_run: MakeRun, add: Callable[..., Path], library: Path
) -> None:
    path = add(_age(make_run([RIGHT])))
    ended = evalcli("leaderboard", "rescore", path, "--runs-dir", library / "runs")
    assert (ended.code, len(json.loads(path.read_bytes())["runs"])) == (0, 2)
    for absent, said in (
        ("memmo", "there is no component `memmo`"),
        (library / "leaderboard.json", "there is no such file"),
    ):
        ended = evalcli("leaderboard", "rescore", absent, "--prompt-library", library)
        assert (ended.code, ended.out) == (2, "")
        assert said in ended.err


def test_a_leaderboards_run_is_rescored_though_its_folder_lost_the_record(
    evalcli: Evalcli, make_run: MakeRun, add: Callable[..., Path], library: Path
) -> None:
    run = make_run([RIGHT])
    path = add(_age(run))
    (run / "record.json").unlink()
    line = ("leaderboard", "rescore", "memo", "--prompt-library", library, "--runs-dir", library / "runs")
    assert evalcli(*line).code == 0
    assert len(json.loads(path.read_bytes())["runs"]) == 2
    assert (run / LATER).exists()


POLICY = "fields:\n  decision: {compare: exact, weight: 9}\n"


@pytest.fixture
def component(library: Path) -> Path:
    """Write the component whose policy is the current one."""
    folder = library / "components" / "memo"
    (folder / "evals").mkdir(parents=True)
    (folder / "prompt.md").write_text("---\nname: memo\nversion: 1.0.0\n---\nAnswer.\n")
    return folder


def test_kept_replies_are_scored_by_the_present_policy(
    evalcli: Evalcli, make_run: MakeRun, component: Path, library: Path
) -> None:
    run = make_run([WRONG])
    before = (run / "record.json").read_bytes()
    line = ("rescore", run, "--policy", "current", "--prompt-library", library)
    assert "identical" in evalcli(*line).out  # neither had a policy
    (component / "evals" / "scoring.yaml").write_text(POLICY)
    ended = evalcli(*line, "--json")
    assert (ended.code, "scored by the component's present policy: " in ended.err) == (0, True)
    assert "`evalcli leaderboard rescore memo --policy current` adds such records" in ended.err
    (record,) = json.loads(ended.out)
    first = json.loads(before)
    assert record["accuracy"]["mean"] < first["accuracy"]["mean"]
    assert (record["rescored_from"], record["policy_sha256"] is None) == (first["run_id"], False)
    assert record["run_id"] == rescored_run_id(
        first["run_id"], SCORING_VERSION, policy_sha256=record["policy_sha256"]
    )
    assert record["run_id"] not in {first["run_id"], rescored_run_id(first["run_id"], SCORING_VERSION)}
    assert (run / "record.json").read_bytes() == before
    assert len(list(run.glob("record-*.json"))) == 1
    assert "(as it was there already)" in evalcli(*line).out


def test_a_leaderboard_says_how_many_records_its_replies_do_not_give(
    evalcli: Evalcli, make_run: MakeRun, add: Callable[..., Path], component: Path, library: Path
) -> None:
    run = make_run([RIGHT, WRONG])
    add(_age(run, SCORING_VERSION))
    (component / "evals" / "scoring.yaml").write_text(POLICY)
    where = ("--prompt-library", library, "--runs-dir", run.parent)
    ended = evalcli("leaderboard", "rescore", "memo", "--policy", "current", *where)
    assert ended.code == 1
    assert ended.out.strip().endswith("0 without replies at hand, 1 left as they stand")


def test_a_policy_that_cannot_be_used_is_one_line(
    evalcli: Evalcli, make_run: MakeRun, component: Path, library: Path
) -> None:
    run = make_run([WRONG])
    (component / "evals" / "scoring.yaml").write_text("fields:\n  decisoin: exact\n")
    ended = evalcli("rescore", run, "--policy", "current", "--prompt-library", library)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "did you mean `decision`?" in ended.err
    assert not list(run.glob("record-*.json"))


def test_a_leaderboard_is_brought_to_the_present_policy_and_compared_by_it(
    evalcli: Evalcli, make_run: MakeRun, add: Callable[..., Path], component: Path, library: Path
) -> None:
    old = make_run([RIGHT] * 5, 1)
    new = make_run([RIGHT] * 5, 2)
    records = [json.loads((run / "record.json").read_bytes()) for run in (old, new)]
    records[1]["component_version"] = "1.1.0"
    plan = json.loads((new / "run.json").read_bytes())
    plan["component"]["version"] = "1.1.0"
    (new / "run.json").write_text(json.dumps(plan))
    records[1]["plan_sha256"] = sha256_hex((new / "run.json").read_bytes())
    (new / "record.json").write_bytes(encode_canonical(records[1]))
    path = add(*records)
    (component / "evals" / "scoring.yaml").write_text(POLICY)
    line = ("leaderboard", "rescore", "memo", "--policy", "current")
    where = ("--prompt-library", library)
    ended = evalcli(*line, *where, "--runs-dir", library / "runs")
    assert (
        ended.code,
        ended.out.splitlines()[-1].endswith(
            "2 runs rescored, 0 by the present policy before, 0 without replies at hand"
        ),
    ) == (0, True)
    runs = json.loads(path.read_bytes())["runs"]
    assert [run["policy_sha256"] is None for run in runs].count(True) == 2
    again = evalcli(*line, *where, "--runs-dir", library / "runs").out
    assert "0 runs rescored, 2 by the present policy before" in again
    (compared,) = json.loads(evalcli("compare", "memo", *where, "--json").out)["models"]
    assert compared["verdict"] != "not comparable"
    assert {*compared["before"]["run_ids"], *compared["after"]["run_ids"]} == {
        run["run_id"] for run in runs if run["policy_sha256"] is not None
    }
    old.rename(library / "elsewhere")
    (component / "evals" / "scoring.yaml").write_text(POLICY + "# another\n")
    ended = evalcli(*line, *where, "--runs-dir", library / "runs")
    assert (ended.code, "its replies are not in" in ended.out) == (1, True)
    assert ended.err.splitlines()[-1].startswith(
        "the ranking by the present policy lacks 1 complete run of big: put the folders made "
    )


def test_whoever_rescores_after_a_change_of_the_policy_is_told_how_it_is_made_to_count(
    evalcli: Evalcli, make_run: MakeRun, add: Callable[..., Path], component: Path, library: Path
) -> None:
    run = make_run([RIGHT])
    add(json.loads((run / "record.json").read_bytes()))
    where = ("--prompt-library", library)
    said = "memo has another scoring policy now; with `--policy current` it is scored by that one\n"
    lines = (
        ("rescore", run, *where),
        ("leaderboard", "rescore", "memo", *where, "--runs-dir", library / "runs"),
    )
    assert [evalcli(*line).err for line in lines] == ["", ""]
    (component / "evals" / "scoring.yaml").write_text(POLICY)
    assert [evalcli(*line).err for line in lines] == [said, said]
    assert evalcli(*lines[1], "--policy", "current").err == ""
    # The leaderboard has it by the present policy by now.
    assert evalcli(*lines[1]).err == ""


def _scored_by_a_later_policy(evalcli: Evalcli, make_run: MakeRun, library: Path) -> Path:
    """Make a run, then weigh by a policy what it has right, and score it by that."""
    run = make_run([{**RIGHT, "decision": "reject"}])
    write_component(library, cases={"one": RIGHT})
    (library / "components/memo/evals/scoring.yaml").write_text("fields:\n  decision: {weight: 9}\n")
    assert evalcli("rescore", run, "--policy", "current", "--prompt-library", library).code == 0
    return run


def test_show_names_the_later_scoring_and_shows_it_where_asked(
    evalcli: Evalcli, make_run: MakeRun, library: Path
) -> None:
    run = _scored_by_a_later_policy(evalcli, make_run, library)
    own, later = json.loads(evalcli("show", run, "--json").out)["scorings"]
    assert later["accuracy"] < own["accuracy"]
    shown = evalcli("show", run, "--prompt-library", library).out.splitlines()
    assert shown[1].endswith(f"accuracy {own['accuracy']:.3f}")
    assert shown[2] == (
        "These figures are by the policy of the run; by the component's present one accuracy is"
        f" {later['accuracy']:.3f}: `evalcli show {run} --policy current`."
    )
    asked = evalcli("show", run, "--prompt-library", library, "--policy", "current").out.splitlines()
    assert asked[0].endswith(", by the component's present policy")
    assert asked[1].endswith(f"accuracy {later['accuracy']:.3f} instead of {own['accuracy']:.3f}")
    assert f"case one: accuracy {later['accuracy']:.3f}" in "\n".join(asked)
    assert "figures are by" not in "\n".join(asked)


def test_without_the_library_show_says_that_there_is_a_later_scoring(
    evalcli: Evalcli, make_run: MakeRun, library: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = _scored_by_a_later_policy(evalcli, make_run, library)
    shown = evalcli("show", run, "--prompt-library", tmp_path_factory.mktemp("elsewhere")).out
    assert "it was scored by another one since; name the prompt library" in shown


def test_a_policy_can_be_looked_at_before_any_run_is_scored_by_it(
    evalcli: Evalcli, make_run: MakeRun, library: Path
) -> None:
    run = make_run([WRONG])
    write_component(library, cases={"one": RIGHT})
    (library / "components/memo/evals/scoring.yaml").write_text("fields:\n  decision: {weight: 9}\n")
    ended = evalcli("show", run, "--prompt-library", library, "--policy")
    assert (ended.code, ended.err) == (0, "")
    assert "it has no record by this policy yet" in ended.out


def test_runs_lists_the_figure_of_the_present_policy_and_marks_those_of_an_earlier_one(
    evalcli: Evalcli, make_run: MakeRun, library: Path
) -> None:
    run = _scored_by_a_later_policy(evalcli, make_run, library)
    make_run([RIGHT], 2)
    where = ("runs", "--prompt-library", library, "--runs-dir", run.parent)
    earlier, rescored = json.loads(evalcli(*where, "--json").out)
    (later,) = run.glob("record-*")
    assert rescored["accuracy"] == json.loads(later.read_bytes())["accuracy"]["mean"]
    assert (rescored["is_present_policy"], earlier["is_present_policy"]) == (True, False)
    headings, *rows = (line.split() for line in evalcli(*where).out.splitlines())
    assert [row[headings.index("policy")] for row in rows] == ["earlier", "present"]


def test_a_report_says_that_it_is_by_the_policy_of_the_run(
    evalcli: Evalcli, make_run: MakeRun, library: Path
) -> None:
    run = _scored_by_a_later_policy(evalcli, make_run, library)
    ended = evalcli("report", run, "--prompt-library", library)
    assert "by the component's present one accuracy is" in ended.err
    assert "present one" not in evalcli("report", make_run([RIGHT], 2), "--prompt-library", library).err


def test_records_that_the_leaderboard_has_are_not_to_be_added(
    evalcli: Evalcli, make_run: MakeRun, library: Path
) -> None:
    run = _scored_by_a_later_policy(evalcli, make_run, library)
    line = ("rescore", run, "--policy", "current", "--prompt-library", library)
    leaderboard = library / "components" / "memo" / "leaderboard.json"
    assert "adds such records" in evalcli(*line).err
    assert evalcli(*line, "--leaderboard", leaderboard).code == 0
    assert "adds such records" not in evalcli(*line).err
    leaderboard.write_text("{")
    assert (evalcli(*line).code, "adds such records" in evalcli(*line).err) == (0, True)
