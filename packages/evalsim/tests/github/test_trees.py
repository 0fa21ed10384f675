"""Trees, blobs, commits and workflows: what GitHub's API gives of a repository without a clone."""

from __future__ import annotations

import base64

from evalsim.testing import git


def test_a_tree_is_listed_with_all_below_it_or_not(api):
    flat = api.call("GET", "git/trees/main").body
    assert [(line["path"], line["mode"], line["type"]) for line in flat["tree"]] == [
        ("README.md", "100644", "blob"),
        ("docs", "040000", "tree"),
    ]
    deep = api.call("GET", "git/trees/main", recursive=1).body
    assert [line["path"] for line in deep["tree"]] == ["README.md", "docs", "docs/a.md"]
    assert (deep["truncated"], deep["sha"]) == (False, git(api.bare, "rev-parse", "main^{tree}"))
    assert [line.get("size") for line in deep["tree"]] == [6, None, 2]


def test_a_long_tree_is_cut(api):
    api.repository.tree_limit = 1
    deep = api.call("GET", "git/trees/main", recursive=1).body
    assert ([line["path"] for line in deep["tree"]], deep["truncated"]) == (["README.md"], True)


def test_a_blob_is_in_base64(api):
    (readme, *_) = api.call("GET", "git/trees/main").body["tree"]
    body = api.call("GET", f"git/blobs/{readme['sha']}").body
    assert (base64.b64decode(body["content"]), body["encoding"], body["size"]) == (b"hello\n", "base64", 6)


def test_what_is_not_there_is_404(api):
    for path in ("git/trees/none", f"git/trees/{'f' * 40}", f"git/blobs/{'f' * 40}"):
        assert api.call("GET", path).status == 404
    assert api.call("GET", "commits", sha="none").status == 404


def test_commits_are_listed_until_a_moment(api):
    tip = git(api.bare, "rev-parse", "main")
    assert [one["sha"] for one in api.call("GET", "commits", sha="main").body] == [tip]
    assert api.call("GET", "commits", sha="main", until="2000-01-01T00:00:00Z").body == []


def test_a_workflow_that_is_there_is_started_and_noted(api):
    wanted = {"ref": "main", "inputs": {"a": "b"}}
    path = "actions/workflows/x.yml/dispatches"
    assert api.call("POST", path, wanted).status == 404
    blob = git(api.bare, "hash-object", "-w", "--stdin", stdin=b"on: workflow_dispatch\n")
    line = f"100644 blob {blob}\tx.yml\n"
    for folder in ("workflows", ".github"):
        line = f"040000 tree {git(api.bare, 'mktree', stdin=line.encode())}\t{folder}\n"
    tree = git(api.bare, "mktree", stdin=line.encode())
    commit = git(api.bare, "commit-tree", tree, "-p", "main", "-m", "x")
    git(api.bare, "update-ref", "refs/heads/main", commit)
    assert api.call("POST", path, wanted).status == 204
    (started,) = api.repository.dispatches
    assert (started.workflow, started.ref, started.inputs) == ("x.yml", "main", {"a": "b"})
