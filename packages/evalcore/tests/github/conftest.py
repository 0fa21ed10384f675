"""GitHub's API, simulated and served over HTTP, with one repository for each test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalcore.github.client import GitHub
from evalcore.github.tokens import FixedToken
from evalcore.secret import Secret
from evalsim.github import SimulatedGitHub
from evalsim.testing import GITHUB_TOKEN, REPOSITORY, git


@pytest.fixture
def app(github_server: tuple[SimulatedGitHub, str], tmp_path: Path) -> SimulatedGitHub:
    """The simulated GitHub with a repository made for this test."""
    app, _ = github_server
    app.state.faults.clear()
    app.state.root = tmp_path
    (tmp_path / "seed").mkdir()
    app.state.add_repository(REPOSITORY, tmp_path / "seed")
    return app


@pytest.fixture
def api(github_server: tuple[SimulatedGitHub, str]) -> str:
    return f"{github_server[1]}/api/v3"


@pytest.fixture
def client(api: str) -> Callable[..., GitHub]:
    """Make a client of the repository; it does not try again unless asked to."""

    def make(url: str = api, token: str = GITHUB_TOKEN, **settings: Any) -> GitHub:
        return GitHub(REPOSITORY, FixedToken(Secret(token)), api_url=url, **{"retries": 0} | settings)

    return make


@pytest.fixture
def push_branch(app: SimulatedGitHub) -> Callable[[str], None]:
    """Put a branch with one commit more than main on the remote."""

    def push(name: str) -> None:
        bare = app.state.repositories[REPOSITORY].bare.path
        git(bare, "branch", name, git(bare, "commit-tree", "main^{tree}", "-p", "main", "-m", "x"))

    return push
