"""What a token must be allowed for a call of the simulated GitHub, and how it is refused without it."""

from __future__ import annotations

import pytest

SHA = "a" * 40
TOKEN = "github_pat_weak"
CALLS = [
    ("GET", "pulls", "pull_requests", "read"),
    ("POST", "pulls", "pull_requests", "write"),
    ("PATCH", "pulls/1", "pull_requests", "write"),
    ("PUT", "pulls/1/merge", "contents", "write"),
    ("GET", f"commits/{SHA}/pulls", "pull_requests", "read"),
    ("POST", f"statuses/{SHA}", "statuses", "write"),
    ("POST", "issues", "issues", "write"),
    ("GET", "branches/main", "contents", "read"),
    ("GET", "git/ref/heads/main", "contents", "read"),
]


def call(api, granted: dict[str, str], method: str, path: str):
    api.state.add_token(TOKEN, permissions=granted)
    return api.call(method, path, {} if method != "GET" else None, authorization=f"Bearer {TOKEN}")


@pytest.mark.parametrize(("method", "path", "name", "level"), CALLS)
def test_without_its_permission_a_call_is_refused_and_the_permission_named(api, method, path, name, level):
    others = {each: "write" for each in ("contents", "pull_requests", "statuses", "issues") if each != name}
    said = call(api, others, method, path)
    assert (said.status, said.message) == (403, "Resource not accessible by personal access token")
    named = {key.lower(): value for key, value in said.headers.items()}
    assert named["x-accepted-github-permissions"] == f"{name}={level}"


@pytest.mark.parametrize(("method", "path", "name", "level"), CALLS)
def test_with_it_alone_the_call_is_not_refused_for_that(api, method, path, name, level):
    assert call(api, {name: level}, method, path).status != 403


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [(method, path, name) for method, path, name, level in CALLS if level == "write"],
)
def test_to_read_is_not_to_write(api, method, path, name):
    assert call(api, {name: "read"}, method, path).status == 403


@pytest.mark.parametrize("name", ["issues", "pull_requests"])
def test_comments_and_labels_need_one_of_two(api, name):
    api.open_pull()
    for path in ("issues/1/comments", "issues/1/labels"):
        assert call(api, {name: "read"}, "GET", path).status == 200
        assert call(api, {}, "GET", path).status == 403


def test_the_repository_itself_needs_no_more_than_the_metadata(api):
    assert call(api, {}, "GET", "").status == 200
