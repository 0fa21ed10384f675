"""What people and programs read stays as it is: the whole output of the demo and of the command line.

Each file beside this one holds one output, with what differs from run to run (ids, times, ports, keyed
hashes) replaced by a placeholder. A change that is meant is written down with `EVALUATOR_GOLDEN=write` in
the environment, and its difference is read before it is committed.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from evalsim.mindrouter import AnswerBook, SimulatedMindRouter, default_config
from evalsim.serving import running

# One worker: the demo runs once for all of them.
pytestmark = pytest.mark.xdist_group("golden")
HERE = Path(__file__).parent
IS_WRITTEN = os.environ.get("EVALUATOR_GOLDEN") == "write"
SKILL = "award-notice-terms"
KEY = "mr2_" + "k" * 30
EVALCLI = (sys.executable, "-c", "from evalcli.main import main; main()")
CHANGING = (
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<id>"),
    (r"(?<=evalcli show )[0-9a-f-]+(?= )", "<id>"),
    (r"127\.0\.0\.1:\d+", "<address>"),
    (r"\bcase-[0-9a-f]{20}\b", "<case>"),
    (r"-\d{8}T\d{6}Z", "-<moment>"),
    (r" +\d+ ms\b", "  <latency>"),
    (r" +p50\n", "  p50\n"),
    (r"\b0\.\d\d(?= +\d+,\d{3})", "<hours>"),
    (r"\d+\.\d s(?= \|)", "<latency>"),
    (r"(?m)^   calls: (?!60 of).*\n", ""),
    (r"Done in \d+ s", "Done in <seconds>"),
    (r"(?m)(?<=git log      )[0-9a-f]{7}(?= (Merge|eval))", "<commit>"),
    (r"(?<=is at )[0-9a-f]{12}(?= and holds)", "<commit>"),
    (r"(?m)^\d+/\d+ calls, .* left.*\n", ""),
)
"""What differs from one run to the next, and what stands for it. All else must be the same."""
OF_ONE_RUN = {
    "run_id",
    "job_id",
    "started_at",
    "finished_at",
    "latency_ms",
    "rescored_from",
    "hours",
    "replies_sha256",
    "plan_sha256",
}


def normalised(text: str, folder: Path) -> str:
    text = text.replace(str(folder), "<folder>")
    for pattern, placeholder in CHANGING:
        text = re.sub(pattern, placeholder, text)
    return text


def without_what_changes(value: Any) -> Any:
    """A JSON value with a placeholder for each field that is of one run alone, and runs in a fixed order."""
    if isinstance(value, list):
        items = [without_what_changes(item) for item in value]
        by_model = all(isinstance(item, dict) and "model" in item for item in items)
        return sorted(items, key=lambda item: item["model"]) if by_model else items
    if isinstance(value, dict):
        kept = {key: without_what_changes(item) for key, item in value.items()}
        if str(kept.get("case", "")).startswith("case-"):
            # Both are hashes under a key that each service makes for itself.
            kept |= {"case": "<case>", "sha256": "<hash>"}
        return {key: "<of one run>" if key in OF_ONE_RUN else item for key, item in kept.items()}
    return value


def compare(name: str, text: str) -> None:
    path = HERE / name
    if IS_WRITTEN:
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a demo that has ended, and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    environment = {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(folder),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "COLUMNS": "100",
    }
    command = [sys.executable, "-m", "evalsim.main", "demo", "--keep"]
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (kept,) = folder.glob("evaluator-demo-*")
    return kept, done.stdout


@pytest.fixture(scope="module")
def library(demo: tuple[Path, str]) -> Path:
    """A checkout of the library with the results that the demo merged."""
    subprocess.run(["git", "checkout", "--quiet", "origin/main"], cwd=demo[0] / "reader", check=True)
    return demo[0] / "reader"


@pytest.fixture(scope="module")
def mindrouter(library: Path, demo: tuple[Path, str]) -> Iterator[str]:
    book = AnswerBook.from_folders([library, demo[0] / "evaluation-data-sets"])
    with running(SimulatedMindRouter(structs.replace(default_config(), keys=(KEY,)), book)) as url:
        yield url


def evalcli(library: Path, arguments: list[str], mindrouter: str = "http://127.0.0.1:9") -> str:
    """What a command says: its exit code, standard output and standard error."""
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "COLUMNS": "100"}
    environment |= {"MINDROUTER_BASE_URL": mindrouter, "MINDROUTER_API_KEY": KEY}
    environment["XDG_CACHE_HOME"] = str(library.parent / "cache")
    done = subprocess.run(
        [*EVALCLI, *arguments], cwd=library, env=environment, capture_output=True, text=True, check=False
    )
    return f"exit code {done.returncode}\n{done.stdout}--- standard error\n{done.stderr}"


def test_the_demo_says_what_it_said(demo: tuple[Path, str]) -> None:
    """With the pull request: its title, labels and body are in it."""
    compare("demo.txt", normalised(demo[1], demo[0]))


def test_the_leaderboard_holds_what_it_held(library: Path) -> None:
    text = (library / "components" / SKILL / "leaderboard.json").read_text("utf-8")
    value = without_what_changes(json.loads(text))
    compare("leaderboard.json", json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    assert text.startswith('{\n  "schema_version": 1,\n'), "the layout is the contract's"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("leaderboard-show", ["leaderboard", "show"]),
        ("leaderboard-validate", ["leaderboard", "validate", f"components/{SKILL}/leaderboard.json"]),
        ("leaderboard-rescore", ["leaderboard", "rescore", SKILL, "--runs-dir", "../state/runs"]),
        ("leaderboard-schema", ["leaderboard", "schema"]),
        ("models-list", ["models", "list"]),
        ("dry-run", ["evaluate", SKILL, "--dry-run"]),
        ("score-explain", ["score", "explain", SKILL]),
        ("compare-without-an-earlier-version", ["compare", SKILL]),
        ("unknown-component", ["evaluate", "award-notice-termz"]),
        ("unknown-option", ["evaluate", SKILL, "--replicatess", "3"]),
    ],
)
def test_a_command_says_what_it_said(
    demo: tuple[Path, str], library: Path, name: str, arguments: list[str]
) -> None:
    compare(f"{name}.txt", normalised(evalcli(library, arguments), demo[0]))


def test_rescored_runs_are_the_same_bytes(demo: tuple[Path, str], library: Path) -> None:
    runs = sorted((demo[0] / "state" / "runs").iterdir(), key=model_of)
    compare("rescore.txt", normalised(evalcli(library, ["rescore", *map(str, runs)]), demo[0]))


def model_of(run: Path) -> str:
    return str(json.loads((run / "run.json").read_bytes())["model"]["id"])


def test_an_evaluation_says_what_it_said(demo: tuple[Path, str], library: Path, mindrouter: str) -> None:
    """Lines of progress and p95 depend on the machine; the table, the order and the figures do not."""
    arguments = ["evaluate", SKILL, "--replicates", "2", "--no-leaderboard"]
    arguments += ["--data-sets", str(demo[0] / "evaluation-data-sets")]
    said = normalised(evalcli(library, arguments, mindrouter), demo[0])
    table, _, errors = said.partition("--- standard error\n")
    table = re.sub(
        r"(?m)(?<=\d)( +)\d+\.\d( +)(\d\.\d{4}|-)( +)(complete|partial)", r"\1<p95>\2\3\4\5", table
    )
    told = "\n".join(sorted(line for line in errors.splitlines() if "trying again" not in line))
    compare("evaluate.txt", f"{table}--- standard error, sorted\n{told}\n")


def test_the_providers_answer_what_they_answered(
    demo: tuple[Path, str], library: Path, mindrouter: str
) -> None:
    compare("models-check.txt", normalised(evalcli(library, ["models", "check"], mindrouter), demo[0]))
