"""Trees and blobs of a repository on GitHub, read without a clone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from evalcore.errors import CheckoutError
from evalcore.github.tokens import FixedToken
from evalcore.github.trees import GitHubTrees
from evalcore.secret import Secret
from evalsim.testing import GITHUB_TOKEN, REPOSITORY, git


@pytest.fixture
def repository(app, tmp_path):
    """A repository with folders, a link and a file that may be run."""
    seed = tmp_path / "second"
    (seed / "components" / "memo").mkdir(parents=True)
    (seed / "components" / "memo" / "prompt.md").write_text("prompt\n")
    (seed / "run.sh").write_text("#!/bin/sh\n")
    (seed / "run.sh").chmod(0o755)
    (seed / "link").symlink_to("components/memo/prompt.md")
    (seed / "out").symlink_to("../elsewhere")
    app.state.root = tmp_path / "other"
    return app.state.add_repository(REPOSITORY, seed)


@pytest.fixture
def reader(repository, api):  # noqa: ARG001 - what is read
    with GitHubTrees(
        REPOSITORY, FixedToken(Secret(GITHUB_TOKEN)), api_url=api, retries=0
    ).reading() as reader:
        yield reader


def test_a_tree_is_listed_flat_or_with_all_below(reader):
    flat, deep = (reader.listing("main", deep=deep) for deep in (False, True))
    assert {line.path for line in flat.lines} == {"components", "run.sh", "link", "out"}
    assert {line.path: line.mode for line in deep.lines}["components/memo/prompt.md"] == "100644"
    assert {line.path: line.mode for line in deep.lines}["link"] == "120000"
    assert flat.is_whole
    assert deep.is_whole


def test_a_tree_that_github_cuts_says_so(reader, repository):
    repository.tree_limit = 2
    cut = reader.listing("main", deep=True)
    assert (len(cut.lines), cut.is_whole) == (2, False)


def test_the_tip_of_a_branch_is_its_commit(reader, repository):
    assert reader.tip("main") == repository.bare.branch("main")


@pytest.mark.parametrize("name", ["nowhere", "0" * 40])
def test_what_is_not_there_is_told_with_the_repository_and_the_name(reader, name):
    for call in (lambda: reader.listing(name, deep=True), lambda: reader.tip(name)):
        with pytest.raises(CheckoutError) as caught:
            call()
        assert caught.value.where == f"{REPOSITORY}@{name}"
        assert caught.value.hint


def test_a_blob_is_given_as_it_is(reader, repository):
    data = bytes(range(256)) * 10
    sha = git(repository.bare.path, "hash-object", "-w", "--stdin", stdin=data)
    assert reader.blob(sha) == data
    empty = git(repository.bare.path, "hash-object", "-w", "--stdin", stdin=b"")
    assert reader.blob(empty) == b""
    with pytest.raises(CheckoutError):
        reader.blob("0" * 40)


def test_the_newest_commit_before_a_moment_is_found(reader, repository):
    assert reader.commit_before("main", datetime(2090, 1, 1, tzinfo=UTC)) == repository.bare.branch("main")
    assert reader.commit_before("main", datetime(2000, 1, 1, tzinfo=UTC)) is None
