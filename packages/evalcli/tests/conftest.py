"""What the command line's tests share: run records, and a way to run a command line in this process."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from evalcli.exits import run
from evalcli.main import cli
from evalcore.clients.reply import Reply, Usage
from evalcore.effects import uuid7
from evalcore.library.component import Case, Component
from evalcore.library.models import Model, Provider
from evalcore.runs.folder import RunFolder
from evalcore.runs.plan import RunPlan, Server
from evalcore.runs.record import Accuracy, Calls, CaseResult, Latency, Reproducibility, RunRecord, Tokens
from evalcore.scoring.score_run import score_run
from evalcore.structs import Frozen, JsonValue


class Ended(Frozen, frozen=True):
    """How a command line ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def evalcli() -> Callable[..., Ended]:
    """Run `evalcli` on arguments, with its exit code and both streams."""

    def run_line(*arguments: object, **environment: str | None) -> Ended:
        @click.command(context_settings={"ignore_unknown_options": True})
        @click.argument("line", nargs=-1, type=click.UNPROCESSED)
        @click.pass_context
        def whole(context: click.Context, line: tuple[str, ...]) -> None:
            context.exit(run(cli, line))

        line = ["--", *(str(argument) for argument in arguments)]
        result = CliRunner().invoke(whole, line, env=environment, catch_exceptions=False)
        return Ended(result.exit_code, result.stdout, result.stderr)

    return run_line


@pytest.fixture
def make_record() -> Callable[..., RunRecord]:
    """Make a run record; each argument replaces a field."""

    def make(number: int = 1, *, mean: float | None = 0.9, **fields: Any) -> RunRecord:
        score = mean if mean is not None else None
        values: dict[str, Any] = {
            "run_id": uuid7(number, bytes(10)),
            "job_id": uuid7(0, bytes(10)),
            "origin": "local",
            "component_version": "1.0.0",
            "prompt_commit": None,
            "prompt_sha256": "a" * 64,
            "dataset_commit": None,
            "schema_sha256": None,
            "policy_sha256": None,
            "cases_sha256": "b" * 64,
            "model": "big",
            "provider": "mindrouter",
            "params": {},
            "structured_output": "none",
            "server": Server(),
            "evaluator_version": "0.1.0",
            "scoring_version": 1,
            "replicates": 1,
            "cases": 1,
            "skipped_cases": (),
            "case_results": (CaseResult("one", "c" * 64, None, (score,), None),),
            "started_at": "2026-01-05T09:00:00Z",
            "finished_at": f"2026-01-05T09:00:{number % 60:02d}Z",
            "status": "complete",
            "calls": Calls(1, 1, 0, 0, 0),
            "accuracy": Accuracy(mean, None, mean, {}),
            "reproducibility": Reproducibility(None, None, None, {}),
            "schema_valid_rate": None,
            "latency_ms": Latency(10.0, 20.0),
            "tokens": Tokens(None, None),
            "cost_usd": None,
        }
        return RunRecord(**(values | fields))

    return make


EXPECTED = {"decision": "approve", "amount": 4125, "reasons": ["complete", "signed"]}


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Make the folder of a finished run of one case, from the answers to it."""

    def make(
        answers: Sequence[JsonValue], number: int = 1, *, is_recorded: bool = True, **fields: Any
    ) -> Path:
        plan = _plan(number, len(answers), fields)
        folder = RunFolder.create(tmp_path / "runs", plan)
        try:
            for replicate, answer in enumerate(answers):
                folder.append(_reply(plan, replicate, answer))
            if is_recorded:
                folder.write_record(score_run(plan, folder.replies_of))
        finally:
            folder.close()
        return folder.path

    return make


def _plan(number: int, replicates: int, fields: dict[str, Any]) -> RunPlan:
    component = Component(
        slug="memo",
        name="memo",
        version="1.0.0",
        category=None,
        prompt="Answer.",
        prompt_sha256="a" * 64,
        output="json_object",
        schema=None,
        schema_sha256=None,
        policy=None,
        policy_where=None,
        policy_sha256=None,
    )
    values: dict[str, Any] = {
        "run_id": uuid7(number, bytes(10)),
        "job_id": uuid7(0, bytes(10)),
        "origin": "local",
        "component": component,
        "cases": (Case("one", "in", json.dumps(EXPECTED), "c" * 64),),
        "skipped_cases": (),
        "model": Model("big", "mindrouter"),
        "provider": Provider("mindrouter", "openai", "http://localhost", None),
        "server": Server(),
        "replicates": replicates,
        "prompt_commit": None,
        "dataset_commit": None,
    }
    return RunPlan(**(values | fields))


def _reply(plan: RunPlan, replicate: int, answer: JsonValue) -> Reply:
    return Reply(
        case="one",
        replicate=replicate,
        request_id=f"{plan.run_id}-{replicate}",
        request_sha256="d" * 64,
        text=answer if isinstance(answer, str) else json.dumps(answer),
        finish_reason="stop",
        usage=Usage(100, 20),
        started_at=f"2026-01-05T09:00:{replicate:02d}.000Z",
        finished_at=f"2026-01-05T09:01:{replicate:02d}.000Z",
        latency_ms=1000.0,
        attempts=1,
    )
