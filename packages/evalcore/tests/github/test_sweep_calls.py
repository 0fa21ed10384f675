"""What the sweep asks of GitHub: workflows that are started, and open results of anybody."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from evalcore.github.client import GitHub
from evalcore.github.transport import GitHubRefused
from evalsim.github import SimulatedGitHub
from evalsim.testing import REPOSITORY, git

NAME = "eval-results/budget-0123456789ab-20260101T000000Z"


def test_a_workflow_is_started_with_its_inputs(app: SimulatedGitHub, client: Callable[..., GitHub]) -> None:
    repository = app.state.repositories[REPOSITORY]
    bare = repository.bare.path
    with pytest.raises(GitHubRefused, match="404"):
        client().start_workflow("evaluate-cloud.yml", "main", {"skill_name": "memo"})
    blob = git(bare, "hash-object", "-w", "--stdin", stdin=b"on: workflow_dispatch\n")
    index = f"100644 blob {blob}\tevaluate-cloud.yml\n"
    for folder in ("workflows", ".github"):
        tree = git(bare, "mktree", stdin=index.encode())
        index = f"040000 tree {tree}\t{folder}\n"
    tree = git(bare, "mktree", stdin=index.encode())
    commit = git(bare, "commit-tree", tree, "-p", "main", "-m", "x")
    git(bare, "update-ref", "refs/heads/main", commit)
    client().start_workflow("evaluate-cloud.yml", "main", {"skill_name": "memo"})
    (started,) = repository.dispatches
    assert (started.workflow, started.ref, started.inputs) == (
        "evaluate-cloud.yml",
        "main",
        {"skill_name": "memo"},
    )


def test_open_results_of_anybody_are_those_of_the_repositorys_own_branches(
    app: SimulatedGitHub, push_branch: Callable[[str], None], client: Callable[..., GitHub]
) -> None:
    push_branch(NAME)
    push_branch("topic")
    app.state.add_token("ghp_other", login="somebody")
    client(token="ghp_other").open_pull_request(NAME, "main", "Theirs", "")
    client(token="ghp_other").open_pull_request("topic", "main", "No results", "")
    assert client().open_results("main") == []
    (found,) = client().open_results_of_anybody("main")
    tip = app.state.repositories[REPOSITORY].bare.branch(NAME)
    assert (found.branch, found.commit, found.is_ours) == (NAME, tip, False)
