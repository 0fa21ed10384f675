"""The demo as its user runs it: a command, its exit code, its lines, and nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "evalsim.main", "demo"]
SECONDS = 30
"""What `make demo` may take."""


def run_demo(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the demo with its temporary files in `folder`, as a script would: no terminal, no input."""
    return subprocess.run(
        [*COMMAND, *options],
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=2 * SECONDS,
        check=False,
    )


def environment(folder: Path) -> dict[str, str]:
    """The user's environment with nothing that the demo could lean on: no keys, no proxy, no home."""
    return {"PATH": os.environ["PATH"], "TMPDIR": str(folder), "HOME": str(folder), "LANG": "C.UTF-8"}


def accuracies(output: str) -> list[float]:
    """The accuracy column of the table's ranked rows."""
    row = r"^\s*\d(?:–\d)?\s+\S+/\S+\s+(\d+\.\d)\s"
    return [float(value) for value in re.findall(row, output, re.MULTILINE)]


def test_a_request_becomes_a_scored_leaderboard_on_main(tmp_path):
    done = run_demo(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    seconds = re.search(r"Done in (\d+) s", done.stdout)
    assert seconds is not None
    assert int(seconds[1]) <= SECONDS
    for line in (
        "GET /health answers 200",
        "202 Accepted: job ",
        "eval(award-notice-terms): 1.2.0, 4 models",
        "automerge, eval-results",
        "changes the leaderboard and nothing else",
        "GitHub merged pull request #1",
        "holds the 4 records",
    ):
        assert line in done.stdout
    found = accuracies(done.stdout)
    assert len(found) == 4
    assert found[0] - found[-1] > 20, "the models differ visibly"
    assert "\x1b" not in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("skill", ["award-notice-review", "deadline-calendar"])
def test_every_component_of_the_sample_can_be_shown(tmp_path, skill):
    done = run_demo(tmp_path, "--skill", skill, "--replicates", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"components/{skill}/leaderboard.json" in done.stdout


def test_markdown_is_shown_too_and_everything_is_kept_where_it_says(tmp_path):
    done = run_demo(tmp_path, "--skill", "expense-memo", "--replicates", "1", "--keep")
    assert done.returncode == 0, done.stdout + done.stderr
    kept = re.search(r"Everything is kept in (\S+)", done.stdout)
    assert kept is not None
    assert (Path(kept[1]) / "service.log").is_file()
    assert list((Path(kept[1]) / "state" / "runs").glob("*/replies.jsonl"))


def test_an_unknown_component_is_one_line_and_exit_code_2(tmp_path):
    done = run_demo(tmp_path, "--skill", "expense-mema")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "expense-memo" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_demo_leaves_nothing_behind(tmp_path):
    with subprocess.Popen(
        [*COMMAND, "--replicates", "100"],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert any("202 Accepted" in line for line in process.stdout)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert "interrupted" in errors
    assert list(tmp_path.iterdir()) == []


@pytest.mark.corpus
def test_a_library_of_the_users_is_shown_and_not_touched(tmp_path, shared_dir):
    library = shared_dir / "prompt-library"
    before = {path: path.stat().st_mtime_ns for path in library.rglob("*")}
    options = ("--prompt-library", str(library), "--skill", "document-type-classifier-udm")
    done = run_demo(tmp_path, *options, "--replicates", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "holds the 4 records" in done.stdout
    assert {path: path.stat().st_mtime_ns for path in library.rglob("*")} == before


@pytest.mark.corpus
def test_a_component_whose_cases_have_no_inputs_is_told(tmp_path, shared_dir):
    done = run_demo(
        tmp_path, "--prompt-library", str(shared_dir / "prompt-library"), "--skill", "rfp-extraction-udm"
    )
    assert done.returncode == 2
    assert "rfp-extraction-udm" in done.stderr
    assert "NSF_26-508" in done.stderr
    assert "Traceback" not in done.stderr
