"""docker/campaign.slurm, run by bash as Slurm runs it: how a worker's end, and Slurm's signals, are taken."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

WORKER = f"""#!{sys.executable}
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
print(*sys.argv[1:], os.environ["EVALCLI_CAMPAIGN_DATABASE"], flush=True)
if code := os.environ["ENDS_WITH"]:
    sys.exit(int(code))
signal.sigwait([signal.SIGTERM])
print("ended", flush=True)
sys.exit(130)
"""
"""In the place of evalcli: ends at once where it is told to, and otherwise when it is asked to."""
CONTROL = """#!/bin/bash
echo "scontrol $*"
"""
DATABASE = "postgresql://evaluator@database/campaigns"


@pytest.fixture
def script(project_root: Path) -> Path:
    return project_root / "docker/campaign.slurm"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (("evalcli", WORKER), ("scontrol", CONTROL)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    return {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "SLURM_ARRAY_JOB_ID": "70",
        "SLURM_ARRAY_TASK_ID": "3",
        "EVALCLI_CAMPAIGN_DATABASE": DATABASE,
        "PROMPT_LIBRARY": "/shared/prompt-library",
        "RUNS_DIR": "/shared/runs",
        "ENDS_WITH": "",
    }


def started(script: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["bash", script], env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_what_slurm_is_told_stands_before_the_first_command(script: Path) -> None:
    lines = script.read_text().splitlines()
    first = next(number for number, line in enumerate(lines) if line and not line.startswith("#"))
    told = [line for line in lines[:first] if line.startswith("#SBATCH ")]
    assert len(told) == len(re.findall(r"^#SBATCH ", script.read_text(), re.MULTILINE))
    for option in ("--array=", "--requeue", "--signal=B:USR1@60", "--time="):
        assert any(line.startswith(f"#SBATCH {option}") for line in told), option


@pytest.mark.parametrize(("worker", "job"), [(0, 0), (3, 0), (2, 2), (1, 1)])
def test_a_job_ends_as_its_worker_but_nothing_left_to_do_is_no_failure(
    script: Path, environment: dict[str, str], worker: int, job: int
) -> None:
    process = started(script, {**environment, "ENDS_WITH": str(worker)})
    said, _ = process.communicate(timeout=30)
    where = "--prompt-library /shared/prompt-library --runs-dir /shared/runs"
    assert said == f"campaign worker {where} {DATABASE}\n"
    assert process.returncode == job


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGTERM])
def test_its_worker_ends_in_order_and_is_queued_once_more_where_only_its_time_is_up(
    script: Path, environment: dict[str, str], number: signal.Signals
) -> None:
    with started(script, environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("campaign worker")
        process.send_signal(number)
        said = process.stdout.read()
    queued = ["scontrol requeue 70_3"] if number is signal.SIGUSR1 else []
    assert said.splitlines() == ["ended", *queued]
    assert process.returncode == 130


@pytest.mark.parametrize("name", ["EVALCLI_CAMPAIGN_DATABASE", "PROMPT_LIBRARY", "RUNS_DIR"])
def test_without_a_setting_it_says_which(script: Path, environment: dict[str, str], name: str) -> None:
    del environment[name]
    process = started(script, environment)
    said, why = process.communicate(timeout=30)
    assert said == ""
    assert f"{name}: set it to" in why
    assert process.returncode != 0


def test_evalcli_takes_its_words(script: Path, environment: dict[str, str], tmp_path: Path) -> None:
    library = tmp_path / "library"
    (library / "components").mkdir(parents=True)
    (library / ".evaluator").mkdir()
    (library / ".evaluator/models.yaml").write_text("models:\n- {id: some/model, provider: mindrouter}\n")
    (tmp_path / "bin/evalcli").unlink()
    environment |= {
        "PATH": f"{Path(sys.executable).parent}:{environment['PATH']}",
        "EVALCLI_CAMPAIGN_DATABASE": f"sqlite:///{tmp_path}/campaigns.sqlite",
        "PROMPT_LIBRARY": str(library),
        "RUNS_DIR": str(tmp_path / "runs"),
        "MINDROUTER_BASE_URL": "http://127.0.0.1:9",
        "MINDROUTER_API_KEY": "key",
    }
    process = started(script, environment)
    _, why = process.communicate(timeout=60)
    assert process.returncode == 0, why
    assert "nothing is left to do" in why
