"""A prompt engineer's week, told by a real shell on a real terminal: every step, and what it says.

The gateway fails in every way that MindRouter does. The command line's waits pass faster, by `evalsim.hurry`;
the story itself waits for texts, never for time.
"""

from __future__ import annotations

import asyncio
import csv
import json
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path

import pytest

from evalsim.library import as_git, git_environment, write_sample_library
from evalsim.mindrouter import AnswerBook, Fault, SimConfig, SimModel, SimulatedMindRouter
from evalsim.serving import running
from evalsim.testing import git

SKILL = "award-notice-terms"
GOOD, POOR = "an-organisation/good-model-of-40-letters", "an-organisation/poor-model-of-40-letters"
ABSENT = "an-organisation/a-model-not-served-now-40"
KEY = "a-key-of-the-simulation-of-40-characters"
FACTOR = 20.0
PATIENCE_S = 150.0
"""How long a text may take to appear; only a story that hangs takes so long."""
PROMPT = re.compile(r"<<(\d+)>> $")
CONTROL = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[=>])")

REFUSALS = ("rate_limited", "no_capacity", "unsuitable", "unauthorized")
BEHIND = ("bad_gateway", "server_error", "backend_429")
CONNECTIONS = ("hang_up", "empty", "cut", "garbage", "no_choices")
ANSWERS = ("fenced", "prose", "think_tags", "truncated", "broken_json", "null_content", "no_usage")
MODELS = f"""\
# The models of this library.
models:
  - {{id: {GOOD}, provider: mindrouter, structured_output: json_schema}}
  - {{id: {POOR}, provider: mindrouter}}
"""
# A shell of its own session, whose terminal sends it Ctrl-C, as a terminal's window starts one.
SHELL = """\
import fcntl, os, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
"""


def flat(text: str) -> str:
    """Return a text as one line: where a terminal breaks lines is no matter."""
    return " ".join(text.split())


class Pace:
    """What the gateway's models take; from a call on they can be held, as long as the story needs."""

    def __init__(self) -> None:
        self.held = threading.Event()
        self._passing: int | None = None
        self._opened = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def wait(self, seconds: float) -> None:
        """Stand in for asyncio.sleep."""
        if self._passing is None:
            await asyncio.sleep(seconds / FACTOR)
            return
        self._passing -= 1
        if self._passing < 0:
            self._loop = asyncio.get_running_loop()
            self.held.set()
            await self._opened.wait()

    def hold_after(self, calls: int) -> None:
        """Let so many calls pass and hold the others."""
        self._passing = calls

    def open(self) -> None:
        """Let everything pass from now on."""
        self._passing = None
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._opened.set)


class Shell:
    """bash on a pseudo-terminal: keys go in, and what is seen is waited for."""

    def __init__(self, folder: Path, environment: dict[str, str], columns: int = 80) -> None:
        self._keys, terminal = pty.openpty()
        ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-c", SHELL],
            cwd=folder,
            env=environment | {"PS1": "<<$?>> ", "TERM": "xterm", "INPUTRC": "/dev/null"},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
        )
        os.close(terminal)
        self._seen = ""
        self.wait_for(PROMPT)
        self.run("bind 'set enable-bracketed-paste off'; bind 'set bell-style none'; PS1='<<$?>> '")

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._keys, keys.encode())

    def wait_for(self, wanted: str | re.Pattern[str]) -> str:
        """Read until a text stands there, and return all that was read; it is not seen again."""
        pattern = re.compile(re.escape(wanted)) if isinstance(wanted, str) else wanted
        until = time.monotonic() + PATIENCE_S
        while not pattern.search(self._seen):
            ready, _, _ = select.select([self._keys], [], [], max(0.0, until - time.monotonic()))
            assert ready, f"{pattern.pattern!r} never came:\n{self._seen}"
            written = os.read(self._keys, 65536).decode(errors="replace")
            self._seen = CONTROL.sub("", self._seen + written).replace("\r\n", "\n")
        seen, self._seen = self._seen, ""
        return seen

    def ended(self, code: int) -> str:
        """Wait for the prompt, and return what was read up to it; the command must have ended so."""
        seen = self.wait_for(PROMPT)
        found = PROMPT.search(seen)
        assert found is not None
        assert int(found[1]) == code, seen
        return seen[: found.start()]

    def run(self, line: str, code: int = 0) -> str:
        """Enter a line, and return all that it shows."""
        self.type(f"{line}\n")
        return self.ended(code)

    def close(self) -> None:
        """End the shell."""
        os.close(self._keys)  # hangs up
        self._process.wait(timeout=PATIENCE_S)


class Week:
    """The library, the gateway, and the shell between them."""

    def __init__(self, library: Path, mindrouter: SimulatedMindRouter, pace: Pace, shell: Shell) -> None:
        self.library = library
        self.mindrouter = mindrouter
        self.pace = pace
        self.shell = shell
        self.component = library / "components" / SKILL

    def evalcli(self, line: str, code: int = 0) -> str:
        """Run a command line of evalcli, and return what it shows, as one line."""
        return flat(self.shell.run(f"evalcli {line}", code))

    def fail(self, *kinds: str, model: str = GOOD, times: int = 1) -> None:
        """Let the gateway fail in these ways."""
        self.mindrouter.faults.add(Fault(kind=kind, model=model, times=times, seconds=1.0) for kind in kinds)

    def run_of(self, model: str) -> str:
        """Return the id of a model's newest run."""
        runs = self.library / ".evaluator" / "runs"
        plans = [json.loads(plan.read_bytes()) for plan in runs.glob("*/run.json")]
        return max(str(plan["run_id"]) for plan in plans if plan["model"]["id"] == model)

    def bump(self, version: str, to: str) -> None:
        """Raise the prompt's version, with a changed text."""
        prompt = self.component / "prompt.md"
        text = prompt.read_text().replace(f"version: {version}", f"version: {to}")
        prompt.write_text(f"{text}\nBe brief.\n")
        self.commit(f"Raise the version to {to}")

    def commit(self, message: str) -> None:
        """Commit everything."""
        git(self.library, "add", "--all")
        git(self.library, "commit", "--quiet", "-m", message)


@pytest.fixture
def week(tmp_path: Path) -> Iterator[Week]:
    library = tmp_path / "prompt-library"
    write_sample_library(library)
    (library / ".evaluator" / "models.yaml").write_text(MODELS)
    as_git(library)
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "evalcli"
    program.write_text(
        f"#!{sys.executable}\nfrom evalsim.hurry import hurry\nhurry({FACTOR})\n"
        "from evalcli.main import main\nmain()\n"
    )
    program.chmod(0o755)
    pace = Pace()
    models = (
        SimModel(id=GOOD, quality=0.97, latency=0.001),
        SimModel(id=POOR, quality=0.5, noise=0.5, latency=0.001),
    )
    config = SimConfig(models=models, keys=(KEY,), breaker_seconds=1.0)
    mindrouter = SimulatedMindRouter(config, AnswerBook.from_folders([library]), sleep=pace.wait)
    with running(mindrouter) as url:
        own = git_environment() | {
            "MINDROUTER_BASE_URL": url,
            "MINDROUTER_API_KEY": KEY,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
        }
        kept = {
            name: value for name, value in own.items() if name not in {"COLUMNS", "LINES", "GITHUB_ACTIONS"}
        }
        shell = Shell(library, kept)
        yield Week(library, mindrouter, pace, shell)
        pace.open()
        shell.close()


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.timeout(900)
def test_a_week_with_the_command_line(week: Week) -> None:
    _look_around(week)
    _evaluate_with_a_gateway_that_fails_in_each_way(week)
    _wait_for_a_model(week)
    _interrupt_and_resume(week)
    _see_why_a_model_is_wrong(week)
    _score_by_hand(week)
    _change_the_policy(week)
    _hold_gates(week)
    _compare_versions_and_models(week)
    _resolve_a_conflict(week)
    _export(week)
    _complete_by_tab(week)


def _look_around(week: Week) -> None:
    listed = week.evalcli("list")
    assert SKILL in listed
    assert "2 of 3" in listed
    checked = week.evalcli("check")
    assert "0 errors" in checked
    policy = week.component / "evals" / "scoring.yaml"
    policy.write_text("fields:\n  total_obligatd: exact\n")
    wrong = week.evalcli(f"check {SKILL}", 1)
    assert "did you mean `total_obligated`?" in wrong
    policy.unlink()
    assert "did you mean `award-notice-terms` or" in week.evalcli("evaluate award-notice-term", 2)


def _evaluate_with_a_gateway_that_fails_in_each_way(week: Week) -> None:
    week.fail(*REFUSALS, *BEHIND, *CONNECTIONS, *ANSWERS, "content_refused")
    seen = week.evalcli(f"evaluate {SKILL} --replicates 20")
    causes = set(re.findall(rf"{GOOD}: ([^:;_]+); trying again in \d+ s", seen))
    assert len(causes) > len(BEHIND), causes  # what fails while all wait already is not said
    assert f"{GOOD}: a call failed: " in seen
    assert f"{GOOD}: complete, accuracy 0." in seen
    # A table of all columns is wider than the terminal: what is the same of both models is told once.
    assert "In every row: " in seen
    assert "status complete." in seen
    assert "no reply 1" in seen
    assert "2 runs are in components/award-notice-terms/leaderboard.json" in seen
    assert "to see what is wrong: `evalcli show 0" in seen
    week.commit("Evaluate award-notice-terms")


def _wait_for_a_model(week: Week) -> None:
    models = week.library / ".evaluator" / "models.yaml"
    models.write_text(f"{MODELS}  - {{id: {ABSENT}, provider: mindrouter}}\n")
    week.shell.type(f"evalcli evaluate {SKILL} --model {ABSENT} --replicates 1\n")
    week.shell.wait_for(f"waiting for {ABSENT}")
    waited = flat(week.shell.ended(3))
    assert f"{ABSENT}: skipped: mindrouter lists no backend for it now" in waited
    assert "no model is served now, so nothing was evaluated; `evalcli models check` says which are" in waited
    left = week.evalcli(f"evaluate {SKILL} --model {ABSENT} --replicates 1 --no-wait", 3)
    assert "waiting for" not in left
    checked = week.evalcli("models check", 1)
    assert "served no" in checked
    week.evalcli(f"models remove {ABSENT}")
    assert models.read_text() == MODELS


def _interrupt_and_resume(week: Week) -> None:
    week.pace.hold_after(8)
    week.shell.type(f"evalcli evaluate {SKILL} --replicates 6\n")
    assert week.pace.held.wait(PATIENCE_S)
    week.shell.type("\x03")
    seen = week.shell.ended(130)
    assert "every reply that came is kept; go on with:" in flat(seen)
    assert "Traceback" not in seen
    resume = re.search(r"go on with:\n\s+(evalcli evaluate \S+ --resume \S+)", seen)
    assert resume is not None, seen
    week.pace.open()
    resumed = flat(week.shell.run(resume[1]))
    assert "of them kept from before" in resumed
    # The times of calls may be alike as well, or not.
    assert re.search(r"In every row: calls 12, (p95 s [\d.]+, )?status complete\.", resumed), resumed


def _see_why_a_model_is_wrong(week: Week) -> None:
    shown = week.evalcli(f"show {SKILL}/{POOR} --wrong-only")
    assert f"award-notice-terms 1.2.0, {POOR}: run " in shown
    assert "instead of" in shown
    assert "= matched ~ nearly x wrong - missed + invented . not counted" in shown
    one = week.evalcli(f"show {week.run_of(POOR)[:18]} --case soil-carbon --worst 2")
    assert "case soil-carbon: accuracy" in one
    assert "coastal-sensors" not in one
    assert "did you mean `soil-carbon`?" in week.evalcli(f"show {SKILL} --case soil", 2)


def _score_by_hand(week: Week) -> None:
    expected = json.loads((week.component / "evals/cases/soil-carbon/expected.json").read_text())
    answer = week.library / "answer.json"
    answer.write_text(json.dumps(expected | {"sponsor": "Somebody Else"}))
    scored = week.evalcli(f"score {SKILL} --case soil-carbon answer.json")
    assert 'x sponsor: "Somebody Else" instead of "Prairie Agriculture Trust"' in scored
    replies = f".evaluator/runs/{week.run_of(POOR)}/replies.jsonl"
    refused = week.evalcli(f"score {SKILL} --case soil-carbon {replies}", 2)
    assert "holds the replies of a run, not one answer; `evalcli show" in refused
    answer.unlink()
    explained = week.evalcli(f"score explain {SKILL} --case soil-carbon")
    assert "total_obligated" in explained


def _change_the_policy(week: Week) -> None:
    (week.component / "evals" / "scoring.yaml").write_text("fields:\n  special_conditions: ignore\n")
    rescored = week.evalcli(f"rescore {week.run_of(GOOD)[:18]} --policy current")
    assert "scored by the component's present policy: an-organisation/" in rescored
    brought = week.evalcli(f"leaderboard rescore {SKILL} --policy current")
    assert "4 runs rescored, 0 by the present policy before, 0 without replies at hand" in brought
    ranked = week.evalcli(f"leaderboard show {SKILL}")
    # One ranking for each policy, each of both models.
    assert ranked.count("award-notice-terms 1.2.0: 2 cases") == 2
    week.commit("Leave special conditions out of the score")


def _hold_gates(week: Week) -> None:
    look = f"evaluate {SKILL} --scratch --case soil-carbon --replicates 1 --model {POOR}"
    unmet = week.evalcli(f"{look} --fail-under 1", 1)
    assert f"gate not met: accuracy below 1: {POOR} 0." in unmet
    assert "kept apart, in .evaluator/runs/scratch, and in no leaderboard" in unmet
    assert "gate not met" not in week.evalcli(f"{look} --fail-under 0")
    assert "lower limit of the accuracy below 1" in week.evalcli(f"{look} --fail-under-lower 1", 1)
    assert not git(week.library, "status", "--porcelain")


def _compare_versions_and_models(week: Week) -> None:
    week.bump("1.2.0", "1.3.0")
    week.fail("wrong_keys", times=60)
    week.evalcli(f"evaluate {SKILL} --replicates 20")
    week.mindrouter.faults.clear()
    compared = week.evalcli(f"compare {SKILL} --fail-on-regression", 1)
    assert "award-notice-terms 1.2.0 -> award-notice-terms 1.3.0" in compared
    assert f"{GOOD}: regression" in compared
    assert f"gate not met: regression of {GOOD}, accuracy -" in compared
    models = week.evalcli(f"compare --models {GOOD} {POOR} {SKILL}@1.2.0")
    assert f"{GOOD} -> {POOR}" in models
    assert "regression" in models
    assert "did you mean" in week.evalcli(f"compare --models {GOOD} poor-model {SKILL}", 2)
    week.commit("Ask for it in fewer words")


def _resolve_a_conflict(week: Week) -> None:
    git(week.library, "switch", "--quiet", "-c", "side")
    week.evalcli(f"evaluate {SKILL} --replicates 1 --model {GOOD}")
    week.commit("Evaluate on a side branch")
    git(week.library, "switch", "--quiet", "main")
    week.evalcli(f"evaluate {SKILL} --replicates 1 --model {GOOD}")
    week.commit("Evaluate on main")
    assert "CONFLICT" in week.shell.run("git merge --no-edit side", 1)
    unresolved = week.evalcli(f"leaderboard show {SKILL}", 2)
    assert "an unresolved merge" in unresolved
    assert "`evalcli leaderboard resolve award-notice-terms`" in unresolved
    assert "an unresolved merge" in week.evalcli("check", 1)
    assert "leaderboard.json: resolved, 12 runs" in week.evalcli(f"leaderboard resolve {SKILL}")
    week.shell.run("git commit --no-edit --quiet")
    assert "valid, 12 runs of award-notice-terms" in week.evalcli(f"leaderboard validate {SKILL}")


def _export(week: Week) -> None:
    week.evalcli(f"leaderboard show {SKILL} --format csv > ranking.csv")
    with (week.library / "ranking.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["model"] for row in rows} == {GOOD, POOR}
    assert f"| `{GOOD}` |" in week.evalcli(f"leaderboard show {SKILL} --format markdown")
    week.evalcli(f"leaderboard show {SKILL} --json > ranking.json")
    written = json.loads((week.library / "ranking.json").read_bytes())
    assert written["rankings"][0]["component_version"] == "1.3.0"
    runs = week.evalcli(f"runs {SKILL} --model {POOR}")
    assert len(re.findall(r"\b0[0-9a-f]{7}-[0-9a-f]+ ", runs)) == 3
    assert f"model {POOR}" in runs
    assert "folder" in runs.partition("Not shown, for want of room: ")[2]


def _complete_by_tab(week: Week) -> None:
    week.shell.run('eval "$(evalcli completion bash)"')
    for typed, offered in (
        ("evalcli leaderboard sh\t", "leaderboard show "),
        ("award-notice-t\t", f"{SKILL} "),
        ("--format c\t", "csv "),
    ):
        week.shell.type(typed)
        week.shell.wait_for(offered)
    week.shell.type("\n")
    assert f"{SKILL},1.3.0" in week.shell.ended(0)
    week.shell.type(f"evalcli show {SKILL}@1.2.0/an-organisation/p\t")
    week.shell.wait_for("poor-model-of-40-letters ")
    week.shell.type("--case so\t")
    week.shell.wait_for("soil-carbon ")
    # Taken back with keys: a signal may meet bash before it has done with completing.
    week.shell.type("\x15\n")
    week.shell.ended(0)
