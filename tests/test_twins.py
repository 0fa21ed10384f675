"""The service and the command line are twins: the same question gives the same record."""

import json
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from msgspec import structs

from evalhook.app import create_app
from evalhook.config.settings import read_settings
from evalsim.library import as_git, write_sample_data_sets, write_sample_library
from evalsim.mindrouter import AnswerBook, SimulatedMindRouter, default_config
from evalsim.serving import running

TOKEN = "a-token-of-at-least-thirty-two-characters"
KEY = "mr2_" + "k" * 30
SKILL = "award-notice-terms"
OWN = {
    "run_id",
    "job_id",
    "origin",
    "started_at",
    "finished_at",
    "latency_ms",
    "plan_sha256",
    "replies_sha256",
}
"""What is of one run alone. All else follows from the question and the answers."""
MODELS = """\
models:
  - {id: openai/gpt-oss-120b, provider: mindrouter, structured_output: json_schema, params: {seed: 7}}
  - {id: ibm/granite-4-tiny, provider: mindrouter, params: {seed: 11, temperature: 0.4}, stream: false}
"""
ENDED = {"completed", "failed", "cancelled"}


@pytest.fixture
def place(tmp_path):
    """A prompt library and data sets as git repositories, and a MindRouter whose answers follow the seed."""
    library, data_sets = tmp_path / "library", tmp_path / "data-sets"
    write_sample_library(library)
    write_sample_data_sets(data_sets)
    (library / ".evaluator" / "models.yaml").write_text(MODELS, "utf-8")
    as_git(library)
    as_git(data_sets)
    book = AnswerBook.from_folders([library, data_sets])
    simulated = SimulatedMindRouter(structs.replace(default_config(), keys=(KEY,)), book)
    with running(simulated) as url:
        yield tmp_path, url


def by_the_service(folder: Path, mindrouter: str) -> list[dict]:
    settings = read_settings(
        {
            "MINDROUTER_EVAL_WEBHOOK_TOKEN": TOKEN,
            "MINDROUTER_BASE_URL": mindrouter,
            "MINDROUTER_API_KEY": KEY,
            "EVALHOOK_PROMPT_LIBRARY": str(folder / "clones" / "library"),
            "EVALHOOK_PROMPT_LIBRARY_URL": str(folder / "library"),
            "EVALHOOK_DATA_SETS": str(folder / "clones" / "data-sets"),
            "EVALHOOK_DATA_SETS_URL": str(folder / "data-sets"),
            "EVALHOOK_STATE_DIR": str(folder / "state"),
            "EVALHOOK_COMMIT_BACK": "none",
        }
    )
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with ExitStack() as stack:
        url = stack.enter_context(running(create_app(settings)))
        client = stack.enter_context(httpx.Client(base_url=url, headers=headers, timeout=45))
        accepted = client.post("/evaluate", json={"skill_name": SKILL, "replicates": 3})
        assert accepted.status_code == 202, accepted.text
        deadline = time.monotonic() + 60
        while (job := client.get(accepted.headers["Location"]).json())["status"] not in ENDED:
            assert time.monotonic() < deadline, job
            time.sleep(0.05)
        assert job["status"] == "completed", job
    return [json.loads(path.read_bytes()) for path in (folder / "state").glob("runs/*/record.json")]


def by_the_command(folder: Path, mindrouter: str) -> list[dict]:
    evalcli = str(Path(sys.executable).with_name("evalcli"))
    command = [evalcli, "evaluate", SKILL, "--replicates", "3", "--json"]
    command += ["--prompt-library", str(folder / "library"), "--data-sets", str(folder / "data-sets")]
    command += ["--no-leaderboard", "--runs-dir", str(folder / "runs")]
    environment = {"MINDROUTER_BASE_URL": mindrouter, "MINDROUTER_API_KEY": KEY, "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=90)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def comparable(records: list[dict]) -> dict[str, dict]:
    return {
        record["model"]: {name: value for name, value in record.items() if name not in OWN}
        for record in records
    }


def test_the_service_and_the_command_line_record_the_same(place):
    folder, mindrouter = place
    served = comparable(by_the_service(folder, mindrouter))
    called = comparable(by_the_command(folder, mindrouter))
    assert served.keys() == called.keys() == {"openai/gpt-oss-120b", "ibm/granite-4-tiny"}
    assert json.dumps(served, sort_keys=True) == json.dumps(called, sort_keys=True)
