"""Pull requests, as https://docs.github.com/en/rest/pulls documents them."""

from __future__ import annotations

import pytest

from evalsim.testing import REPOSITORY, git


def test_a_pull_request_says_what_it_is_of_and_into(api):
    pull = api.open_pull(body="why")
    tip = api.repository.bare.branch("topic")
    assert (pull["number"], pull["state"], pull["title"], pull["body"]) == (1, "open", "topic", "why")
    assert (pull["head"]["ref"], pull["head"]["sha"], pull["head"]["label"]) == ("topic", tip, "acme:topic")
    assert (pull["base"]["ref"], pull["base"]["repo"]["full_name"]) == ("main", REPOSITORY)
    assert pull["html_url"] == f"http://github.test/{REPOSITORY}/pull/1"
    assert pull["merged_at"] is pull["closed_at"] is pull["merge_commit_sha"] is None


def test_what_takes_work_is_worked_out_where_one_is_asked_for_alone(api):
    api.open_pull()
    api.commit("topic", "more.txt", "more")
    alone = api.call("GET", "pulls/1").body
    assert (alone["mergeable"], alone["mergeable_state"], alone["commits"]) == (True, "clean", 2)
    (listed,) = api.call("GET", "pulls").body
    assert "mergeable" not in listed


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"head": "nowhere"}, 422, {"resource": "PullRequest", "field": "head", "code": "invalid"}),
        ({"base": "nowhere"}, 422, {"resource": "PullRequest", "field": "base", "code": "invalid"}),
        ({"head": "main"}, 422, "No commits between main and main"),
        ({}, 422, "A pull request already exists for acme:topic."),
    ],
)
def test_one_that_cannot_be_is_refused_with_the_reason(api, change, status, error):
    api.open_pull()
    said = api.call("POST", "pulls", {"title": "x", "head": "topic", "base": "main"} | change)
    assert (said.status, said.message) == (status, "Validation Failed")
    (found,) = said.body["errors"]
    assert (found if isinstance(error, dict) else found["message"]) == error


def test_a_branch_without_a_commit_of_its_own_makes_none(api):
    git(api.bare, "update-ref", "refs/heads/same", "refs/heads/main")
    said = api.call("POST", "pulls", {"title": "x", "head": "same", "base": "main"})
    assert said.body["errors"][0]["message"] == "No commits between main and same"


def test_a_closed_one_makes_room_for_another(api):
    api.open_pull()
    closed = api.call("PATCH", "pulls/1", {"state": "closed"}).body
    assert (closed["state"], closed["closed_at"]) == ("closed", "2026-01-05T09:00:00Z")
    assert (closed["merged"], closed["mergeable"], closed["mergeable_state"]) == (False, None, "unknown")
    assert api.open_pull()["number"] == 2


def test_title_and_body_are_changed_and_what_is_not_named_stays(api):
    api.open_pull(body="why")
    api.pass_time(5)
    edited = api.call("PATCH", "pulls/1", {"title": "New"}).body
    assert (edited["title"], edited["body"], edited["updated_at"]) == ("New", "why", "2026-01-05T09:00:05Z")


def test_they_are_listed_newest_first_by_state_head_and_base(api):
    for name in ("one", "two"):
        api.open_pull(name)
    api.call("PATCH", "pulls/1", {"state": "closed"})

    def heads(**query):
        return [pull["head"]["ref"] for pull in api.call("GET", "pulls", **query).body]

    assert heads() == ["two"]
    assert heads(state="all") == ["two", "one"]
    assert heads(state="all", direction="asc") == ["one", "two"]
    assert heads(state="closed", head="acme:one") == ["one"]
    assert heads(head="mallory:two") == heads(base="other") == []


def test_merging_makes_a_merge_commit_with_the_titles(api):
    api.open_pull()
    before = api.repository.bare.branch("main")
    said = api.call("PUT", "pulls/1/merge")
    assert (said.status, said.body["merged"]) == (200, True)
    commit = said.body["sha"]
    assert api.repository.bare.branch("main") == commit
    parents = git(api.bare, "rev-list", "--parents", "-1", commit).split()[1:]
    assert parents == [before, api.repository.bare.branch("topic")]
    assert git(api.bare, "log", "-1", "--format=%B", commit) == (
        "Merge pull request #1 from acme/topic\n\ntopic"
    )
    merged = api.call("GET", "pulls/1").body
    assert (merged["state"], merged["merged"], merged["merge_commit_sha"]) == ("closed", True, commit)


def test_a_merge_commit_may_have_a_title_of_its_own(api):
    api.open_pull()
    commit = api.call("PUT", "pulls/1/merge", {"commit_title": "Results"}).body["sha"]
    assert git(api.bare, "log", "-1", "--format=%s", commit) == "Results"


def test_a_conflict_is_not_merged_and_shows(api):
    for name in ("one", "two"):
        api.commit(name, "README.md", f"{name}\n")
        api.open_pull(name)
    assert api.call("PUT", "pulls/1/merge").status == 200
    dirty = api.call("GET", "pulls/2").body
    assert (dirty["mergeable"], dirty["mergeable_state"]) == (False, "dirty")
    said = api.call("PUT", "pulls/2/merge")
    assert (said.status, said.message) == (405, "Pull Request is not mergeable")


def test_a_head_that_has_moved_is_not_merged(api):
    api.open_pull()
    said = api.call("PUT", "pulls/1/merge", {"sha": "0" * 40})
    assert (said.status, said.message) == (
        409,
        "Head branch was modified. Review and try the merge again.",
    )
    tip = api.repository.bare.branch("topic")
    assert api.call("PUT", "pulls/1/merge", {"sha": tip}).status == 200


def test_one_that_is_closed_or_without_its_branch_is_not_merged(api):
    api.open_pull("one")
    api.open_pull("two")
    api.call("PATCH", "pulls/1", {"state": "closed"})
    git(api.bare, "update-ref", "-d", "refs/heads/two")
    for number in (1, 2):
        assert api.call("PUT", f"pulls/{number}/merge").status == 405


def test_where_its_head_stood_is_known_after_the_branch_is_gone(api):
    api.open_pull()
    tip = api.repository.bare.branch("topic")
    api.call("PUT", "pulls/1/merge")
    git(api.bare, "update-ref", "-d", "refs/heads/topic")
    assert api.call("GET", "pulls/1").body["head"]["sha"] == tip


def test_one_from_a_fork_names_whose_branch_it_is(api):
    fork = api.state.add_repository("mallory/prompt-library", api.bare)
    theirs = git(fork.bare.path, "commit-tree", "main^{tree}", "-p", "main", "-m", "x")
    git(fork.bare.path, "update-ref", "refs/heads/topic", theirs)
    said = api.call("POST", "pulls", {"title": "x", "head": "mallory:topic", "base": "main"})
    assert said.status == 201
    assert said.body["head"]["repo"]["full_name"] == "mallory/prompt-library"
    assert said.body["head"]["sha"] == theirs
    assert api.call("PUT", "pulls/1/merge").status == 200


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "pulls/9"), ("PATCH", "pulls/9"), ("PUT", "pulls/9/merge")]
)
def test_one_that_is_not_there_is_not_found(api, method, path):
    assert api.call(method, path, {}).status == 404
