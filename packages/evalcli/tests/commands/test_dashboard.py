"""`evalcli dashboard`: what is written, what is left alone, what is said; by real files."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from evalsim.testing import make_record, make_scored_record, write_component, write_leaderboard

Evalcli = Callable[..., Any]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    root = tmp_path / "library"
    for slug in ("alone", "memo"):
        write_component(root, slug, cases={"one": {"amount": 1}})
    write_leaderboard(
        root / "components/memo/leaderboard.json",
        make_scored_record(1, [0.9, 0.8, 0.9]),
        make_scored_record(2, [0.4, 0.5, 0.4], model="beta/small"),
    )
    (root / ".evaluator").mkdir()
    (root / ".evaluator/models.yaml").write_text("models:\n  - {id: alpha, provider: mindrouter}\n")
    return root


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_a_site_has_its_pages_its_data_and_its_tables(
    evalcli: Evalcli, library: Path, tmp_path: Path
) -> None:
    out = tmp_path / "site"
    ended = evalcli("dashboard", "--prompt-library", library, "--out", out)
    assert (ended.code, ended.err) == (0, "")
    assert "2 components, 2 models, 2 runs" in ended.out
    names = set(files_of(out))
    assert {"index.html", "index.json", "components/memo.html", "components/alone.html"} <= names
    # The first 8 hex digits of the SHA-256 of the whole id.
    assert {"models/beta-small-e635589e.html", "models/alpha-8ed3f6ad.html"} <= names
    assert {"data/rankings.csv", "data/history.csv", "data/cases.csv", "data/never_evaluated.csv"} <= names


def test_index_json_is_as_its_schema_says(evalcli: Evalcli, library: Path, tmp_path: Path) -> None:
    schema = json.loads(evalcli("dashboard", "--schema").out)
    evalcli("dashboard", "--prompt-library", library, "--out", tmp_path / "site")
    index = json.loads((tmp_path / "site/index.json").read_text())
    jsonschema_rs.validator_for(schema).validate(index)
    assert index["schema_version"] == 1
    assert [one["slug"] for one in index["components"]] == ["alone", "memo"]
    assert [gap["component"] for gap in index["never_evaluated"]] == ["alone"]


def test_the_tables_hold_the_figures_of_the_records(evalcli: Evalcli, library: Path, tmp_path: Path) -> None:
    evalcli("dashboard", "--prompt-library", library, "--out", tmp_path / "site")
    with (tmp_path / "site/data/runs.csv").open() as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    record = make_scored_record(1, [0.9, 0.8, 0.9])
    assert float(rows["alpha"]["accuracy"]) == pytest.approx(record.accuracy.mean, abs=1e-9)
    assert rows["alpha"]["run_id"] == record.run_id


def test_a_second_time_nothing_is_written(evalcli: Evalcli, library: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    evalcli("dashboard", "--prompt-library", library, "--out", out)
    before = {path: (out / path).stat().st_mtime_ns for path in files_of(out)}
    ended = evalcli("dashboard", "--prompt-library", library, "--out", out)
    assert " 0 files written, " in ended.out
    assert {path: (out / path).stat().st_mtime_ns for path in files_of(out)} == before


def test_one_new_record_changes_the_pages_that_show_it_alone(
    evalcli: Evalcli, library: Path, tmp_path: Path
) -> None:
    out = tmp_path / "site"
    evalcli("dashboard", "--prompt-library", library, "--out", out)
    before = files_of(out)
    write_leaderboard(
        library / "components/memo/leaderboard.json",
        make_scored_record(1, [0.9, 0.8, 0.9]),
        make_scored_record(2, [0.4, 0.5, 0.4], model="beta/small"),
        make_scored_record(3, [0.9, 0.9, 0.9]),
    )
    evalcli("dashboard", "--prompt-library", library, "--out", out)
    changed = {path for path, data in files_of(out).items() if before.get(path) != data}
    assert "components/memo.html" in changed
    assert "components/alone.html" not in changed
    assert "data/never_evaluated.csv" not in changed


def test_what_was_worked_out_before_gives_the_same_site(
    evalcli: Evalcli, library: Path, tmp_path: Path
) -> None:
    evalcli("dashboard", "--prompt-library", library, "--out", tmp_path / "one")
    evalcli("dashboard", "--prompt-library", library, "--out", tmp_path / "two")
    cold = str(tmp_path / "nothing-cached")
    evalcli("dashboard", "--prompt-library", library, "--out", tmp_path / "three", XDG_CACHE_HOME=cold)
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two") == files_of(tmp_path / "three")


def test_a_component_that_is_gone_takes_its_page_with_it(
    evalcli: Evalcli, library: Path, tmp_path: Path
) -> None:
    out = tmp_path / "site"
    evalcli("dashboard", "--prompt-library", library, "--out", out)
    (library / "components/alone").rename(tmp_path / "away")
    (out / "notes.txt").write_text("mine")
    ended = evalcli("dashboard", "--prompt-library", library, "--out", out)
    assert ", 0 removed" not in ended.out
    assert not (out / "components/alone.html").exists()
    assert (out / "notes.txt").read_text() == "mine"


def test_a_folder_with_other_things_in_it_is_refused(evalcli: Evalcli, library: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/index.html").write_text("mine")
    ended = evalcli("dashboard", "--prompt-library", library, "--out", tmp_path / "full")
    assert (ended.code, "is not empty, and no dashboard of ours" in ended.err) == (2, True)
    assert (tmp_path / "full/index.html").read_text() == "mine"


@pytest.mark.parametrize(
    ("damaged", "said"),
    [
        (b'{"schema_version": 1', "components/alone/leaderboard.json: the leaderboard is not valid JSON"),
        (b'{"schema_version": 9, "component": "alone", "runs": []}', "schema_version is 9, not 1"),
        (b'{"schema_version": 1, "component": "memo", "runs": []}', "the leaderboard is of 'memo'"),
        (b"<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> x\n", "an unresolved merge"),
    ],
)
def test_a_damaged_leaderboard_is_named_and_the_rest_is_built(
    evalcli: Evalcli, library: Path, tmp_path: Path, damaged: bytes, said: str
) -> None:
    (library / "components/alone/leaderboard.json").write_bytes(damaged)
    ended = evalcli("dashboard", "--prompt-library", library, "--out", tmp_path / "site")
    assert ended.code == 0
    assert said in ended.err
    index = json.loads((tmp_path / "site/index.json").read_text())
    alone, memo = index["components"]
    assert said in alone["leaderboard_problem"]
    assert str(tmp_path) not in alone["leaderboard_problem"]
    # Nobody can say of it that it was never evaluated.
    assert alone["gaps"] == []
    page = (tmp_path / "site/index.html").read_text()
    assert page.count("leaderboard unreadable") == 1
    assert "never evaluated" not in page
    assert memo["rankings"]


def test_a_leaderboard_that_is_a_link_is_not_followed(
    evalcli: Evalcli, library: Path, tmp_path: Path
) -> None:
    outside = write_leaderboard(tmp_path / "outside.json", make_record(1, model="secret"), slug="alone")
    (library / "components/alone/leaderboard.json").symlink_to(outside)
    ended = evalcli("dashboard", "--prompt-library", library, "--out", tmp_path / "site")
    assert ended.code == 0
    assert "the leaderboard cannot be read" in ended.err
    assert not any(b"secret" in data for data in files_of(tmp_path / "site").values())


def test_runs_of_another_evaluator_are_counted_and_not_shown(
    evalcli: Evalcli, library: Path, tmp_path: Path
) -> None:
    path = library / "components/memo/leaderboard.json"
    board = json.loads(path.read_text())
    board["runs"][0]["unknown"] = {"field": 1}
    board["runs"].append({"run_id": "theirs", "what": "another shape"})
    path.write_text(json.dumps(board))
    assert evalcli("dashboard", "--prompt-library", library, "--out", tmp_path / "site").code == 0
    memo = json.loads((tmp_path / "site/index.json").read_text())["components"][1]
    assert (memo["runs"], memo["foreign_runs"]) == (2, 1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cost_usd", 1e308),
        ("tokens", {"prompt": 10**400, "completion": 1}),
        ("latency_ms", {"p50": 1e308, "p95": 1e308}),
    ],
)
def test_a_figure_that_overflows_in_one_record_breaks_no_page(
    evalcli: Evalcli, library: Path, tmp_path: Path, field: str, value: object
) -> None:
    path = library / "components/memo/leaderboard.json"
    written = json.loads(path.read_text())
    written["runs"][0][field] = value
    # Two such records: it is their sum that overflows.
    written["runs"].append(written["runs"][0] | {"run_id": "00000000-0003-7000-8000-000000000000"})
    path.write_text(json.dumps(written))
    ended = evalcli("dashboard", "--prompt-library", library, "--out", tmp_path / "site")
    assert (ended.code, ended.err) == (0, "")
    memo = json.loads((tmp_path / "site/index.json").read_text())["components"][1]
    assert (memo["runs"], memo["foreign_runs"]) == (1, 2)


def test_without_components_or_a_folder_to_write_to_it_says_what_to_do(
    evalcli: Evalcli, library: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    ended = evalcli("dashboard", "--prompt-library", tmp_path / "empty", "--out", tmp_path / "site")
    assert (ended.code, "is not a prompt library" in ended.err) == (2, True)
    ended = evalcli("dashboard", "--prompt-library", library)
    assert (ended.code, "name a folder with --out" in ended.err) == (2, True)


def test_verdicts_are_those_of_compare(evalcli: Evalcli, library: Path, tmp_path: Path) -> None:
    better, worse = [0.9, 0.91, 0.92, 0.93, 0.94], [0.5, 0.51, 0.52, 0.53, 0.54]
    write_leaderboard(
        library / "components/memo/leaderboard.json",
        *(make_scored_record(at, better, model=f"m{at}") for at in (1, 2, 3)),
        *(
            make_scored_record(at + 3, scores, model=f"m{at}", component_version="1.1.0")
            for at, scores in ((1, worse), (2, better), (3, better))
        ),
    )
    evalcli("dashboard", "--prompt-library", library, "--out", tmp_path / "site")
    compared = json.loads(evalcli("compare", "memo@1.1.0", "--prompt-library", library, "--json").out)
    index = json.loads((tmp_path / "site/index.json").read_text())
    shown = {
        history["model"]: history["points"][-1]["verdict"]["verdict"]
        for history in index["components"][1]["history"]
    }
    assert shown == {one["model"]: one["verdict"] for one in compared["models"]}
    assert shown["m1"] == "regression"


def test_links_are_to_the_repository_that_is_named(evalcli: Evalcli, library: Path, tmp_path: Path) -> None:
    commit = "0123456789" * 4
    write_leaderboard(
        library / "components/memo/leaderboard.json",
        make_record(1, prompt_commit=commit, origin="actions", job_id="job-1"),
    )
    line = ["dashboard", "--prompt-library", library, "--out", tmp_path / "site"]
    assert evalcli(*line, "--repo", "acme/prompts").code == 0
    index = json.loads((tmp_path / "site/index.json").read_text())
    links = index["components"][1]["history"][0]["points"][0]["runs"][0]["links"]
    assert links["commit"] == f"https://github.com/acme/prompts/commit/{commit}"
    assert links["pull_request"] == "https://github.com/acme/prompts/pulls?q=is%3Apr%20%22job-1%22"
    elsewhere = evalcli(*line, GITHUB_REPOSITORY="acme/other", GITHUB_SERVER_URL="https://git.example.org")
    assert elsewhere.code == 0
    index = json.loads((tmp_path / "site/index.json").read_text())
    assert index["library"]["url"] == "https://git.example.org/acme/other"
    ended = evalcli(*line, "--repo", "not a repository")
    assert (ended.code, "is no owner/name" in ended.err) == (2, True)


def test_many_large_leaderboards_are_worked_out_by_several_processes_with_the_same_result(
    evalcli: Evalcli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "library"
    for slug in ("a", "b", "c", "d"):
        write_component(root, slug, cases={"one": {"amount": 1}})
        records = [make_scored_record(at, [0.5, 0.6, at / 10], model=f"m{at % 3}") for at in range(1, 9)]
        write_leaderboard(root / f"components/{slug}/leaderboard.json", *records, slug=slug)
    evalcli("dashboard", "--prompt-library", root, "--out", tmp_path / "one")
    monkeypatch.setattr("evalcli.dashboard.digests.LARGE", 1)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    cold = str(tmp_path / "nothing-cached")
    evalcli("dashboard", "--prompt-library", root, "--out", tmp_path / "two", XDG_CACHE_HOME=cold)
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
