"""Branches, files, commits, statuses, workflows and Apps, as https://docs.github.com/en/rest has them."""

from __future__ import annotations

import base64
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from evalsim.github.repositories import LONGEST_DESCRIPTION, MOST_OF_A_CONTEXT
from evalsim.github.state import CommitStatus
from evalsim.testing import REPOSITORY, git


def test_a_repository_says_where_it_is(api):
    body = api.call("GET", "").body
    assert (body["full_name"], body["default_branch"], body["private"]) == (REPOSITORY, "main", True)
    assert body["clone_url"] == f"http://github.test/{REPOSITORY}.git"
    assert body["permissions"]["push"] is True


def test_branches_are_listed_and_found_by_name(api):
    tip = api.commit("eval-results/a", "x.txt", "x")
    assert [branch["name"] for branch in api.call("GET", "branches").body] == ["eval-results/a", "main"]
    assert api.call("GET", "branches/eval-results/a").body["commit"]["sha"] == tip
    missing = api.call("GET", "branches/nowhere")
    assert (missing.status, missing.message) == (404, "Branch not found")


@pytest.mark.parametrize("path", ["git/ref/heads/main", "git/refs/heads/main"])
def test_a_reference_is_a_commit(api, path):
    body = api.call("GET", path).body
    assert (body["ref"], body["object"]["type"]) == ("refs/heads/main", "commit")
    assert body["object"]["sha"] == api.repository.bare.branch("main")


def test_a_file_is_given_raw_at_a_branch_or_commit(api):
    first = api.repository.bare.branch("main")
    api.commit("main", "README.md", "later\n")
    assert api.call("GET", "contents/README.md").content == b"later\n"
    assert api.call("GET", "contents/README.md", ref=first).content == b"hello\n"
    assert api.call("GET", "contents/docs/a.md").content == b"a\n"
    for path, ref in (("nothing.md", "main"), ("README.md", "nowhere"), ("docs", "main")):
        assert api.call("GET", f"contents/{path}", ref=ref).status == 404


def test_commits_are_listed_newest_first(api):
    first = api.repository.bare.branch("main")
    second = api.commit("main", "x.txt", "x")
    assert [commit["sha"] for commit in api.call("GET", "commits").body] == [second, first]
    assert [commit["sha"] for commit in api.call("GET", "commits", sha=first).body] == [first]
    assert api.call("GET", "commits", until="2000-01-01T00:00:00Z").body == []
    assert api.call("GET", "commits", sha="nowhere").status == 404
    assert api.call("GET", "commits", sha="--all").status == 404


def status(api, sha, **fields):
    return api.call("POST", f"statuses/{sha}", {"state": "pending", "context": "eval"} | fields)


def test_a_status_is_of_a_commit(api):
    tip = api.repository.bare.branch("main")
    said = status(api, tip, description="at work", target_url="https://host/jobs/1")
    assert said.status == 201
    assert said.body["created_at"] == "2026-01-05T09:00:00Z"
    status(api, tip, state="success")
    listed = api.call("GET", f"commits/{tip}/statuses").body
    assert [one["state"] for one in listed] == ["success", "pending"]
    assert (listed[1]["description"], listed[1]["context"]) == ("at work", "eval")


def test_a_status_that_cannot_be_is_refused(api):
    tip = api.repository.bare.branch("main")
    assert status(api, tip, description="x" * LONGEST_DESCRIPTION).status == 201
    assert status(api, tip, description="x" * (LONGEST_DESCRIPTION + 1)).status == 422
    assert status(api, tip, state="done").status == 422
    unknown = status(api, "0" * 40)
    assert (unknown.status, unknown.message) == (422, f"No commit found for SHA: {'0' * 40}")
    assert status(api, "main").status == 404


def test_a_context_of_a_commit_takes_so_many_statuses_and_no_more(api):
    tip = api.repository.bare.branch("main")
    one = CommitStatus(
        sha=tip, state="pending", description=None, target_url=None, context="eval", created_at=""
    )
    api.repository.statuses += [one] * MOST_OF_A_CONTEXT
    assert status(api, tip).status == 422
    assert status(api, tip, context="other").status == 201


def test_a_workflow_is_started_where_the_branch_has_it(api):
    blob = git(api.bare, "hash-object", "-w", "--stdin", stdin=b"on: workflow_dispatch\n")
    inner = git(api.bare, "mktree", stdin=f"100644 blob {blob}\tevaluate-cloud.yml\n".encode())
    middle = git(api.bare, "mktree", stdin=f"040000 tree {inner}\tworkflows\n".encode())
    top = git(api.bare, "mktree", stdin=f"040000 tree {middle}\t.github\n".encode())
    git(api.bare, "update-ref", "refs/heads/work", git(api.bare, "commit-tree", top, "-m", "x"))
    path = "actions/workflows/evaluate-cloud.yml/dispatches"
    assert api.call("POST", path, {"ref": "work", "inputs": {"skill": "memo"}}).status == 204
    assert [(one.workflow, one.ref, one.inputs) for one in api.repository.dispatches] == [
        ("evaluate-cloud.yml", "work", {"skill": "memo"})
    ]
    assert api.call("POST", path, {"ref": "main"}).status == 404
    assert api.call("POST", path, {}).status == 422


def test_trees_are_listed_with_all_below_only_where_asked(api):
    flat = api.call("GET", "git/trees/main").body
    kinds = {line["path"]: line["type"] for line in flat["tree"]}
    assert kinds == {"README.md": "blob", "docs": "tree"}
    deep = api.call("GET", "git/trees/main", recursive=1).body
    assert [line["path"] for line in deep["tree"]] == ["README.md", "docs", "docs/a.md"]
    assert deep["tree"][0]["size"] == 6
    assert (flat["truncated"], deep["truncated"]) == (False, False)
    assert api.call("GET", "git/trees/nowhere").status == 404


def test_a_tree_of_too_many_lines_is_cut_and_says_so(api):
    api.repository.tree_limit = 2
    cut = api.call("GET", "git/trees/main", recursive=1).body
    assert (len(cut["tree"]), cut["truncated"]) == (2, True)
    assert api.call("GET", "git/trees/main").body["truncated"] is False


def test_a_blob_comes_in_lines_of_base64(api):
    data = bytes(range(256)) * 2
    sha = git(api.bare, "hash-object", "-w", "--stdin", stdin=data)
    body = api.call("GET", f"git/blobs/{sha}").body
    assert (body["size"], body["encoding"]) == (512, "base64")
    assert base64.b64decode(body["content"]) == data
    assert "\n" in body["content"]
    assert api.call("GET", f"git/blobs/{'0' * 40}").status == 404


# Apps


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def signed(key, issuer="7", **claims):
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    now = int(time.time())
    return jwt.encode({"iss": issuer, "iat": now, "exp": now + 300} | claims, private, algorithm="RS256")


@pytest.fixture
def app(api, key):
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    api.state.add_app("7", public.decode())
    return api.state.apps["7"]


def test_an_app_finds_its_installation_and_gets_a_token_for_an_hour(api, app, key):
    by_app = {"authorization": f"Bearer {signed(key)}"}
    found = api.call("GET", f"/repos/{REPOSITORY}/installation", **by_app).body
    assert found["id"] == app.installation
    assert api.call("GET", "/app", **by_app).body["id"] == 7
    said = api.call("POST", f"/app/installations/{app.installation}/access_tokens", **by_app)
    assert (said.status, said.body["expires_at"]) == (201, "2026-01-05T10:00:00Z")
    assert said.body["permissions"]["contents"] == "write"
    token = said.body["token"]
    assert api.call("GET", "", authorization=f"Bearer {token}").status == 200
    api.pass_time(3600)
    expired = api.call("GET", "", authorization=f"Bearer {token}")
    assert (expired.status, expired.message) == (401, "Bad credentials")


@pytest.mark.usefixtures("app")
def test_an_app_that_is_not_known_or_signs_wrongly_is_refused(api, key):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for token in (signed(other), signed(key, "8"), signed(key, exp=1), "x.y.z", ""):
        said = api.call("GET", "/app", authorization=f"Bearer {token}")
        assert (said.status, said.message) == (401, "A JSON web token could not be decoded")


def test_an_app_asks_for_what_is_there(api, app, key):
    by_app = {"authorization": f"Bearer {signed(key)}"}
    assert api.call("GET", "/repos/acme/nothing/installation", **by_app).status == 404
    others = f"/app/installations/{app.installation + 1}/access_tokens"
    assert api.call("POST", others, **by_app).status == 404
    assert api.call("GET", "/app/nothing", **by_app).status == 404


def test_who_calls_is_told_by_graphql_to_users_and_apps(api, app):
    token, _ = api.state.mint(app)
    query = {"query": "query { viewer { login } }"}
    assert api.call("POST", "/graphql", query).body == {"data": {"viewer": {"login": "evaluator-bot"}}}
    by_app = api.call("POST", "/graphql", query, authorization=f"bearer {token}").body
    assert by_app["data"]["viewer"]["login"] == "evaluator-7[bot]"
    assert api.call("GET", "/user", authorization=f"bearer {token}").status == 403
    assert "errors" in api.call("POST", "/graphql", {"query": "{ repository { id } }"}).body
