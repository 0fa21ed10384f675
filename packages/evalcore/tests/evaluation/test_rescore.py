"""A run's stored replies scored again: the same record by the same rules, and never one of fewer replies."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from evalcore.errors import StorageError
from evalcore.evaluation.rescore import rescore_run
from evalcore.runs.folder import RECORD, RunFolder, read_record
from evalcore.runs.record import RunRecord
from evalcore.runs.rescoring import rescored_run_id
from evalcore.scoring.score_run import score_run
from evalcore.version import SCORING_VERSION
from evalsim.testing import make_case, make_component, make_reply, make_run_plan

RUN_ID = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
def run(tmp_path: Path) -> tuple[Path, RunRecord]:
    """A finished run of two cases with two replicates each, and its record."""
    cases = (make_case("one", {"a": 1}), make_case("two", {"a": 2}))
    plan = make_run_plan(run_id=RUN_ID, cases=cases, replicates=2, component=make_component(output="json"))
    folder = RunFolder.create(tmp_path, plan)
    for case, right in (("one", 2), ("two", 1)):
        for replicate in range(2):
            value = {"a": 1 if case == "one" else 2} if replicate < right else {"a": 9}
            reply = make_reply(case, replicate, json.dumps(value), request_id=f"{case}-{replicate}")
            folder.append(reply)
    record = folder.with_hashes(score_run(plan, folder.replies_of))
    folder.close()
    return folder.path, record


def files_of(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir() if file.is_file()}


def lines_of(path: Path) -> list[str]:
    return (path / "replies.jsonl").read_text().splitlines()


def test_the_same_rules_give_the_same_record(run) -> None:
    path, record = run
    assert rescore_run(path, record).record == record
    assert rescore_run(path, record).altered == ()


def test_nothing_is_written(run) -> None:
    path, record = run
    before = files_of(path)
    rescore_run(path, record)
    assert files_of(path) == before


def test_a_run_that_was_never_scored_gets_its_own_record(run) -> None:
    path, record = run
    found = rescore_run(path, None)
    assert (found.record, found.altered) == (record, ())
    assert found.record.rescored_from is None


def test_later_rules_give_a_record_with_an_id_of_its_own_that_names_the_first(run) -> None:
    path, record = run
    older = msgspec.structs.replace(record, scoring_version=SCORING_VERSION - 1)
    found = rescore_run(path, older).record
    assert found.run_id == rescored_run_id(RUN_ID, SCORING_VERSION) != RUN_ID
    assert found.rescored_from == RUN_ID
    assert found.scoring_version == SCORING_VERSION
    assert found.case_results == record.case_results


def test_a_reply_that_is_gone_gives_no_record(run) -> None:
    path, record = run
    lines = lines_of(path)
    (path / "replies.jsonl").write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(StorageError, match="case two has 1 of 2 replies"):
        rescore_run(path, record)


def test_a_reply_that_was_copied_for_another_call_gives_no_record(run) -> None:
    path, record = run
    lines = lines_of(path)
    copied = lines[0].replace('"replicate":0', '"replicate":1')
    assert copied != lines[0]
    (path / "replies.jsonl").write_text("\n".join([lines[0], copied, *lines[2:]]) + "\n")
    with pytest.raises(StorageError, match="stands for two calls"):
        rescore_run(path, record)


def test_a_reply_that_was_changed_is_said_beside_the_record(run) -> None:
    path, record = run
    replies = path / "replies.jsonl"
    replies.write_text(replies.read_text().replace('{\\"a\\": 9}', '{\\"a\\": 2}'))
    found = rescore_run(path, record)
    assert found.altered == ("replies.jsonl: not the replies that the record names",)
    assert found.record.accuracy.mean == 1.0
    assert record.accuracy.mean is not None
    assert record.accuracy.mean < 1.0


def test_an_expected_answer_that_was_changed_is_said_with_its_case(run) -> None:
    path, record = run
    plan = json.loads((path / "run.json").read_bytes())
    (case,) = [case for case in plan["cases"] if case["name"] == "two"]
    case["expected"] = json.dumps({"a": 9})
    (path / "run.json").write_text(json.dumps(plan))
    assert rescore_run(path, record).altered == ("run.json: case two is not the one that was hashed",)


DAMAGED = [
    b"",
    b"{",
    b"[]",
    b"\xff",
    b'{"run_id": "\xff", "case": "\xff"}',
    b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
]


@pytest.mark.parametrize("data", DAMAGED, ids=range(len(DAMAGED)))
@pytest.mark.parametrize("name", ["run.json", "replies.jsonl"])
def test_a_damaged_file_is_one_sentence(run, name: str, data: bytes) -> None:
    path, record = run
    (path / name).write_bytes(data + b"\n")
    with pytest.raises(StorageError) as caught:
        rescore_run(path, record)
    assert "\n" not in caught.value.line


@pytest.mark.parametrize("data", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_record_is_one_sentence(run, data: bytes) -> None:
    path, _ = run
    (path / RECORD).write_bytes(data)
    with pytest.raises(StorageError, match="it is no record"):
        read_record(path)


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        rescore_run(tmp_path / "nothing", None)
