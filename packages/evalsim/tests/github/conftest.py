"""A simulated GitHub without a server: its REST calls are answered in this process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from evalsim.asgi import Answer
from evalsim.github.request import Request
from evalsim.github.rest import answer_rest
from evalsim.github.state import Repository, State
from evalsim.testing import GITHUB_TOKEN, REPOSITORY, git

WEB = "http://github.test"


class Said(msgspec.Struct):
    """An answer, taken apart."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.content)

    @property
    def message(self) -> str:
        return self.body["message"]


class Api:
    """Calls of one state's REST API, by a token that may write."""

    def __init__(self, root: Path) -> None:
        self.now = datetime(2026, 1, 5, 9, tzinfo=UTC)
        self.state = State(root / "github", clock=lambda: self.now)
        self.state.add_token(GITHUB_TOKEN)
        seed = root / "seed"
        seed.mkdir()
        (seed / "README.md").write_text("hello\n")
        (seed / "docs").mkdir()
        (seed / "docs" / "a.md").write_text("a\n")
        self.repository: Repository = self.state.add_repository(REPOSITORY, seed)

    @property
    def bare(self) -> Path:
        return self.repository.bare.path

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        authorization: str = f"Bearer {GITHUB_TOKEN}",
        **query: object,
    ) -> Said:
        """Call; a path that begins with a word is of the repository."""
        whole = path if path.startswith("/") else f"/repos/{REPOSITORY}/{path}".rstrip("/")
        data = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
        request = Request(
            method=method,
            path=whole,
            query={name: str(value) for name, value in query.items()},
            authorization=authorization,
            body=data,
            web=WEB,
            api=f"{WEB}/api/v3",
        )
        answer: Answer = answer_rest(self.state, request)
        return Said(answer.status, dict(answer.headers), answer.body)

    def commit(self, branch: str, name: str, text: str, *, base: str = "main") -> str:
        """Put a file on a branch, which begins at the base where it is not there yet; give the commit."""
        start = self.repository.bare.branch(branch) or self.repository.bare.branch(base) or ""
        blob = git(self.bare, "hash-object", "-w", "--stdin", stdin=text.encode())
        listing = git(self.bare, "ls-tree", start)
        kept = [line for line in listing.splitlines() if not line.endswith(f"\t{name}")]
        tree_lines = "\n".join([*kept, f"100644 blob {blob}\t{name}"])
        tree = git(self.bare, "mktree", stdin=f"{tree_lines}\n".encode())
        commit = git(self.bare, "commit-tree", tree, "-p", start, "-m", f"Change {name}")
        git(self.bare, "update-ref", f"refs/heads/{branch}", commit)
        return commit

    def open_pull(self, branch: str = "topic", **fields: object) -> dict[str, Any]:
        """Open a pull request of a branch with a file of its own."""
        if self.repository.bare.branch(branch) is None:
            self.commit(branch, f"{branch}.txt", branch)
        said = self.call("POST", "pulls", {"title": branch, "head": branch, "base": "main"} | fields)
        assert said.status == 201, said.content
        return said.body


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    """A simulated GitHub with one repository."""
    return Api(tmp_path)
