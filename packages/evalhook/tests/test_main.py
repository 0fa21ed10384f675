"""The command line: what it prints, how it exits, and that a mistake is one line."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from evalhook import main
from evalhook.jobs import JobError, JobResult, Progress
from evalhook.web.schemas import JobView


def job(**changes: object) -> JobView:
    values = {
        "job_id": "job", "skill_name": "memo", "replicates": 1, "git_sha": None, "prompt_commit": "a" * 40,
        "dataset_commit": None, "status": "completed", "created_at": "t", "started_at": "t",
        "finished_at": "t", "progress": Progress(), "result": None, "error": None,
    }  # fmt: skip
    return JobView(**values | changes)


@pytest.mark.parametrize(
    ("shown", "printed", "code"),
    [
        (
            job(result=JobResult("https://github.example/pull/7", "b", ())),
            "https://github.example/pull/7\n",
            0,
        ),
        (job(result=JobResult(None, "main", ())), "main\n", 0),
        (job(), "nothing was left to commit back\n", 0),
        (job(status="failed", error=JobError("x", "refused")), "evalhook: refused\n", 1),
    ],
)
def test_publish_prints_where_results_are_or_why_not(
    monkeypatch: pytest.MonkeyPatch, shown: JobView, printed: str, code: int
) -> None:
    monkeypatch.setattr("evalhook.commands.publish.publish_by_hand", lambda *_: shown)
    result = CliRunner().invoke(main.cli, ["publish", "job"])
    assert (result.output, result.exit_code) == (printed, code)


def test_a_wrong_setting_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.environ", {"EVALHOOK_BIND": "nowhere"})
    monkeypatch.setattr("sys.argv", ["evalhook", "serve"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 2
    line = capsys.readouterr().err
    assert line.startswith("evalhook: EVALHOOK_BIND")
    assert line.count("\n") == 1


def test_help_loads_neither_the_server_nor_githubs_client() -> None:
    code = "import sys, evalhook.main; print(sorted({'litestar', 'uvicorn', 'github'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
