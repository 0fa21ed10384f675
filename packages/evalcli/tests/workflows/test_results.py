"""Results to publish: each record once, with the others of its component and commit, and nothing private."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from evalcli.leaderboards.published_cases import PublishedCases
from evalcli.workflows.results import ReadRecord, groups, plan_of, read_results
from evalcore.errors import ComponentError, EvaluatorError, LeaderboardError
from evalcore.formats.strict_json import sha256_hex
from evalcore.ids import uuid7
from evalcore.library.checkout import FolderCheckout
from evalcore.runs.leaderboard import MAX_BYTES
from evalcore.runs.record import RunRecord, record_object
from evalsim.testing import make_record, write_component, write_leaderboard

PROMPT = sha256_hex(b"Answer.")
COMMIT = "c" * 40


def record(number: int = 1, **fields) -> RunRecord:
    return make_record(number, **{"prompt_commit": COMMIT, "prompt_sha256": PROMPT, **fields})


def read(*records: RunRecord, slug: str | None = None) -> list[ReadRecord]:
    return [ReadRecord(one, slug, "records.json") for one in records]


def of_file(path: Path) -> list[ReadRecord]:
    """Read a file of records, for which no rule about cases is needed."""
    return read_results([path], PublishedCases("names"))


def written(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value))
    return path


@pytest.fixture
def library(tmp_path: Path) -> Path:
    write_component(tmp_path / "library", cases={"one": {}})
    return tmp_path / "library"


# what belongs together


def test_records_of_one_component_version_and_commit_are_one_group() -> None:
    (group,) = groups(read(record(1), record(2, model="beta"), slug="memo"))
    assert (group.slug, group.version, group.prompt_commit) == ("memo", "1.0.0", COMMIT)
    assert [one.model for one in group.records] == ["alpha", "beta"]


@pytest.mark.parametrize(
    "fields",
    [{"component_version": "1.1.0"}, {"prompt_commit": "d" * 40}, {"prompt_sha256": "e" * 64}],
)
def test_what_differs_in_version_commit_or_prompt_is_published_apart(fields: dict[str, str]) -> None:
    assert len(groups(read(record(1), record(2, **fields)))) == 2


def test_a_record_without_a_name_goes_with_the_only_one_that_is_named() -> None:
    (group,) = groups([*read(record(1), slug="memo"), *read(record(2))])
    assert (group.slug, len(group.records)) == ("memo", 2)


def test_components_with_the_same_prompt_are_published_apart_and_those_without_a_name_too() -> None:
    found = groups([*read(record(1), slug="a"), *read(record(2), slug="b"), *read(record(3))])
    assert [(group.slug, len(group.records)) for group in found] == [("a", 1), ("b", 1), (None, 1)]


def test_the_groups_do_not_depend_on_the_order_of_the_files() -> None:
    records = [record(number, component_version=f"1.{number % 3}.0") for number in range(6)]
    there, back = groups(read(*records)), groups(read(*reversed(records)))
    assert [(group.version, group.records) for group in there] == [
        (group.version, group.records) for group in back
    ]


def test_the_same_record_twice_is_one() -> None:
    (group,) = groups(read(record(1), record(1)))
    assert len(group.records) == 1


def test_one_id_with_two_contents_is_an_error_and_neither_is_chosen() -> None:
    (group,) = groups(read(record(1, mean=0.1), record(1, mean=0.9), slug="memo"))
    with pytest.raises(LeaderboardError, match="two different contents"):
        _ = group.records


def test_a_run_of_no_commit_is_refused_by_its_id_and_file() -> None:
    with pytest.raises(LeaderboardError, match="is of no commit") as caught:
        groups(read(record(7, prompt_commit=None)))
    assert record(7).run_id in caught.value.line
    assert caught.value.where == "records.json"


def test_of_a_runs_folder_which_is_called_by_its_id_the_id_is_said_once() -> None:
    (one,) = read(record(7, prompt_commit=None))
    with pytest.raises(LeaderboardError) as caught:
        groups([one._replace(where=f"runs/{record(7).run_id}")])
    assert caught.value.line.startswith(f"runs/{record(7).run_id}: the run is of no commit")


# what is read


def test_a_file_holds_one_record_a_list_or_a_leaderboard(tmp_path: Path) -> None:
    one, two = record(1), record(2)
    single = written(tmp_path / "one.json", record_object(one))
    several = written(tmp_path / "list.json", [record_object(one), record_object(two)])
    board = write_leaderboard(tmp_path / "board.json", one, two)
    assert [item.record for item in of_file(single)] == [one]
    assert [item.record for item in of_file(several)] == [one, two]
    assert [(item.record, item.slug) for item in of_file(board)] == [(one, "memo"), (two, "memo")]
    assert {item.slug for item in of_file(several)} == {None}
    assert of_file(written(tmp_path / "empty.json", [])) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"7",
        b'"x"',
        b"{}",
        b"[7]",
        b"[{}]",
        b"\xff",
        b"[" * 100_000,
        b'[{"run_id": "x"}]',
        b'{"runs": 7}',
        b'["\\ud800"]',
        b'[{"run_id": NaN}]',
    ],
)
def test_a_file_of_anything_else_is_one_line_that_names_it(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "records.json"
    path.write_bytes(data)
    with pytest.raises(LeaderboardError) as caught:
        of_file(path)
    assert str(path) in caught.value.line
    assert "\n" not in caught.value.line


def test_a_file_that_is_not_there_or_too_large_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(LeaderboardError, match="cannot be read"):
        of_file(tmp_path / "none.json")
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(LeaderboardError, match="is larger than"):
        of_file(tmp_path / "large.json")


def test_a_field_that_this_version_would_lose_is_refused(tmp_path: Path) -> None:
    value = record_object(record()) | {"of_tomorrow": 1}
    with pytest.raises(LeaderboardError, match="fields that this version does not know"):
        of_file(written(tmp_path / "records.json", [value]))


@pytest.mark.parametrize("place", ["accuracy", "calls", "latency_ms"])
def test_such_a_field_is_found_inside_too(tmp_path: Path, place: str) -> None:
    value = json.loads(msgspec.json.encode(record_object(record())))
    value[place]["of_tomorrow"] = 1
    with pytest.raises(LeaderboardError, match="fields that this version does not know"):
        of_file(written(tmp_path / "records.json", [value]))


def test_a_field_that_an_earlier_version_did_not_have_is_none(tmp_path: Path) -> None:
    value = json.loads(msgspec.json.encode(record_object(record())))
    value.pop("drifting", None)
    (found,) = of_file(written(tmp_path / "records.json", [value]))
    assert found.record.drifting is None


# the job that they are of


def planned(library: Path, *records: RunRecord, slug: str | None = None, may_be_named: bool = False):
    (group,) = groups(read(*records, slug=slug))
    return plan_of(group, FolderCheckout(library), may_be_named=may_be_named)


def test_the_component_is_found_by_its_prompt(library: Path) -> None:
    plan = planned(library, record())
    assert (plan.component.slug, plan.component.version) == ("memo", "1.0.0")
    assert (plan.prompt_commit, plan.cases, plan.models) == (COMMIT, (), ())


def test_whoever_publishes_the_same_records_publishes_the_same_job(library: Path) -> None:
    ids = [uuid7(number, bytes(10)) for number in (3, 1, 2)]
    records = [record(number, job_id=job) for number, job in enumerate(ids, 1)]
    there, back = planned(library, *records), planned(library, *reversed(records))
    assert there.job_id == back.job_id == min(ids)


def test_replicates_are_the_most_of_any_record(library: Path) -> None:
    assert planned(library, record(1, replicates=3), record(2, replicates=10)).replicates == 10


@pytest.mark.parametrize("fields", [{"prompt_sha256": "e" * 64}, {"component_version": "9.9.9"}])
def test_a_prompt_that_the_commit_does_not_have_is_refused(library: Path, fields: dict[str, str]) -> None:
    for slug in (None, "memo", "nothing"):
        with pytest.raises(ComponentError, match="has no such prompt there"):
            planned(library, record(**fields), slug=slug)


def test_two_components_with_one_prompt_are_told_apart_by_name_alone(library: Path) -> None:
    write_component(library, "other")
    with pytest.raises(ComponentError, match="2 components have this prompt"):
        planned(library, record())
    assert planned(library, record(), slug="memo").component.slug == "memo"


def test_a_component_that_cannot_be_read_does_not_hide_the_others(library: Path) -> None:
    write_component(library, "broken", prompt_file="no front matter")
    assert planned(library, record()).component.slug == "memo"


# nothing private


def with_case(name: str, number: int = 1) -> RunRecord:
    case = {
        "case": name,
        "sha256": "c" * 64,
        "validated_against_version": None,
        "scores": [0.9],
        "reproducibility": None,
    }
    return record(number, case_results=[case])


@pytest.mark.parametrize("name", ["one", "case-" + "0" * 20])
def test_cases_of_the_library_and_hashed_names_are_published(library: Path, name: str) -> None:
    assert planned(library, with_case(name)).component.slug == "memo"


@pytest.mark.parametrize("name", ["award-of-jane-doe", "case-0", "ONE", "one/../two"])
def test_a_name_that_is_not_the_librarys_own_is_refused_and_not_repeated(library: Path, name: str) -> None:
    with pytest.raises(LeaderboardError, match="names a case that is not the prompt library's own") as caught:
        planned(library, with_case(name))
    assert name not in caught.value.line


def test_one_such_name_among_many_records_is_enough(library: Path) -> None:
    with pytest.raises(LeaderboardError):
        planned(library, with_case("one", 1), with_case("private", 2))


def test_a_skipped_cases_name_is_a_name_too(library: Path) -> None:
    skipped = [{"case": "private", "reason": "it has no input"}]
    with pytest.raises(LeaderboardError):
        planned(library, record(skipped_cases=skipped))


def test_git_is_asked_once_for_the_librarys_own_cases_however_many_records_there_are(library: Path) -> None:
    asked: list[str] = []

    class Counting(FolderCheckout):
        def folders(self, path: str) -> list[str]:
            asked.append(path)
            return super().folders(path)

    (group,) = groups(read(*(with_case("one", number) for number in range(50)), slug="memo"))
    plan_of(group, Counting(library), may_be_named=False)
    assert asked.count("components/memo/evals/cases") == 1


@pytest.mark.parametrize("field", ["run_id", "job_id"])
@pytest.mark.parametrize("text", ["../../x", "", "00000000-0000-7000-8000-000000000000/..", "a\nb", "--><b>"])
def test_a_record_whose_id_is_a_path_or_markup_is_refused(tmp_path: Path, field: str, text: str) -> None:
    path = written(tmp_path / "records.json", [record_object(record(1)) | {field: text}])
    with pytest.raises(LeaderboardError, match="run_id or job_id is more than letters") as caught:
        of_file(path)
    assert "\n" not in caught.value.line


def test_names_that_may_be_shown_are(library: Path) -> None:
    assert planned(library, with_case("private"), may_be_named=True).component.slug == "memo"


def test_a_runs_folder_is_read_with_its_component_and_its_later_scorings(
    make_run: Callable[..., Path],
) -> None:
    run = make_run([{"decision": "approve"}])
    first = json.loads((run / "record.json").read_bytes())
    later = first | {"run_id": uuid7(9, bytes(10)), "rescored_from": first["run_id"]}
    (run / "record-99.json").write_text(json.dumps(later))
    found = read_results([run], PublishedCases("names"))
    assert [item.record.run_id for item in found] == [first["run_id"], later["run_id"]]
    assert {item.slug for item in found} == {"memo"}
    (run / "record.json").unlink()
    with pytest.raises(EvaluatorError):
        read_results([run], PublishedCases("names"))
