"""Rankings as people and programs read them: every version, with its intervals and what to know."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evalcore.formats.strict_json import encode_canonical, sha256_hex
from evalcore.runs.record import Accuracy, Calls, CaseResult, Reproducibility, RunRecord
from evalsim.testing import write_leaderboard

MakeRecord = Callable[..., RunRecord]
Evalcli = Callable[..., Any]


def test_show_finds_a_component_of_the_library(
    evalcli: Evalcli, write: Callable[..., Path], tmp_path: Path
) -> None:
    write("memo", 1, model="gpt", mean=0.875)
    ended = evalcli("leaderboard", "show", "memo", "--prompt-library", tmp_path)
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[0] == "memo 1.0.0: 1 case x 1, scoring 1"
    assert " ".join(lines[1].split()) == "# model accuracy 95 % CI reprod. runs failed"
    assert lines[2].split()[:3] == ["1", "gpt", "0.875"]
    assert lines[2].split()[-3:] == ["-", "1", "0/1"]
    assert lines[3] == "gpt alone is ranked, accuracy 0.875."
    assert "One reply of each case" in lines[4]


def test_show_without_a_name_shows_all(evalcli: Evalcli, write: Callable[..., Path], tmp_path: Path) -> None:
    write("memo", 1)
    write("note", 2, slug="note")
    out = evalcli("leaderboard", "show", "--prompt-library", tmp_path).out
    assert "memo 1.0.0" in out
    assert "note 1.0.0" in out


def test_show_of_one_version_is_named_as_for_every_command(
    evalcli: Evalcli, make_record: MakeRecord, tmp_path: Path
) -> None:
    path = tmp_path / "components" / "memo" / "leaderboard.json"
    path.parent.mkdir(parents=True)
    write_leaderboard(path, make_record(1), make_record(2, component_version="1.1.0"))
    where = ("--prompt-library", tmp_path)
    for named in ("memo@1.0.0", f"{path}@1.0.0"):
        out = evalcli("leaderboard", "show", named, *where).out
        assert ("memo 1.0.0:" in out, "memo 1.1.0:" in out) == (True, False)
    ended = evalcli("leaderboard", "show", "memo@2.0.0", *where)
    assert (ended.code, ended.err) == (
        2, "evalcli: memo: there is no run of version 2.0.0; there are 1.1.0, 1.0.0\n"
    )  # fmt: skip


def test_rankings_by_the_present_policy_stand_before_those_by_an_earlier_one(
    evalcli: Evalcli, make_record: MakeRecord, tmp_path: Path
) -> None:
    folder = tmp_path / "components" / "memo"
    (folder / "evals").mkdir(parents=True)
    (folder / "prompt.md").write_text("---\nname: memo\nversion: 1.0.0\n---\nBe brief.\n")
    (folder / "evals" / "scoring.yaml").write_text("fields:\n  a: ignore\n")
    now = sha256_hex((folder / "evals" / "scoring.yaml").read_bytes())
    # Of more models, so that it would stand first by their number.
    earlier = [make_record(1, policy_sha256="e" * 64), make_record(2, policy_sha256="e" * 64, model="small")]
    write_leaderboard(folder / "leaderboard.json", *earlier, make_record(3, policy_sha256=now))
    for form in ("table", "markdown"):
        out = evalcli("leaderboard", "show", "memo", "--format", form, "--prompt-library", tmp_path).out
        assert 0 < out.index("the present one") < out.index("an earlier one")


def _full(make_record: MakeRecord, number: int, model: str, **fields: Any) -> RunRecord:
    """A record with intervals, ten identical replies, and a case checked against an older version."""
    values = {
        "model": model,
        "component_version": "1.2.0",
        "scoring_version": 3,
        "replicates": 10,
        "case_results": (CaseResult("one", "c" * 64, "1.1.0", (0.875,) * 10, 1.0, may_differ=0.2589),),
        "accuracy": Accuracy(0.875, (0.851, 0.899), 0.8, {}),
        "reproducibility": Reproducibility(1.0, (0.962, 1.0), 1.0, {}, may_differ=0.2589),
        "calls": Calls(30, 28, 1, 1, 0),
    }
    return make_record(number, **(values | fields))


def test_show_is_readable_in_80_columns_with_intervals_and_what_to_know(
    evalcli: Evalcli, make_record: MakeRecord, tmp_path: Path
) -> None:
    path = tmp_path / "leaderboard.json"
    records = [
        _full(make_record, 1, "openai/gpt-oss-120b"),
        _full(make_record, 2, "qwen/qwen3.5-122b", status="partial"),
    ]
    write_leaderboard(path, *records)
    assert evalcli("leaderboard", "show", path).out == (
        "memo 1.2.0: 1 case x 10, scoring 3\n"
        "#  model                accuracy         95 % CI  reprod.  runs  failed  status\n"
        "1  openai/gpt-oss-120b     0.875  0.851 to 0.899    1.000     1    2/30  complete\n"
        "-  qwen/qwen3.5-122b       0.875  0.851 to 0.899    1.000     1    2/30  partial\n"
        "openai/gpt-oss-120b alone is ranked, accuracy 0.875.\n"
        "openai/gpt-oss-120b, qwen/qwen3.5-122b: 10 identical replies: up to 26 % may still differ.\n"
        "Validated against an older version: one (1.1.0).\n"
        "\n"
    )
    write_leaderboard(path, *records[:1])
    assert max(map(len, evalcli("leaderboard", "show", path).out.splitlines())) <= 80


def test_show_tells_the_rough_interval_of_cases_like_these(
    evalcli: Evalcli, make_record: MakeRecord, tmp_path: Path
) -> None:
    path = tmp_path / "leaderboard.json"
    accuracy = Accuracy(0.5, (0.48, 0.52), 0.5, {}, ci95_like_cases=(0.4, 0.6))
    write_leaderboard(path, make_record(1, accuracy=accuracy))
    out = evalcli("leaderboard", "show", path).out
    assert "big: over cases like these, roughly 0.400 to 0.600.\n" in out


def test_show_marks_wording_as_such(evalcli: Evalcli, make_record: MakeRecord, tmp_path: Path) -> None:
    path = tmp_path / "leaderboard.json"
    accuracy = Accuracy(0.5, None, 0.5, {}, measures="wording")
    write_leaderboard(path, make_record(1, accuracy=accuracy))
    assert evalcli("leaderboard", "show", path).out.startswith(
        "memo 1.0.0: 1 case x 1, scoring 1; wording, not correctness\n"
    )


def test_show_uses_the_newest_scoring_and_ranks_older_ones_apart(
    evalcli: Evalcli, make_record: MakeRecord, tmp_path: Path
) -> None:
    path = tmp_path / "leaderboard.json"
    old = make_record(1, mean=0.2, scoring_version=1)
    new = make_record(2, mean=0.6, scoring_version=2, rescored_from=old.run_id)
    other = make_record(3, mean=0.9, scoring_version=1, model="other")
    write_leaderboard(path, old, new, other)
    newer, older = evalcli("leaderboard", "show", path).out.split("\n\n")[:2]
    assert newer.splitlines()[2].split()[:3] == ["1", "big", "0.600"]
    assert older.splitlines()[0].endswith("scoring 1")
    assert older.splitlines()[2].split()[:3] == ["1", "other", "0.900"]
    assert "leaderboard rescore memo" in older


def _scored(
    make_record: MakeRecord, number: int, model: str, scores: list[float], **fields: Any
) -> RunRecord:
    case = CaseResult("one", "c" * 64, None, tuple(scores), 0.9)
    return make_record(
        number,
        model=model,
        mean=sum(scores) / len(scores),
        case_results=(case,),
        replicates=len(scores),
        **fields,
    )


def test_show_json_has_pools_with_ranges_of_ranks_and_partial_runs_without(
    evalcli: Evalcli, make_record: MakeRecord, tmp_path: Path
) -> None:
    good, fair = [0.95, 0.9, 0.92, 0.94, 0.96], [0.93, 0.91, 0.95, 0.9, 0.94]
    path = tmp_path / "leaderboard.json"
    write_leaderboard(
        path,
        _scored(make_record, 1, "a", good),
        _scored(make_record, 2, "b", fair),
        _scored(make_record, 3, "b", fair),
        _scored(make_record, 4, "c", [0.1] * 5),
        _scored(make_record, 5, "c", [0.9] * 5, status="partial"),
    )
    ended = evalcli("leaderboard", "show", path, "--json")
    told = json.loads(ended.out)
    assert ended.err == ""
    assert list(told) == ["component", "rankings"]
    (ranking,) = told["rankings"]
    assert list(ranking) == [
        "component_version", "scoring_version", "prompt_sha256", "schema_sha256", "policy_sha256",
        "cases_sha256", "models",
    ]  # fmt: skip
    assert list(ranking["models"][0]) == [
        "model", "provider", "params", "structured_output", "server", "rank", "accuracy", "ci95",
        "reproducibility", "runs", "replies", "status",
    ]  # fmt: skip
    rows = [
        (row["model"], row["rank"], row["runs"], row["replies"], row["status"]) for row in ranking["models"]
    ]
    assert rows == [
        ("a", [1, 2], 1, 5, "complete"),
        ("b", [1, 2], 2, 10, "complete"),
        ("c", [3, 3], 1, 5, "complete"),
        ("c", None, 1, 1, "partial"),
    ]


def test_show_json_of_all_leaderboards_is_a_list(
    evalcli: Evalcli, write: Callable[..., Path], tmp_path: Path
) -> None:
    write("memo", 1)
    write("note", 2, slug="note")
    told = json.loads(evalcli("leaderboard", "show", "--prompt-library", tmp_path, "--json").out)
    assert [one["component"] for one in told] == ["memo", "note"]


def test_show_all_lists_the_runs_that_count_together(
    evalcli: Evalcli, make_record: MakeRecord, tmp_path: Path
) -> None:
    path = tmp_path / "leaderboard.json"
    write_leaderboard(path, _scored(make_record, 1, "a", [0.9] * 5), _scored(make_record, 2, "a", [0.7] * 5))
    lines = evalcli("leaderboard", "show", path, "--all").out.splitlines()
    assert [line.split()[:3] for line in lines[2:5]] == [
        ["1", "a", "0.800"], ["-", "a", "0.900"], ["-", "a", "0.700"],
    ]  # fmt: skip
    # Its status is that of the run; the id alone in its place was read as one.
    assert re.search(r"complete: run [0-9a-f-]{36}, ended 2026-01-05T09:00:01Z", lines[3])


def test_show_tells_of_runs_it_cannot_read(evalcli: Evalcli, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(encode_canonical({"schema_version": 1, "component": "x", "runs": [{"run_id": "new"}]}))
    ended = evalcli("leaderboard", "show", path)
    assert ended.code == 0
    assert "1 run of another evaluator" in ended.err
