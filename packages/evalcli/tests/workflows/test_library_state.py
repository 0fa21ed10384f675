"""What a library on GitHub holds now: read over its API, without a clone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from evalcli.workflows.due import ComponentState
from evalcli.workflows.library_state import LibraryState, read_library
from evalcore.errors import ConfigurationError
from evalcore.formats.strict_json import sha256_hex
from evalcore.github.tokens import FixedToken
from evalcore.github.trees import GitHubTrees
from evalcore.secret import Secret
from evalsim.github import SimulatedGitHub
from evalsim.github.app import API
from evalsim.serving import running
from evalsim.testing import (
    GITHUB_TOKEN,
    REPOSITORY,
    git,
    make_record,
    write_component,
    write_leaderboard,
)

MODELS = "models:\n  - {id: small, provider: mindrouter}\n  - {id: far, provider: openai}\n"
RESULTS = "eval-results/memo-0123456789ab-20260101T000000Z"


class Library:
    """A library with one component `memo`, and where GitHub has it."""

    def __init__(self, root: Path, app: SimulatedGitHub, api: str) -> None:
        self.root = root
        self.app = app
        self.api = api
        git(root.parent, "init", "-q", "--initial-branch=main", str(root))
        self.component("memo")
        (root / ".evaluator").mkdir()
        (root / ".evaluator" / "models.yaml").write_text(MODELS)
        self.commit()
        self.bare = app.state.add_repository(REPOSITORY, root).bare

    def component(self, slug: str, version: str = "1.2.0", text: str = "Answer.") -> Path:
        prompt = f"---\nname: Memo\nversion: {version}\n---\n## Prompt\n{text}\n"
        write_component(self.root, slug, prompt_file=prompt)
        return self.root / "components" / slug

    def board(self, *records: Any) -> None:
        write_leaderboard(self.root / "components/memo/leaderboard.json", *records, slug="memo")

    def commit(self) -> str:
        git(self.root, "add", "--all")
        git(self.root, "commit", "-q", "--allow-empty", "-m", "x")
        return git(self.root, "rev-parse", "HEAD")

    def push(self, branch: str = "main") -> str:
        head = self.commit()
        git(self.root, "push", "-q", str(self.bare.path), f"HEAD:refs/heads/{branch}")
        return head

    def read(
        self, commits: Mapping[str, frozenset[str]] | None = None, since: datetime | None = None
    ) -> LibraryState:
        access = FixedToken(Secret(GITHUB_TOKEN))
        return read_library(
            GitHubTrees(REPOSITORY, access, api_url=self.api, retries=0), commits or {}, since
        )

    def memo(self) -> ComponentState:
        (found,) = self.read().components
        return found


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    app = SimulatedGitHub(tmp_path / "github", token=GITHUB_TOKEN)
    with running(app) as url:
        yield Library(tmp_path / "library", app, f"{url}{API}")


def test_branch_commit_and_models_are_those_of_the_tip(library: Library) -> None:
    head = library.push()
    found = library.read()
    assert (found.branch, found.commit) == ("main", head)
    assert (found.local_models, found.cloud_models) == (("small",), ("far",))


def test_without_models_that_can_be_read_nothing_is_said_of_the_library(library: Library) -> None:
    (library.root / ".evaluator" / "models.yaml").write_text("models: 7\n")
    library.push()
    with pytest.raises(ConfigurationError):
        library.read()


def test_a_component_has_its_version_and_the_hash_of_its_prompt(library: Library) -> None:
    memo = library.memo()
    assert (memo.slug, memo.version) == ("memo", "1.2.0")
    assert memo.prompt_sha256 == sha256_hex(b"Answer.")


def test_a_folder_without_a_prompt_is_no_component(library: Library) -> None:
    (library.root / "components" / "notes").mkdir()
    (library.root / "components" / "notes" / "README.md").write_text("later\n")
    library.push()
    assert [one.slug for one in library.read().components] == ["memo"]


def test_a_prompt_that_cannot_be_read_leaves_the_others_as_they_are(library: Library) -> None:
    (library.component("other") / "prompt.md").write_bytes(b"\xff\xfe")
    library.push()
    memo, other = library.read().components
    assert (other.slug, other.version, other.prompt_sha256) == ("other", None, None)
    assert memo.version == "1.2.0"


def test_runs_are_those_of_the_tip_and_of_open_results(library: Library) -> None:
    library.board(make_record(1, model="small"))
    library.push()
    library.board(make_record(1, model="small"), make_record(2, model="far"))
    library.push(RESULTS)
    assert [run.model for run in library.memo().runs] == ["small"]
    body = {"title": "x", "head": RESULTS, "base": "main"}
    opened = httpx.post(
        f"{library.api}/repos/{REPOSITORY}/pulls",
        json=body,
        headers={"Authorization": f"Bearer {GITHUB_TOKEN}"},
    )
    assert opened.status_code == 201
    assert {run.model for run in library.memo().runs} == {"small", "far"}


def test_a_leaderboard_that_cannot_be_read_is_told(library: Library) -> None:
    (library.root / "components/memo/leaderboard.json").write_text("{")
    library.push()
    memo = library.memo()
    assert memo.runs == ()
    assert "memo at " in (memo.unreadable or "")


def test_of_another_programs_record_what_is_no_text_is_nothing(library: Library) -> None:
    library.board(make_record(1, model="small"))
    path = library.root / "components/memo/leaderboard.json"
    board = json.loads(path.read_text())
    board["runs"][0] |= {"origin": 7, "prompt_sha256": None, "new_field": ["x"]}
    path.write_text(json.dumps(board))
    library.push()
    (run,) = library.memo().runs
    assert (run.model, run.origin, run.prompt_sha256) == ("small", "", "")


def test_what_evaluations_write_is_no_change_of_a_component(library: Library) -> None:
    before = library.push()
    reports = library.root / "components/memo/evals/reports/one"
    reports.mkdir(parents=True)
    (reports / "REPORT.md").write_text("report\n")
    library.board(make_record(1))
    after = library.push()
    asked = {"memo": frozenset({before, after})}
    assert library.read(asked).same_commits == {"memo": {before, after}}


def test_a_commit_at_which_the_component_was_another_or_that_is_gone_is_not_the_same(
    library: Library,
) -> None:
    before = library.push()
    library.component("memo", text="Answer well.")
    library.push()
    asked = {"memo": frozenset({before, "0" * 40})}
    assert library.read(asked).same_commits == {"memo": frozenset()}


def test_since_a_moment_only_what_rose_is_read(library: Library) -> None:
    library.component("other")
    library.push()
    # The commits of these tests are of January 2026.
    long_ago, later = (datetime(year, 1, 1, tzinfo=UTC) for year in (2025, 2027))
    assert [one.slug for one in library.read(since=long_ago).components] == ["memo", "other"]
    assert library.read(since=later).components == ()
