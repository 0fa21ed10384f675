"""Issues, comments and labels, as https://docs.github.com/en/rest/issues documents them."""

from __future__ import annotations

import pytest

from evalsim.testing import REPOSITORY


def opened(api, title="Broken", **fields):
    said = api.call("POST", "issues", {"title": title} | fields)
    assert said.status == 201
    return said.body


def test_an_issue_is_opened_with_who_when_and_where(api):
    issue = opened(api, body="why", labels=["bug"])
    assert (issue["number"], issue["state"], issue["title"], issue["body"]) == (1, "open", "Broken", "why")
    assert (issue["user"]["login"], issue["user"]["type"]) == ("evaluator-bot", "User")
    assert issue["created_at"] == issue["updated_at"] == "2026-01-05T09:00:00Z"
    assert issue["closed_at"] is None
    assert issue["html_url"] == f"http://github.test/{REPOSITORY}/issues/1"
    assert issue["url"] == f"http://github.test/api/v3/repos/{REPOSITORY}/issues/1"


def test_labels_that_the_repository_lacks_are_made(api):
    opened(api, labels=["bug", "eval"])
    assert [label["name"] for label in api.call("GET", "labels").body] == ["bug", "eval"]


def test_issues_and_pull_requests_share_their_numbers(api):
    opened(api)
    assert api.open_pull()["number"] == 2
    assert opened(api)["number"] == 3


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"{", 400, "Problems parsing JSON"),
        ({}, 422, "Invalid request."),
        ({"title": 7}, 422, "Invalid request."),
        ({"title": "  "}, 422, "Validation Failed"),
        ({"title": "x", "labels": "bug"}, 422, "Invalid request."),
    ],
)
def test_an_issue_that_cannot_be_opened_is_refused_in_githubs_words(api, body, status, message):
    said = api.call("POST", "issues", body)
    assert (said.status, said.message.splitlines()[0]) == (status, message)
    assert said.body["status"] == str(status)
    assert said.body["documentation_url"].startswith("https://docs.github.com/")
    assert api.call("GET", "issues").body == []


def test_issues_are_listed_newest_first_by_state_and_labels(api):
    opened(api, "one", labels=["a"])
    opened(api, "two", labels=["a", "b"])
    opened(api, "three")
    api.call("PATCH", "issues/3", {"state": "closed"})

    def titles(**query):
        return [issue["title"] for issue in api.call("GET", "issues", **query).body]

    assert titles() == ["two", "one"]
    assert titles(state="all") == ["three", "two", "one"]
    assert titles(state="closed") == ["three"]
    assert titles(labels="a") == ["two", "one"]
    assert titles(labels="a,b") == ["two"]
    assert titles(labels="none") == []
    assert titles(direction="asc") == ["one", "two"]


def test_an_issue_is_closed_and_opened_again(api):
    opened(api)
    api.pass_time(60)
    closed = api.call("PATCH", "issues/1", {"state": "closed", "state_reason": "completed"}).body
    assert (closed["state"], closed["closed_at"]) == ("closed", "2026-01-05T09:01:00Z")
    again = api.call("PATCH", "issues/1", {"state": "open"}).body
    assert (again["state"], again["closed_at"]) == ("open", None)


def test_what_is_not_named_stays(api):
    opened(api, body="why")
    assert api.call("PATCH", "issues/1", {"title": "New"}).body["body"] == "why"
    assert api.call("PATCH", "issues/1", {"body": ""}).body["title"] == "New"
    assert api.call("GET", "issues/1").body["body"] == ""


def test_comments_stand_in_their_order_and_are_counted(api):
    opened(api)
    for text in ("first", "second"):
        said = api.call("POST", "issues/1/comments", {"body": text})
        assert (said.status, said.body["body"]) == (201, text)
    assert [comment["body"] for comment in api.call("GET", "issues/1/comments").body] == ["first", "second"]
    assert api.call("GET", "issues/1").body["comments"] == 2
    assert api.call("POST", "issues/1/comments", {}).status == 422


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "issues/9"),
        ("PATCH", "issues/9"),
        ("GET", "issues/9/comments"),
        ("POST", "issues/9/labels"),
        ("GET", "issues/9/labels"),
        ("GET", "issues/x"),
    ],
)
def test_what_is_not_there_is_not_found(api, method, path):
    said = api.call(method, path, {"labels": [], "body": "x"})
    assert (said.status, said.message) == (404, "Not Found")


def test_a_label_is_made_once_whatever_its_case(api):
    said = api.call("POST", "labels", {"name": "Bug", "color": "ff0000", "description": "broken"})
    assert said.status == 201
    shown = {"name": "Bug", "color": "ff0000", "description": "broken", "default": False}
    assert shown.items() <= said.body.items()
    again = api.call("POST", "labels", {"name": "bug"})
    assert (again.status, again.message) == (422, "Validation Failed")
    assert again.body["errors"] == [{"resource": "Label", "code": "already_exists", "field": "name"}]


@pytest.mark.parametrize("body", [{"labels": ["a", "b"]}, ["a", "b"]])
def test_labels_are_added_to_a_pull_request_once_each(api, body):
    api.open_pull()
    for _ in range(2):
        said = api.call("POST", "issues/1/labels", body)
        assert said.status == 200
    assert [label["name"] for label in said.body] == ["a", "b"]
    assert [label["name"] for label in api.call("GET", "issues/1/labels").body] == ["a", "b"]
    assert [label["name"] for label in api.call("GET", "pulls/1").body["labels"]] == ["a", "b"]


def test_labelling_changes_when_a_pull_request_was_last_changed(api):
    api.open_pull()
    api.pass_time(5)
    api.call("POST", "issues/1/labels", ["a"])
    assert api.call("GET", "pulls/1").body["updated_at"] == "2026-01-05T09:00:05Z"
