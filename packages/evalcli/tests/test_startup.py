"""What a command loads: starting takes longer by what it does not need."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalsim.testing import git, write_component, write_leaderboard

SLOW = {"rich", "asyncio", "httpx", "aiohttp", "markdown_it", "difflib", "github", "requests"}
"""What takes long to load, and is for terminals, calls, GitHub, Markdown and mistakes alone."""


@pytest.fixture
def library(tmp_path: Path, make_record: Callable[..., Any]) -> Path:
    root = tmp_path / "library"
    write_component(root, schema={"type": "object"}, cases={"one": {"amount": 1}})
    records = [make_record(1), make_record(2, component_version="1.1.0")]
    write_leaderboard(root / "components" / "memo" / "leaderboard.json", *records)
    models = root / ".evaluator" / "models.yaml"
    models.parent.mkdir()
    models.write_text("models:\n  - {id: alpha, provider: openai}\n")
    (root / "answer.json").write_text(json.dumps({"amount": 2}))
    git(root, "init", "-q")
    git(root, "add", "--all")
    for message in ("first", "second"):
        git(root, "commit", "-q", "--allow-empty", "-m", message)
    return root


@pytest.mark.parametrize(
    "line",
    [
        ["--help"],
        ["score", "memo", "--case", "one", "answer.json"],
        ["compare", "memo@1.0.0", "memo@1.1.0"],
        ["leaderboard", "show", "memo"],
        ["leaderboard", "validate", "memo"],
        ["leaderboard", "schema"],
        ["models", "list"],
        ["check"],
        ["list"],
        ["runs"],
        ["bumps", "--base", "HEAD~1", "--head", "HEAD"],
    ],
    ids=" ".join,
)
def test_into_a_pipe_a_command_loads_nothing_slow(library: Path, line: list[str]) -> None:
    code = "import sys\nfrom evalcli.main import main\ntry: main()\nfinally: print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, *line], cwd=library, capture_output=True, text=True, check=True
    )
    assert not SLOW & set(done.stdout.splitlines()[-1].split())


def test_the_dashboard_loads_no_client_and_no_terminal(library: Path) -> None:
    code = "import sys\nfrom evalcli.main import main\ntry: main()\nfinally: print(*sys.modules)"
    line = ["dashboard", "--out", "site"]
    done = subprocess.run(
        [sys.executable, "-c", code, *line], cwd=library, capture_output=True, text=True, check=True
    )
    # A page of it is written in Markdown.
    assert not (SLOW - {"markdown_it"}) & set(done.stdout.splitlines()[-1].split())


def test_an_evaluation_into_a_pipe_draws_no_bars_and_does_not_load_what_would(library: Path) -> None:
    code = "import sys\nfrom evalcli.main import main\ntry: main()\nfinally: print(*sys.modules)"
    line = ["evaluate", "memo", "--dry-run"]
    done = subprocess.run(
        [sys.executable, "-c", code, *line], cwd=library, capture_output=True, text=True, check=False
    )
    assert "rich" not in done.stdout.splitlines()[-1].split()


def test_calls_do_not_load_what_draws_on_terminals() -> None:
    code = "import evalcli.main, evalcore.clients.http, httpx, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"rich", "pygments"} & set(done.stdout.split())


@pytest.mark.parametrize(
    "line",
    [["--help"], ["evaluate", "--help"], ["campaign", "--help"], ["campaign", "run", "--help"]],
    ids=" ".join,
)
def test_what_campaigns_need_is_loaded_for_their_database_alone(library: Path, line: list[str]) -> None:
    code = "import sys\nfrom evalcli.main import main\ntry: main()\nfinally: print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, *line], cwd=library, capture_output=True, text=True, check=True
    )
    assert not {"dbos", "sqlalchemy", "psycopg"} & set(done.stdout.splitlines()[-1].split())
