from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalsim.testing import write_leaderboard

Evalcli = Callable[..., Any]


@pytest.fixture
def show(evalcli: Evalcli, make_record: Callable[..., Any], tmp_path: Path) -> Callable[..., str]:
    path = tmp_path / "components" / "memo" / "leaderboard.json"
    write_leaderboard(
        path,
        make_record(1, model="a|b"),
        make_record(2, model="=cmd()", status="partial"),
        make_record(3, model="a|b", policy_sha256="1" * 64),
    )

    def run(*options: str) -> str:
        ended = evalcli("leaderboard", "show", "memo", "--prompt-library", tmp_path, *options)
        assert ended.code == 0
        text: str = ended.out
        return text

    return run


def test_csv_has_a_row_for_each_row_of_the_rankings(show: Callable[..., str]) -> None:
    rows = list(csv.DictReader(io.StringIO(show("--format", "csv"))))
    rankings = json.loads(show("--format", "json"))["rankings"]
    assert len(rows) == sum(len(ranking["models"]) for ranking in rankings)
    assert {row["policy_sha256"] for row in rows} == {"", "1" * 64}
    # A spreadsheet must not run a model's name.
    assert {row["model"] for row in rows} == {"a|b", "'=cmd()"}


def test_every_run_has_its_id_and_date(show: Callable[..., str]) -> None:
    rows = list(csv.DictReader(io.StringIO(show("--format", "csv", "--all"))))
    runs = [row for row in rows if row["run_id"]]
    assert len(runs) == 3
    for form in ("table", "markdown"):
        text = show("--format", form, "--all")
        assert all(row["run_id"] in text and row["finished_at"][:10] in text for row in runs)


def test_markdown_is_a_table_that_names_cannot_break(show: Callable[..., str]) -> None:
    lines = show("--format", "markdown").splitlines()
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1
    assert any("`a¦b`" in line for line in lines)


def test_markdown_tells_a_model_s_pools_apart_and_counts_their_replies(
    evalcli: Evalcli, make_record: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "components" / "memo" / "leaderboard.json"
    write_leaderboard(path, *(make_record(at, model="m", params={"temperature": at}) for at in (1, 2)))
    text = evalcli("leaderboard", "show", "memo", "--prompt-library", tmp_path, "--format", "markdown").out
    assert "| Runs | Replies |" in text
    assert all(f"`m (temperature {at})`" in text for at in (1, 2))


def test_json_is_the_same_by_either_option(show: Callable[..., str]) -> None:
    assert show("--json") == show("--format", "json")


def test_a_ranking_says_which_cases_it_lacks_because_they_are_broken(
    evalcli: Evalcli, make_record: Callable[..., Any], tmp_path: Path
) -> None:
    skipped = [
        {"case": "half", "reason": "it: is not JSON", "broken": True},
        {"case": "stub", "reason": "it: has no input"},
    ]
    path = tmp_path / "leaderboard.json"
    write_leaderboard(path, make_record(1, skipped_cases=skipped))
    shown = evalcli("leaderboard", "show", path).out
    said = "1 case was broken and is left out, so the figures are of the others alone: half."
    assert f"When run on 2026-01-05, {said}" in shown
