"""`evalcli report`: in short on the terminal, in full in a folder, checked, and two side by side."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalcore.formats.strict_json import sha256_hex
from evalcore.runs.folder import REPLIES
from evalsim import testing

Evalcli = Callable[..., Any]
MakeRun = Callable[..., Path]
RIGHT = {"decision": "approve", "amount": 4125, "reasons": ["complete", "signed"]}
WRONG = {"decision": "reject", "amount": 4125, "reasons": ["signed", "late"]}


def test_in_short_it_shows_figures_bars_and_examples(
    evalcli: Evalcli, make_run: MakeRun, tmp_path: Path
) -> None:
    ended = evalcli("report", make_run([RIGHT, WRONG, RIGHT]))
    assert ended.code == 0, ended.err
    assert "3 of 3 calls gave an answer" in ended.out
    assert (
        "every leaf but prose right: 66.7 % of the replies, and all 3 of a case in 0.0 % of the cases"
        in ended.out
    )
    assert "accuracy per case, the worst first" in ended.out
    assert "document" not in ended.out
    assert f"the whole report: `evalcli report {tmp_path / 'runs'}" in ended.out
    assert "accuracy per field, the worst first" in ended.out
    assert "█" in ended.out
    assert 'answered "reject"' in ended.out


def test_in_full_it_writes_page_summary_and_charts(
    evalcli: Evalcli, make_run: MakeRun, tmp_path: Path
) -> None:
    run, out = make_run([RIGHT, WRONG]), tmp_path / "new" / "reports"
    ended = evalcli("report", run, "--out", out)
    assert ended.code == 0, ended.err
    (folder,) = out.iterdir()
    assert ended.out.strip() == str(folder / "REPORT.md")
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")}
    assert {"REPORT.md", "summary.json", "charts/coverage.svg", "charts/coverage.png"} <= names
    assert json.loads((folder / "summary.json").read_text())["run_name"] == folder.name


def test_the_same_run_gives_the_same_bytes(evalcli: Evalcli, make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run([RIGHT, WRONG])
    for name in ("a", "b"):
        assert evalcli("report", run, "--out", tmp_path / name).code == 0
    first, second = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        for name in ("a", "b")
    )
    assert first == second


def test_charts_are_svg_alone_where_no_png_is_wanted(
    evalcli: Evalcli, make_run: MakeRun, tmp_path: Path
) -> None:
    evalcli("report", make_run([RIGHT, WRONG]), "--out", tmp_path / "out", "--no-png")
    assert not list((tmp_path / "out").rglob("*.png"))
    assert list((tmp_path / "out").rglob("*.svg"))


def test_data_sets_cases_are_hashed_in_what_is_written_and_named_on_the_screen(
    evalcli: Evalcli, make_run: MakeRun, tmp_path: Path
) -> None:
    run = make_run([RIGHT, WRONG], cases=[testing.make_case("one", RIGHT, source="data_sets")])
    assert "one  " in evalcli("report", run).out
    evalcli("report", run, "--out", tmp_path / "out", "--no-png")
    (page,) = (tmp_path / "out").rglob("REPORT.md")
    text = page.read_text()
    assert "`one`" not in text
    assert "unpaired-" in text
    assert "reject" not in text


def test_a_report_is_checked_by_its_folder_its_summary_or_its_run(
    evalcli: Evalcli, make_run: MakeRun, tmp_path: Path
) -> None:
    run, out = make_run([RIGHT, WRONG]), tmp_path / "out"
    evalcli("report", run, "--out", out)
    (folder,) = out.iterdir()
    ended = evalcli("report", "--check", folder, folder / "summary.json")
    assert ended.code == 0, ended.err
    assert ended.out.count(": valid") == 2
    assert evalcli("report", "--check", run, "--out", out).code == 0


@pytest.mark.parametrize("altered", ["REPORT.md", "summary.json", "charts/coverage.svg"])
def test_a_report_that_is_not_its_runs_is_told_by_the_file(
    evalcli: Evalcli, make_run: MakeRun, tmp_path: Path, altered: str
) -> None:
    run, out = make_run([RIGHT, WRONG]), tmp_path / "out"
    evalcli("report", run, "--out", out)
    (folder,) = out.iterdir()
    (folder / altered).write_text((folder / altered).read_text() + " ")
    ended = evalcli("report", "--check", run, "--out", out)
    assert ended.code == 1
    assert f"{altered}: is not what the run gives" in ended.err


def test_a_summary_whose_counts_do_not_add_up_is_told_by_the_place(
    evalcli: Evalcli, make_run: MakeRun, tmp_path: Path
) -> None:
    evalcli("report", make_run([RIGHT, WRONG]), "--out", tmp_path / "out", "--no-png")
    (file,) = (tmp_path / "out").rglob("summary.json")
    value = json.loads(file.read_text())
    value["headline"]["n_success"] = 7
    file.write_text(json.dumps(value))
    ended = evalcli("report", "--check", file)
    assert ended.code == 1
    assert f"{file}: headline: " in ended.err
    assert ended.out == ""


def test_a_report_without_its_page_is_none(evalcli: Evalcli, make_run: MakeRun, tmp_path: Path) -> None:
    evalcli("report", make_run([RIGHT, WRONG]), "--out", tmp_path / "out", "--no-png")
    (page,) = (tmp_path / "out").rglob("REPORT.md")
    page.unlink()
    ended = evalcli("report", "--check", page.parent)
    assert (ended.code, "it has no REPORT.md" in ended.err) == (1, True)


def test_a_report_without_its_summary_cannot_be_checked(evalcli: Evalcli, tmp_path: Path) -> None:
    (tmp_path / "REPORT.md").write_text("# By hand")
    ended = evalcli("report", "--check", tmp_path)
    assert (ended.code, "it has no summary.json" in ended.err) == (1, True)


def test_two_runs_stand_side_by_side(evalcli: Evalcli, make_run: MakeRun, tmp_path: Path) -> None:
    before = make_run([RIGHT] * 5)
    after = make_run([WRONG] * 5, 2, component=testing.make_component(version="1.1.0"))
    ended = evalcli("report", "--compare", before, after)
    assert ended.code == 0, ended.err
    assert "memo: 1.0.0 -> 1.1.0" in ended.out
    assert "worse" in ended.out
    written = evalcli("report", "--compare", before, after, "--out", tmp_path / "out")
    assert written.out.strip() == str(tmp_path / "out" / "COMPARISON.md")
    assert "✓ as expected" in (tmp_path / "out" / "COMPARISON.md").read_text()


def test_runs_of_two_components_are_not_compared(evalcli: Evalcli, make_run: MakeRun) -> None:
    other = make_run([RIGHT], 2, component=testing.make_component("letter"))
    ended = evalcli("report", "--compare", make_run([RIGHT]), other)
    assert (ended.code, "two components" in ended.err) == (2, True)


def test_summaries_are_printed_as_json(evalcli: Evalcli, make_run: MakeRun) -> None:
    ended = evalcli("report", make_run([RIGHT, WRONG]), make_run([RIGHT], 2), "--json")
    assert ended.code == 0, ended.err
    assert [one["headline"]["n_success"] for one in json.loads(ended.out)] == [2, 1]


def test_the_schema_is_printed(evalcli: Evalcli) -> None:
    ended = evalcli("report", "--schema")
    assert ended.code == 0
    assert "schema_version" in json.loads(ended.out)["$defs"]["Summary"]["properties"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "no run is named"),
        (("--compare", "a", "b", "c"), "--compare takes two runs"),
        (("no-such-run",), "no run is"),
        (("--check", "no-such-run"), "no run is"),
        (("--json", "--check", "a"), "--json writes no report"),
        (("--json", "--compare", "a", "b"), "--compare takes two runs"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    evalcli: Evalcli, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "components").mkdir()
    ended = evalcli("report", *arguments, "--prompt-library", tmp_path)
    assert ended.code == 2
    assert said in ended.err
    assert len(ended.err.strip().splitlines()) == 1


def test_a_run_is_no_report_without_where_its_report_lies(evalcli: Evalcli, make_run: MakeRun) -> None:
    ended = evalcli("report", "--check", make_run([RIGHT]))
    assert (ended.code, "--out" in ended.err) == (2, True)


def test_altered_replies_make_no_report(evalcli: Evalcli, make_run: MakeRun) -> None:
    run = make_run([RIGHT, WRONG])
    (run / REPLIES).write_text((run / REPLIES).read_text().replace("reject", "reJect"))
    ended = evalcli("report", run)
    assert (ended.code, "not what they were" in ended.err) == (2, True)


def test_what_a_model_wrote_cannot_steer_the_terminal(evalcli: Evalcli, make_run: MakeRun) -> None:
    hostile = {"decision": "\x1b[31mred\x1b[0m", "amount": 1, "\x1b]0;x\x07key": "::error::"}
    ended = evalcli("report", make_run([hostile, RIGHT]))
    assert ended.code == 0
    assert "\x1b" not in ended.out
    assert not any(line.lstrip().startswith("::") for line in ended.out.splitlines())


def test_a_folder_that_cannot_be_made_is_one_line(
    evalcli: Evalcli, make_run: MakeRun, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    ended = evalcli("report", make_run([RIGHT]), "--out", tmp_path / "file" / "out")
    assert (ended.code, "cannot be made" in ended.err) == (2, True)


def test_nothing_of_drawing_is_loaded_for_the_terminal(make_run: MakeRun) -> None:
    import subprocess  # noqa: PLC0415

    code = f"""
import sys
from evalcli.exits import run
from evalcli.main import cli
run(cli, ["report", {str(make_run([RIGHT, WRONG]))!r}])
loaded = [name for name in ("resvg_py", "rich", "httpx", "asyncio") if name in sys.modules]
print(loaded, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip().endswith("[]")


def test_of_runs_by_two_policies_the_command_is_named_that_compares_by_one(
    evalcli: Evalcli, make_run: MakeRun
) -> None:
    text = "fields: {amount: ignore}"
    policy = {
        "policy": text, "policy_where": "scoring.yaml", "policy_sha256": sha256_hex(text.encode()),
    }  # fmt: skip
    before = make_run([RIGHT], 1)
    after = make_run([RIGHT], 2, component=testing.make_component(**policy))
    assert (
        f"`evalcli compare {before} {after}` is by one" in evalcli("report", "--compare", before, after).err
    )
    assert "by each run's own" not in evalcli("report", "--compare", before, before).err
