"""What the tests of all packages need made: repositories, components, cases, plans, replies, records.

Each factory makes something valid; a test names the fields it is about and leaves the others alone. The
values are checked as those of a file are: a component or a record that could not exist raises
msgspec.ValidationError.
"""

from __future__ import annotations

import asyncio
import fcntl
import heapq
import json
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ruamel.yaml import YAML

from evalcore.clients.interface import SubmittedBatch
from evalcore.clients.reply import Reply
from evalcore.decoding import convert
from evalcore.formats.strict_json import sha256_hex
from evalcore.git.clone import Clone
from evalcore.git.commits import commit_files
from evalcore.ids import uuid7
from evalcore.library.component import Case, Component
from evalcore.library.models import Model, ModelsFile, Provider
from evalcore.publishing.committer import Committer
from evalcore.publishing.pull_request import PullRequestOptions
from evalcore.runs.leaderboard import encode_leaderboard, leaderboard_of
from evalcore.runs.plan import JobPlan, RunPlan
from evalcore.runs.record import RunRecord
from evalcore.structs import Frozen, JsonValue
from evalsim.library import git_environment

Result = TypeVar("Result")

SHA = "0" * 64
"""A SHA-256, where any will do."""
COMMIT = "0123456789abcdef" * 2 + "01234567"
"""A commit's id, where any will do."""
MOMENT = "2026-01-05T09:00:00.000Z"
"""When what is made began and ended."""
REPOSITORY = "acme/prompt-library"
"""A repository on the simulated GitHub."""
GITHUB_TOKEN = "ghp_canary_7f3a9b2c4d5e6f708192a3b4c5d6e7f8"  # noqa: S105 - a made-up one, to be looked for
"""A token of the simulated GitHub, unlike all other text, so that a test sees where it is shown."""


class Clock:
    """Time that passes when everybody sleeps: `sleep` and `now` stand in for a program's own."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds of this clock."""
        future = asyncio.get_running_loop().create_future()
        self._count += 1
        # The count decides between equal moments: who slept first wakes first, and futures have no order.
        heapq.heappush(self._sleepers, (self.now + seconds, self._count, future))
        await future

    async def run(self, *tasks: asyncio.Task[Result]) -> list[Result]:
        """See tasks through, time passing whenever nobody has anything else to do."""
        while not all(task.done() for task in tasks):
            # So many turns of the loop, for tasks that wake each other, before nobody has anything to do.
            for _ in range(10):
                await asyncio.sleep(0)
            if self._sleepers and not all(task.done() for task in tasks):
                # Straight to the next sleeper's moment: hours of waiting take no time.
                self.now, _, future = heapq.heappop(self._sleepers)
                if not future.done():
                    future.set_result(None)
        return [task.result() for task in tasks]


class Hold:
    """A simulated latency: it lets so many calls pass at once, and holds all others until it is opened."""

    def __init__(self, passing: int) -> None:
        self.is_held = threading.Event()
        """Set once a call is held."""
        self._left = passing
        self._opened: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def sleep(self, seconds: float) -> None:
        """Stand in for asyncio.sleep."""
        del seconds
        self._left -= 1
        if self._left >= 0:
            return
        self._loop = asyncio.get_running_loop()
        self._opened = self._opened or asyncio.Event()
        self.is_held.set()
        await self._opened.wait()

    def open(self) -> None:
        """Let everything pass from now on; from any thread."""
        if self._loop is not None and self._opened is not None:
            self._loop.call_soon_threadsafe(self._opened.set)


class MemoryBatchStore:
    """Holds in memory what was submitted as batches."""

    def __init__(self) -> None:
        self.submitted: list[SubmittedBatch] = []

    def batches(self, provider: str) -> tuple[SubmittedBatch, ...]:
        """Return all of them, for whatever provider: a test has one."""
        del provider
        return tuple(self.submitted)

    def add(self, provider: str, submitted: SubmittedBatch) -> None:
        """Note one."""
        del provider
        self.submitted.append(submitted)


def git(folder: Path, *arguments: str, stdin: bytes | None = None) -> str:
    """Run git in `folder`, apart from the configuration of whoever runs the tests; give what it printed.

    Author and dates are fixed, so that the same commands make the same commits. Raises
    subprocess.CalledProcessError, with git's words as bytes in `stderr`, where git fails.
    """
    done = subprocess.run(
        ["git", "-C", os.fspath(folder), *arguments],  # noqa: S607 - git is found as the user finds it
        env=git_environment(),
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        check=True,
        timeout=60,
    )
    return done.stdout.decode().strip()


def commit_file(clone: Clone, parent: str, path: str, data: bytes, message: str) -> str:
    """Make a commit on `parent` that sets one file, as `commit_files` does; gives its id."""
    return commit_files(clone, parent, {path: data}, message)


class TerminalRun(Frozen, frozen=True):
    """What a program wrote to a terminal, without its colours, and how it ended."""

    code: int
    out: str
    err: str
    """What it wrote to standard error, which was a file."""


def run_on_terminal(
    command: Sequence[str], columns: int, *, cwd: Path, environment: Mapping[str, str] | None = None
) -> TerminalRun:
    """Run a program on a pseudo-terminal of so many columns; its standard error goes to a file."""
    reading_end, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    # The terminal says how wide it is; a variable, as test runners set for their workers, would win over it.
    given = os.environ | {"TERM": "xterm-256color"} | dict(environment or {})
    given = {name: value for name, value in given.items() if name not in {"COLUMNS", "LINES"}}
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=given,
            stdin=terminal,
            stdout=terminal,
            stderr=errors,
        )
        # Ours: while it is open, the end of the program would not be the end of what can be read.
        os.close(terminal)
        written = _read_to_the_end(reading_end)
        code = process.wait(timeout=60)
        errors.seek(0)
        err = errors.read().decode()
    out = re.sub(r"\x1b\[[0-9;]*m", "", written.decode()).replace("\r\n", "\n")
    return TerminalRun(code, out, err)


def _read_to_the_end(descriptor: int) -> bytes:
    written = bytearray()
    try:
        while part := os.read(descriptor, 65536):
            written += part
    except OSError:  # EIO, which Linux gives where the last program has closed the terminal
        pass
    finally:
        os.close(descriptor)
    return bytes(written)


def make_component(slug: str = "memo", **fields: object) -> Component:
    """Make a component that answers with a JSON object and has neither schema nor scoring policy."""
    prompt = fields.get("prompt", "Answer.")
    values = {
        "slug": slug,
        "name": slug,
        "version": "1.0.0",
        "category": None,
        "prompt": prompt,
        "prompt_sha256": sha256_hex(str(prompt).encode()),
        "output": "json_object",
        "schema": None,
        "schema_sha256": None,
        "policy": None,
        "policy_where": None,
        "policy_sha256": None,
    }
    return convert(values | fields, Component)


def make_case(name: str = "one", expected: JsonValue = "{}", **fields: object) -> Case:
    """Make a case of the prompt library; what is expected is text, or a value that becomes JSON."""
    text = expected if isinstance(expected, str) else json.dumps(expected)
    values: dict[str, object] = {"name": name, "input": "?", "expected": text} | fields
    contents = f"{values['input']}\0{values['expected']}"
    return convert({"sha256": sha256_hex(contents.encode())} | values, Case)


def make_provider(name: str = "mindrouter") -> Provider:
    """Make a provider that asks for no key, at an address where nothing listens."""
    return Provider(name=name, api="openai", base_url="http://127.0.0.1:1", api_key_env=None)


def make_models_file(*ids: str, provider: str = "mindrouter") -> ModelsFile:
    """Make what a models file says, of models of one provider."""
    models = tuple(Model(id=name, provider=provider) for name in ids)
    return ModelsFile(providers={provider: make_provider(provider)}, models=models)


def make_job_plan(**fields: object) -> JobPlan:
    """Make the plan of a job: one component, one case, one model, two replicates of each call."""
    values = {
        "job_id": "job",
        "origin": "vm",
        "component": make_component(),
        "cases": (make_case(),),
        "skipped_cases": (),
        "models": (Model(id="alpha", provider="mindrouter"),),
        "providers": {"mindrouter": make_provider()},
        "replicates": 2,
        "prompt_commit": None,
        "dataset_commit": None,
    }
    return convert(values | fields, JobPlan)


def make_run_plan(**fields: object) -> RunPlan:
    """Make the plan of one model's run in such a job."""
    values = {
        "run_id": uuid7(1, bytes(10)),
        "job_id": "job",
        "origin": "local",
        "component": make_component(),
        "cases": (make_case(),),
        "skipped_cases": (),
        "model": Model(id="alpha", provider="mindrouter"),
        "provider": make_provider(),
        "server": {},
        "replicates": 2,
        "prompt_commit": None,
        "dataset_commit": None,
    }
    return convert(values | fields, RunPlan)


def make_reply(case: str = "one", replicate: int = 0, text: str | None = "{}", **fields: object) -> Reply:
    """Make the reply to one call: answered at once, without an error, within one second."""
    values = {
        "case": case,
        "replicate": replicate,
        "request_id": f"{case}-{replicate}",
        "request_sha256": SHA,
        "text": text,
        "finish_reason": "stop",
        "usage": {"prompt": 1, "completion": 2},
        "started_at": MOMENT,
        "finished_at": "2026-01-05T09:00:01.000Z",
        "latency_ms": 1000.0,
        "attempts": 1,
    }
    return convert(values | fields, Reply)


def make_record(number: int = 1, *, mean: float | None = 0.9, **fields: object) -> RunRecord:
    """Make the record of the run of that number: complete, one case, one replicate, all right but `mean`.

    Runs of a higher number have a later id and ended later.
    """
    values: dict[str, object] = {
        "run_id": uuid7(number, bytes(10)),
        "job_id": uuid7(0, bytes(10)),
        "origin": "vm",
        "component_version": "1.0.0",
        "prompt_commit": None,
        "prompt_sha256": "a" * 64,
        "dataset_commit": None,
        "schema_sha256": None,
        "policy_sha256": None,
        "cases_sha256": "b" * 64,
        "model": "alpha",
        "provider": "mindrouter",
        "params": {},
        "structured_output": "none",
        "server": {},
        "evaluator_version": "0.1.0",
        "scoring_version": 1,
        "replicates": 1,
        "cases": 1,
        "skipped_cases": [],
        "case_results": [
            {
                "case": "one",
                "sha256": "c" * 64,
                "validated_against_version": None,
                "scores": [mean],
                "reproducibility": None,
            }
        ],
        "started_at": "2026-01-05T09:00:00Z",
        "finished_at": f"2026-01-05T09:{number // 60 % 60:02d}:{number % 60:02d}Z",
        "status": "complete",
        "calls": {"total": 1, "ok": 1, "api_error": 0, "parse_error": 0, "truncated": 0},
        "accuracy": {"mean": mean, "ci95": None, "anls_star": mean, "by_field": {}},
        "reproducibility": {"mean": None, "ci95": None, "identical_rate": None, "by_field": {}},
        "schema_valid_rate": None,
        "latency_ms": {"p50": 10.0, "p95": 20.0},
        "tokens": {"prompt": None, "completion": None},
        "cost_usd": None,
    }
    return convert(values | fields, RunRecord)


def make_scored_record(number: int, scores: Sequence[float], **fields: object) -> RunRecord:
    """Make the record of a run whose one case has these scores, one for each replicate."""
    case = {
        "case": "one",
        "sha256": "c" * 64,
        "validated_against_version": None,
        "scores": scores,
        "reproducibility": None,
    }
    values = {"case_results": [case], "replicates": len(scores)}
    return make_record(number, mean=sum(scores) / len(scores), **values | fields)


def make_committer(clone: Clone, **values: Any) -> Committer:  # noqa: ANN401 - each as Committer has it
    """Make what commits results back to `clone`, by pull requests on no GitHub unless `values` say otherwise.

    The options of its pull requests are given by their own names.
    """
    names = PullRequestOptions.__struct_fields__
    options = PullRequestOptions(**{name: values.pop(name) for name in names if name in values})
    return Committer(clone, **({"mode": "pr", "github": None, "options": options} | values))


def write_component(
    library: Path,
    slug: str = "memo",
    *,
    prompt_file: str = "---\nname: Memo\nversion: 1.0.0\n---\n## Prompt\nAnswer.\n",
    schema: JsonValue = None,
    cases: Mapping[str, JsonValue] | None = None,
) -> Path:
    """Write a component into a prompt library on disk, with its cases by name and what each expects.

    Gives the component's folder. Without a schema the catalog or an expected file must say what it answers.
    """
    folder = library / "components" / slug
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prompt.md").write_text(prompt_file, "utf-8")
    if schema is not None:
        (folder / "schema.json").write_text(json.dumps(schema), "utf-8")
    for name, expected in (cases or {}).items():
        place = folder / "evals" / "cases" / name
        place.mkdir(parents=True, exist_ok=True)
        (place / "input.md").write_text(f"input of {name}", "utf-8")
        (place / "expected.json").write_text(json.dumps(expected), "utf-8")
    return folder


def write_leaderboard(path: Path, *records: RunRecord, slug: str = "memo") -> Path:
    """Write a component's leaderboard of these records to `path`, and the folders above it; give `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_leaderboard(leaderboard_of(slug, records)))
    return path


class StepRun(Frozen, frozen=True):
    """How a step of a workflow ended, and what it handed on."""

    code: int
    output: str
    """Both streams, as the runner's log shows them."""
    summary: str
    outputs: dict[str, str]

    @property
    def commands(self) -> list[str]:
        """The lines of the log that the runner would obey."""
        lines = self.output.splitlines()
        return [line for line in lines if line.lstrip().startswith("::") or "##[" in line]


def workflow_step(workflow: Path, job: str, name: str = "") -> dict[str, Any]:
    """Return a step of a job, by its name; the only one that runs a script where none is given."""
    steps = YAML(typ="safe").load(workflow)["jobs"][job]["steps"]
    (found,) = [step for step in steps if "run" in step and name in {"", step.get("name")}]
    return dict(found)


def run_workflow_step(
    step: Mapping[str, Any],
    expressions: Mapping[str, str],
    *,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
) -> StepRun:
    """Run a step's script in bash as GitHub's runner does, each expression of its variables replaced.

    `environment` is what the runner sets besides. Raises KeyError for an expression that is not given.
    """
    files = {name: cwd / f".{name.lower()}" for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for file in files.values():
        file.write_text("")
    # GitHub puts expressions in before bash sees the script; those of `env` never become a part of it.
    variables = {
        name: re.sub(r"\$\{\{ (.*?) \}\}", lambda found: expressions[found[1]], str(value))
        for name, value in step.get("env", {}).items()
    }
    script = cwd / ".script.sh"
    script.write_text(step["run"])
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", os.fspath(script)],  # noqa: S607 - the user's
        env={
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": os.fspath(cwd),
            "TMPDIR": os.fspath(cwd),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            **{name: os.fspath(file) for name, file in files.items()},
            **(environment or {}),
            **variables,
        },
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=110,
    )
    outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
    summary = files["GITHUB_STEP_SUMMARY"].read_text()
    return StepRun(done.returncode, done.stdout.decode(), summary, outputs)
