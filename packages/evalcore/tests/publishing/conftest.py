"""A repository on the simulated GitHub, the service's clone of it, and what publishes results there."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from evalcore.git.clone import Clone
from evalcore.git.credentials import Credentials
from evalcore.github.client import GitHub
from evalcore.github.tokens import FixedToken
from evalcore.publishing.committer import Committer
from evalcore.publishing.outbox import Published
from evalcore.publishing.refresh import Refresher
from evalcore.runs.leaderboard import (
    encode_leaderboard,
    leaderboard_of,
    merge_leaderboards,
    parse_leaderboard,
)
from evalcore.runs.plan import JobPlan
from evalcore.runs.record import RunRecord
from evalcore.secret import Secret
from evalsim.github import Fault, SimulatedGitHub
from evalsim.testing import (
    GITHUB_TOKEN,
    REPOSITORY,
    commit_file,
    git,
    make_committer,
    make_component,
    make_job_plan,
    make_record,
)

BOARD = "components/budget/leaderboard.json"
EMPTY = b'{"schema_version": 1, "component": "budget", "runs": []}'
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def record(run_id: str, model: str = "good", **changes: Any) -> RunRecord:
    values = {
        "run_id": run_id,
        "job_id": "job-1",
        "component_version": "1.2.0",
        "prompt_commit": "c" * 40,
        "model": model,
        "replicates": 2,
        "case_results": [],
        "calls": {"total": 2, "ok": 2, "api_error": 0, "parse_error": 0, "truncated": 0},
    }
    return make_record(**values | changes)


HIGH, LOW = (0.9, 0.95, 1.0, 0.95, 0.9, 0.95), (0.4, 0.45, 0.5, 0.45, 0.4, 0.45)


def scored(run_id: str, scores: tuple[float, ...], version: str, model: str = "good") -> RunRecord:
    """A record of one case with these scores."""
    mean = sum(scores) / len(scores)
    case = {"case": "one", "sha256": "c" * 64, "validated_against_version": None, "reproducibility": None}
    return record(
        run_id,
        model,
        component_version=version,
        replicates=len(scores),
        case_results=[case | {"scores": scores}],
        accuracy={"mean": mean, "ci95": [0.1, 0.9], "anls_star": mean, "by_field": {}},
    )


class World:
    """A simulated GitHub with a prompt library, and the service's clone of it."""

    record = staticmethod(record)
    better = staticmethod(partial(scored, scores=HIGH))
    worse = staticmethod(partial(scored, scores=LOW))
    has_reports = False
    """Whether a refresh allows reports in open results."""

    def __init__(self, root: Path, app: SimulatedGitHub, url: str) -> None:
        self.root, self.app, self.url = root, app, url
        self.api = f"{url}/api/v3"
        self.clone = self.make_clone()

    def make_clone(self) -> Clone:
        folder, remote = self.root / "clone", f"{self.url}/{REPOSITORY}.git"
        git(self.root, "clone", "-q", str(self.bare.path), str(folder))
        git(folder, "remote", "set-url", "origin", remote)
        return Clone(folder, work=self.root / "work", credentials=Credentials(self.url, lambda: GITHUB_TOKEN))

    def github(self, token: str = GITHUB_TOKEN, **settings: Any) -> GitHub:
        values = {"tokens": FixedToken(Secret(token)), "api_url": self.api, "retries": 0}
        return GitHub(REPOSITORY, **values | settings)

    def committer(self, mode: Any = "pr", *, second: int = 5, **settings: Any) -> Committer:
        values = {"mode": mode, "github": self.github(), "now": lambda: MOMENT.replace(second=second)}
        return make_committer(settings.pop("clone", self.clone), **values | settings)

    def plan(self, job_id: str = "job-1") -> JobPlan:
        return make_job_plan(
            job_id=job_id,
            component=make_component("budget", version="1.2.0", output="json"),
            prompt_commit=self.bare.branch("main"),
        )

    @property
    def repository(self) -> Any:
        return self.app.state.repositories[REPOSITORY]

    @property
    def bare(self) -> Any:
        return self.repository.bare

    def runs(self, branch: str) -> list[str]:
        data = self.bare.file(branch, BOARD)
        return [] if data is None else [str(run["run_id"]) for run in parse_leaderboard(data, BOARD).runs]

    def merge(self, branch: str) -> None:
        github = self.github()
        with github._opened("merge") as repository:
            (pull,) = [pull for pull in repository.get_pulls(state="open") if pull.head.ref == branch]
            assert pull.merge().merged

    def commit_to_main(self, path: str, text: str) -> None:
        """Somebody else's push, made where it arrives."""
        there = Clone(self.bare.path, work=self.root / "work")
        commit = commit_file(there, self.bare.branch("main"), path, text.encode(), "Theirs")
        git(self.bare.path, "update-ref", "refs/heads/main", commit)

    def put_on_main(self, *records: RunRecord) -> None:
        """Results that were merged before."""
        kept = parse_leaderboard(self.bare.file("main", BOARD) or EMPTY, BOARD)
        added = merge_leaderboards(kept, leaderboard_of("budget", records))
        self.commit_to_main(BOARD, encode_leaderboard(added).decode())

    def add_to_main(self, run_id: str) -> None:
        """Somebody else's results."""
        self.put_on_main(record(run_id, run_id))

    def link_on_main(self, path: str) -> None:
        """Somebody else's commit of a symbolic link."""
        author = self.root / "author"
        git(self.root, "clone", "-q", str(self.bare.path), str(author))
        if (author / path).exists():
            git(author, "mv", path, f"{path}-moved")
        (author / path).symlink_to("elsewhere")
        git(author, "add", "--all")
        git(author, "commit", "-q", "-m", "Theirs")
        git(author, "push", "-q", "origin", "HEAD:main")

    def fault(self, **what: Any) -> None:
        self.app.state.faults.add(Fault(**what))

    def publish(self, **settings: Any) -> Published:
        """Publish one record."""
        return self.committer(**settings).publish(self.plan(), [record("r1")])

    def refresh(self) -> list[str]:
        """Bring the open results up to date; give the branches that were behind."""
        return list(Refresher(self.clone, self.github(), has_reports=self.has_reports).refresh())


@pytest.fixture(scope="session")
def app_key() -> tuple[str, str]:
    """The private and the public key of a GitHub App."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


@pytest.fixture
def world(github_server: tuple[SimulatedGitHub, str], tmp_path: Path) -> World:
    """A repository of this test's own on the simulated GitHub."""
    app, url = github_server
    seed = tmp_path / "seed"
    (seed / "components" / "budget").mkdir(parents=True)
    (seed / "components" / "budget" / "prompt.md").write_text("---\nname: b\nversion: 1.2.0\n---\n")
    (seed / ".gitattributes").write_text("* text eol=crlf\n")
    app.state.faults.clear()
    app.state.root = tmp_path / "github"
    app.state.add_repository(REPOSITORY, seed)
    return World(tmp_path, app, url)
