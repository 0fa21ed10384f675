"""The permissions that the docs ask for are the ones that the calls need: all of them, and no more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from evalcore.errors import RepositoryError
from evalcore.git.clone import Clone
from evalcore.git.credentials import Credentials
from evalcore.github.permissions import PERMISSIONS, lacking
from evalcore.github.reports import CONTEXT, CommitStatus, GitHubReports, Note
from evalcore.github.tokens import AppTokens, FixedToken
from evalcore.publishing.outbox import Outbox
from evalcore.secret import Secret
from evalsim.testing import REPOSITORY, git

FULL = {each.name: each.level for each in PERMISSIONS}
TOKEN = "github_pat_fine"


class Bearer:
    """The service with one token for git and for GitHub."""

    def __init__(self, world, permissions: dict[str, str]) -> None:
        self.world = world
        world.app.state.add_token(TOKEN, permissions=permissions)
        world.repository.allow_auto_merge = True
        world.repository.required_contexts = (CONTEXT,)
        self.clone = Clone(
            world.clone.path, work=world.root / "work", credentials=Credentials(world.url, lambda: TOKEN)
        )
        tokens = FixedToken(Secret(TOKEN))
        self.reports = GitHubReports(REPOSITORY, tokens, api_url=world.api, retries=0)

    def publish(self) -> None:
        committer = self.world.committer(
            clone=self.clone, github=self.world.github(TOKEN), auto_merge=True, second=9
        )
        assert committer.publish(self.world.plan(), [self.world.record("r1")]).pull_request_url

    def merges_itself(self) -> None:
        self.publish()
        assert self.world.repository.pulls[-1].auto_merge is not None

    def comment(self) -> None:
        """On the pull request that brought a commit."""
        bare = self.world.bare
        commit = git(bare.path, "commit-tree", "main^{tree}", "-p", "main", "-m", "Bump")
        git(bare.path, "branch", "bump", commit)
        self.world.repository.required_contexts = ()
        with self.world.github()._opened("open") as repository:
            repository.create_pull(base="main", head="bump", title="Bump", body="").merge()
        note = Note("<!-- i -->", "<!-- j -->", "text", datetime.now(UTC) - timedelta(days=1))
        assert self.reports.comment_on_origin(commit, note) is not None

    def set_status(self) -> None:
        self.reports.set_status(self.world.bare.branch("main"), CommitStatus("success", "x", None))

    def tell_failure(self) -> None:
        self.reports.tell_failure("t", Note("<!-- i -->", "<!-- j -->", "text", datetime.now(UTC)))


STEPS = ("publish", "merges_itself", "comment", "set_status", "tell_failure")


@pytest.mark.parametrize("step", STEPS)
def test_the_permissions_of_the_docs_are_enough(world, step: str) -> None:
    getattr(Bearer(world, FULL), step)()


@pytest.mark.parametrize("permission", PERMISSIONS, ids=lambda each: each.name)
def test_none_of_them_is_superfluous(world, permission: Any) -> None:
    without = {name: level for name, level in FULL.items() if name != permission.name}
    failed = []
    for step in STEPS:
        world.repository.pulls.clear()
        for branch in [name for name in world.bare.branches() if name != "main"]:
            git(world.bare.path, "update-ref", "-d", f"refs/heads/{branch}")
        try:
            getattr(Bearer(world, without), step)()
        except (RepositoryError, AssertionError):
            failed.append(step)
    assert failed
    assert ("publish" in failed) is permission.is_needed


def test_refusal_names_the_permission_that_github_asks_for(world) -> None:
    bearer = Bearer(world, FULL | {"statuses": "read"})
    with pytest.raises(RepositoryError, match="permission statuses=write"):
        bearer.set_status()


def test_what_is_lacking_is_known_by_name_and_level() -> None:
    assert lacking(FULL | {"metadata": "read"}) == []
    assert [each.name for each in lacking(FULL | {"contents": "read"})] == ["contents"]
    assert [each.name for each in lacking({})] == [each.name for each in PERMISSIONS]


def test_commits_are_by_the_account_that_the_token_is_of(world) -> None:
    published = world.publish()
    written = git(world.bare.path, "log", "-1", "--format=%an <%ae> %cn", published.branch)
    number = written.partition("<")[2].partition("+")[0]
    assert written == f"evaluator-bot <{number}+evaluator-bot@users.noreply.127.0.0.1> evaluator-bot"
    assert int(number) > 0


def test_an_app_publishes_as_itself_though_its_token_is_withdrawn_in_the_middle(world, app_key) -> None:
    private, public = app_key
    world.app.state.add_app("77", public)
    tokens = AppTokens(77, private, REPOSITORY, api_url=world.api)
    clone = Clone(
        world.clone.path,
        work=world.root / "work",
        credentials=Credentials(world.url, tokens.token, tokens.forget),
    )
    github = world.github(tokens=tokens)
    steps: list[Any] = []

    def save(outbox: Any) -> None:
        steps.append(outbox)
        if len(steps) in {1, 2}:  # before the push, and before the pull request
            world.app.state.tokens.pop(tokens.token())

    committer = world.committer(clone=clone, github=github)
    for _ in range(3):
        try:
            published = committer.publish(
                world.plan(), [world.record("r1")], {}, (steps or [Outbox()])[-1], save
            )
            break
        except RepositoryError:
            continue
    (pull,) = world.repository.pulls
    assert published.pull_request_url
    assert pull.user == "evaluator-77[bot]"
    assert "+evaluator-77[bot]@" in git(world.bare.path, "log", "-1", "--format=%ae", published.branch)
    assert tokens.granted() == FULL
