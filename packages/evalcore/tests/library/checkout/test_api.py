"""A commit on GitHub as a checkout, read by its API without a clone."""

from __future__ import annotations

import pytest
from github import GithubException

from evalcore.errors import CheckoutError
from evalcore.github.tokens import FixedToken
from evalcore.github.trees import GitHubTrees
from evalcore.library.checkout.api import ApiCheckout
from evalcore.secret import Secret
from evalsim.github import Fault
from evalsim.testing import GITHUB_TOKEN, REPOSITORY, git


@pytest.fixture
def app(github_server, tmp_path):
    """The simulated GitHub with a repository of folders, links and a file that may be run."""
    app, _ = github_server
    app.state.faults.clear()
    app.state.root = tmp_path
    seed = tmp_path / "seed"
    (seed / "components" / "memo" / "evals").mkdir(parents=True)
    (seed / "components" / "memo" / "prompt.md").write_text("prompt\n")
    (seed / "components" / "memo" / "evals" / "scoring.yaml").write_text("fields: {}\n")
    (seed / "components" / "README.md").write_text("read\n")
    (seed / "run.sh").write_text("#!/bin/sh\n")
    (seed / "run.sh").chmod(0o755)
    (seed / "link").symlink_to("components/memo/prompt.md")
    (seed / "out").symlink_to("../elsewhere")
    app.state.add_repository(REPOSITORY, seed)
    return app


@pytest.fixture
def repository(app):
    return app.state.repositories[REPOSITORY]


@pytest.fixture
def reader(repository, github_server):  # noqa: ARG001 - what is read
    api = f"{github_server[1]}/api/v3"
    with GitHubTrees(
        REPOSITORY, FixedToken(Secret(GITHUB_TOKEN)), api_url=api, retries=0
    ).reading() as reader:
        yield reader


@pytest.fixture
def checkout(reader):
    return ApiCheckout(reader, "main", "components", {})


def test_files_are_read_and_links_inside_followed(checkout):
    assert checkout.read("components/memo/prompt.md") == b"prompt\n"
    assert checkout.read("link") == b"prompt\n"
    assert checkout.folders("components") == ("memo",)
    assert checkout.has("run.sh")
    assert not checkout.has("nothing")


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("nothing", "is not there"),
        ("components", "is a folder, not a regular file"),
        ("out", "is a link that leaves the checkout"),
        ("../x", "leaves the checkout"),
        (".git/config", "is git's own"),
    ],
)
def test_what_is_no_file_of_it_is_refused(checkout, path, what):
    with pytest.raises(CheckoutError) as caught:
        checkout.read(path)
    assert (caught.value.what, caught.value.where) == (what, path)


def test_the_files_below_a_folder_have_their_ids(checkout, repository):
    blob = git(repository.bare.path, "rev-parse", "main:components/memo/prompt.md")
    policy = git(repository.bare.path, "rev-parse", "main:components/memo/evals/scoring.yaml")
    found = {"prompt.md": blob, "evals/scoring.yaml": policy}
    assert checkout.files_below("components/memo") == found
    assert checkout.files_below("nowhere") == {}


def test_of_a_tree_that_is_not_listed_whole_the_folder_is_seen(reader, repository):
    repository.tree_limit = 1
    partial = ApiCheckout(reader, "main", "components", {})
    assert partial.read("components/memo/prompt.md") == b"prompt\n"
    assert partial.read("components/README.md") == b"read\n"
    assert partial.read("run.sh") == b"#!/bin/sh\n"
    assert partial.folders("components") == ("memo",)


def test_of_a_tree_that_is_not_listed_whole_a_folder_further_below_stands_for_its_files(reader, repository):
    """So that whoever compares two commits sees a change there, though not of which file."""
    repository.tree_limit = 1
    partial = ApiCheckout(reader, "main", "components", {})
    found = {
        name: git(repository.bare.path, "rev-parse", f"main:components/memo/{name}")
        for name in ("prompt.md", "evals")
    }
    assert partial.files_below("components/memo") == found
    assert partial.folders("components/memo") == ("evals",)


def test_a_library_without_the_folder_is_one_without_components(reader, repository):
    repository.tree_limit = 1
    elsewhere = ApiCheckout(reader, "main", "prompts", {})
    assert elsewhere.folders("prompts") == ()
    assert elsewhere.has("run.sh")


def test_a_blob_is_fetched_once_for_two_commits_and_a_tree_once_for_one(reader, app):
    blobs = {}
    first, second = (ApiCheckout(reader, "main", "components", blobs) for _ in range(2))
    first.read("components/memo/prompt.md")
    second.read("run.sh")
    app.state.faults.add(Fault(on="api", status=500))
    assert second.read("components/memo/prompt.md") == b"prompt\n"
    with pytest.raises(GithubException):
        second.read("components/README.md")
    app.state.faults.clear()


def test_a_file_over_the_bound_is_refused(checkout):
    assert checkout.read("run.sh", 10) == b"#!/bin/sh\n"
    with pytest.raises(CheckoutError, match="is 10 bytes, over the limit"):
        checkout.read("run.sh", 9)


def test_only_a_regular_file_has_bytes_of_its_own(checkout):
    assert checkout.blob_at("run.sh") == b"#!/bin/sh\n"
    assert checkout.blob_at("link") is checkout.blob_at("components") is checkout.blob_at("nothing") is None
