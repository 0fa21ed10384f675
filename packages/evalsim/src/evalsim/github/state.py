"""What the simulated GitHub remembers: repositories and what belongs to them, tokens, apps."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import msgspec

from evalsim.github.faults import Faults
from evalsim.github.repository import BareRepository

Access = Literal["read", "write"]
USUAL_PERMISSIONS: Final = dict.fromkeys(("contents", "issues", "pull_requests", "statuses"), "write")
MERGE_METHODS: Final = {"MERGE": "merge commit", "SQUASH": "squash", "REBASE": "rebase"}
"""GraphQL's names of the ways to merge, and how GitHub's refusals call them."""


class AutoMerge(msgspec.Struct, frozen=True):
    """That a pull request is merged once all that its branch requires is there."""

    method: str
    enabled_at: str


class Pull(msgspec.Struct, kw_only=True):
    """A pull request of a branch of the same repository, or of a fork."""

    number: int
    title: str
    body: str
    head: str
    base: str
    user: str
    created_at: str
    updated_at: str
    fork: Repository | None = None
    """The repository of the head, where it is another."""
    labels: list[str] = []
    state: Literal["open", "closed"] = "open"
    closed_at: str | None = None
    merged_at: str | None = None
    merge_commit_sha: str | None = None
    head_sha: str = ""
    """Where the head stood when it was closed."""
    auto_merge: AutoMerge | None = None
    comments: list[Comment] = []

    def ask_auto_merge(self, method: str, at: str) -> None:
        """Have it merged later; asking again changes nothing but the method."""
        self.auto_merge = AutoMerge(method, self.auto_merge.enabled_at if self.auto_merge else at)


class Label(msgspec.Struct):
    """A label of a repository."""

    name: str
    color: str = "ededed"
    description: str | None = None


class Comment(msgspec.Struct):
    """A comment of an issue."""

    number: int
    body: str
    user: str
    created_at: str


class Issue(msgspec.Struct, kw_only=True):
    """An issue."""

    number: int
    title: str
    body: str
    user: str
    created_at: str
    labels: list[str] = []
    comments: list[Comment] = []
    state: Literal["open", "closed"] = "open"
    closed_at: str | None = None


class CommitStatus(msgspec.Struct, kw_only=True):
    """A status of a commit; the newest of a context is the one that counts."""

    sha: str
    state: str
    description: str | None
    target_url: str | None
    context: str
    created_at: str


class Dispatch(msgspec.Struct, kw_only=True):
    """One workflow that was started by hand."""

    workflow: str
    ref: str
    inputs: dict[str, str] = {}


class Repository(msgspec.Struct, kw_only=True):
    """A repository with all that is not git's."""

    owner: str
    name: str
    bare: BareRepository
    private: bool = True
    pulls: list[Pull] = []
    labels: dict[str, Label] = {}
    issues: list[Issue] = []
    statuses: list[CommitStatus] = []
    issue_count: int = 0
    dispatches: list[Dispatch] = []
    """Workflows that were started by hand; nothing runs them."""
    tree_limit: int = 100_000
    """Lines of a tree that is listed with all below it."""
    allow_auto_merge: bool = False
    merge_methods: tuple[str, ...] = tuple(MERGE_METHODS)
    required_contexts: tuple[str, ...] = ()
    """The statuses without which nothing is merged into the default branch."""

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}"


class Token(msgspec.Struct, frozen=True):
    """Who bears a token, what it allows, until when."""

    login: str
    access: Access
    expires: datetime | None = None
    permissions: dict[str, str] | None = None
    """Name to `read` or `write`; None for everything, as a classic token with `repo`."""

    def allows(self, *names: str, level: str = "write") -> bool:
        """Whether it has all of these permissions."""
        if self.permissions is None:
            return True
        return all(self.permissions.get(name) in {level, "write"} for name in names)


class App(msgspec.Struct, frozen=True):
    """A GitHub App, installed on everything."""

    app_id: str
    public_key: str
    installation: int
    permissions: dict[str, str]


class State:
    """All of it, in memory; the git repositories are under `root`."""

    def __init__(self, root: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.root = root
        self.clock = clock
        self.repositories: dict[str, Repository] = {}
        self.tokens: dict[str, Token] = {}
        self.apps: dict[str, App] = {}
        self.faults = Faults()

    def add_repository(
        self,
        full_name: str,
        source: Path | None = None,
        *,
        private: bool = True,
        default_branch: str = "main",
    ) -> Repository:
        """Take up `owner/name`: a bare repository under the root, made from `source` where not there."""
        owner, _, name = full_name.partition("/")
        path = self.root / owner / f"{name}.git"
        # Kept over a restart of the simulation: what was pushed is still there, and the hook is this
        # version's.
        if path.is_dir():
            bare = BareRepository(path, default_branch=default_branch)
            bare.install_hook()
        else:
            bare = BareRepository.create(path, source, default_branch=default_branch)
        repository = Repository(owner=owner, name=name, bare=bare, private=private)
        # Names of owners and repositories have no case on GitHub.
        self.repositories[full_name.lower()] = repository
        return repository

    def add_token(
        self,
        token: str,
        *,
        login: str = "evaluator-bot",
        access: Access = "write",
        expires: datetime | None = None,
        permissions: dict[str, str] | None = None,
    ) -> None:
        """Let a token in; with `permissions` it is a fine-grained one."""
        self.tokens[token] = Token(login, access, expires, permissions)

    def set_tokens(self, tokens: Iterable[str]) -> None:
        """Let these tokens in, and of people's no other any more."""
        minted = {token: known for token, known in self.tokens.items() if known.expires is not None}
        self.tokens = minted
        for token in tokens:
            self.add_token(token)

    def add_app(self, app_id: str, public_key: str, permissions: dict[str, str] | None = None) -> None:
        """Install a GitHub App; it signs with the private key to this public one (PEM)."""
        granted = USUAL_PERMISSIONS if permissions is None else permissions
        self.apps[app_id] = App(app_id, public_key, 1000 + len(self.apps), dict(granted))

    def bearer(self, token: str | None) -> Token | None:
        """Whose token it is; None for none, an unknown or an expired one."""
        known = self.tokens.get(token) if token else None
        if known is not None and known.expires is not None and known.expires <= self.clock():
            return None
        return known

    def mint(self, app: App) -> tuple[str, datetime]:
        """Make an installation token, good for an hour as GitHub's are."""
        token = f"ghs_{secrets.token_hex(18)}"
        expires = self.clock() + timedelta(hours=1)
        login = f"evaluator-{app.app_id}[bot]"
        self.add_token(token, login=login, expires=expires, permissions=app.permissions)
        return token, expires

    def now(self) -> str:
        """The time as GitHub writes it."""
        return self.clock().strftime("%Y-%m-%dT%H:%M:%SZ")
