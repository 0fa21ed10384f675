"""What the command line's tests share: run records, and a way to run a command line in this process."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from evalcli.exits import run
from evalcli.main import cli
from evalcli.workflows import publishing
from evalcore.clients.reply import Reply, Usage
from evalcore.ids import uuid7
from evalcore.library.models import Model
from evalcore.publishing.committer import Committer
from evalcore.runs.folder import RunFolder
from evalcore.runs.plan import RunPlan
from evalcore.runs.record import RunRecord
from evalcore.scoring.score_run import score_run
from evalcore.structs import Frozen, JsonValue
from evalsim import testing


@pytest.fixture
def _seconds_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each publishing is a second later than the one before.

    Within the same second it would have the same branch, and take that for its own of before a kill.
    """
    began, seconds = datetime.now(UTC), itertools.count()
    later = functools.partial(Committer, now=lambda: began + timedelta(seconds=next(seconds)))
    monkeypatch.setattr(publishing, "Committer", later)


class Ended(Frozen, frozen=True):
    """How a command line ended."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command caches is this test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


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
    return functools.partial(testing.make_record, model="big", origin="local")


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
    values = {
        "run_id": uuid7(number, bytes(10)),
        "job_id": uuid7(0, bytes(10)),
        "cases": [testing.make_case("one", EXPECTED)],
        "model": Model("big", "mindrouter"),
        "replicates": replicates,
    }
    return testing.make_run_plan(**values | fields)


def _reply(plan: RunPlan, replicate: int, answer: JsonValue) -> Reply:
    return testing.make_reply(
        "one",
        replicate,
        answer if isinstance(answer, str) else json.dumps(answer),
        request_id=f"{plan.run_id}-{replicate}",
        usage=Usage(100, 20),
        started_at=f"2026-01-05T09:00:{replicate:02d}.000Z",
        finished_at=f"2026-01-05T09:01:{replicate:02d}.000Z",
    )
