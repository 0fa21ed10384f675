"""What the command line's tests share: run records, and a way to run a command line in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
import pytest
from click.testing import CliRunner

from evalcli.exits import run
from evalcli.main import cli
from evalcore.ids import uuid7
from evalcore.plan import Server
from evalcore.record import (
    Accuracy,
    Calls,
    CaseResult,
    Latency,
    Reproducibility,
    RunRecord,
    Tokens,
)
from evalcore.structs import Frozen


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
