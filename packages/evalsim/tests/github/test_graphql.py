"""GraphQL of the simulated GitHub: who calls, and when auto-merge is refused, in GitHub's words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evalsim.github.graphql import answer_graphql
from evalsim.github.request import ApiError, Request
from evalsim.github.state import AutoMerge
from evalsim.testing import GITHUB_TOKEN, REPOSITORY

OWNER, NAME = REPOSITORY.split("/")
REPOSITORY_QUERY = """query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    autoMergeAllowed mergeCommitAllowed squashMergeAllowed rebaseMergeAllowed
    pullRequest(number: $number) { id number autoMergeRequest { mergeMethod enabledAt } }
  }
}"""
ENABLE = """mutation($input: EnablePullRequestAutoMergeInput!) {
  enablePullRequestAutoMerge(input: $input) {
    clientMutationId pullRequest { number autoMergeRequest { mergeMethod } }
  }
}"""


class GraphQL:
    """Queries of one simulated GitHub, whose repository lets pull requests merge by themselves."""

    def __init__(self, api: Any) -> None:
        self.api = api
        api.repository.allow_auto_merge = True
        api.repository.required_contexts = ("check",)
        self.pull = api.open_pull()

    def ask(self, query: str, token: str = GITHUB_TOKEN, **variables: Any) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = Request(
            "POST", "/graphql", {}, f"Bearer {token}", body, "http://g.test", "http://g.test/api"
        )
        answer = answer_graphql(self.api.state, self.api.state.tokens[token], request)
        assert answer.status == 200
        return json.loads(answer.body)

    def repository(self, number: int = 1, owner: str = OWNER) -> dict[str, Any]:
        return self.ask(REPOSITORY_QUERY, owner=owner, name=NAME, number=number)

    def enable(self, token: str = GITHUB_TOKEN, **changes: Any) -> dict[str, Any]:
        return self.ask(ENABLE, token, input={"pullRequestId": self.pull["node_id"]} | changes)


@pytest.fixture
def graphql(api) -> GraphQL:
    return GraphQL(api)


def refusal(body: dict[str, Any]) -> tuple[str, str]:
    (error,) = body["errors"]
    return error["type"], error["message"]


# who, and what


def test_it_says_who_calls(graphql: GraphQL) -> None:
    assert graphql.ask("{ viewer { login } }") == {"data": {"viewer": {"login": "evaluator-bot"}}}


def test_a_repository_says_what_it_allows(graphql: GraphQL) -> None:
    graphql.api.repository.merge_methods = ("SQUASH",)
    found = graphql.repository()["data"]["repository"]
    assert found["autoMergeAllowed"] is True
    assert [found[f"{name}MergeAllowed"] for name in ("squash", "rebase")] == [True, False]
    assert found["mergeCommitAllowed"] is False
    assert found["pullRequest"] == {"id": graphql.pull["node_id"], "number": 1, "autoMergeRequest": None}


@pytest.mark.parametrize(("number", "owner"), [(99, OWNER), (1, "nobody")])
def test_what_is_not_there_is_an_error_with_its_kind_in_a_200(
    graphql: GraphQL, number: int, owner: str
) -> None:
    kind, words = refusal(graphql.repository(number, owner))
    assert kind == "NOT_FOUND"
    assert words.startswith("Could not resolve to a ")


@pytest.mark.parametrize("query", ["", "{", "{ nothing }", "{ viewer }", "subscription { x }"])
def test_what_is_no_query_is_an_error_without_data(graphql: GraphQL, query: str) -> None:
    body = graphql.ask(query)
    assert body["errors"]
    assert body.get("data") is None


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b"[]", 422), (b"{}", 422), (b'{"query": 7}', 422)]
)
def test_a_body_that_is_none_is_refused(api, body: bytes, status: int) -> None:
    request = Request("POST", "/graphql", {}, "", body, "http://g.test", "http://g.test/api")
    with pytest.raises(ApiError) as caught:
        answer_graphql(api.state, api.state.tokens[GITHUB_TOKEN], request)
    assert caught.value.answer.status == status


# auto-merge


def test_it_is_enabled_with_the_method_that_is_asked_for(graphql: GraphQL) -> None:
    answer = graphql.enable(mergeMethod="SQUASH", clientMutationId="mine")
    assert answer["data"]["enablePullRequestAutoMerge"] == {
        "clientMutationId": "mine",
        "pullRequest": {"number": 1, "autoMergeRequest": {"mergeMethod": "SQUASH"}},
    }
    (pull,) = graphql.api.repository.pulls
    assert pull.auto_merge.method == "SQUASH"


def test_it_is_a_merge_commit_where_no_method_is_asked_for(graphql: GraphQL) -> None:
    graphql.enable()
    assert graphql.api.repository.pulls[0].auto_merge.method == "MERGE"


def test_enabled_again_it_keeps_the_time_at_which_it_was(graphql: GraphQL) -> None:
    graphql.enable()
    first: AutoMerge = graphql.api.repository.pulls[0].auto_merge
    graphql.api.pass_time(60)
    graphql.enable(mergeMethod="REBASE")
    again = graphql.api.repository.pulls[0].auto_merge
    assert (again.method, again.enabled_at) == ("REBASE", first.enabled_at)


def refused_because(graphql: GraphQL, **changes: Any) -> str:
    kind, words = refusal(graphql.enable(**changes))
    assert kind == "UNPROCESSABLE"
    assert graphql.api.repository.pulls[0].auto_merge is None
    return words


def test_a_repository_that_does_not_allow_it_refuses(graphql: GraphQL) -> None:
    graphql.api.repository.allow_auto_merge = False
    assert "Auto merge is not allowed for this repository" in refused_because(graphql)


def test_a_method_that_the_repository_does_not_allow_is_refused(graphql: GraphQL) -> None:
    graphql.api.repository.merge_methods = ("SQUASH",)
    assert "merging is not allowed on this repository" in refused_because(graphql)


def test_a_closed_pull_request_is_refused(graphql: GraphQL) -> None:
    graphql.api.call("PATCH", "pulls/1", {"state": "closed"})
    assert "is closed" in refused_because(graphql)


def test_another_head_than_was_expected_is_refused(graphql: GraphQL) -> None:
    assert "Head sha didn't match" in refused_because(graphql, expectedHeadOid="0" * 40)
    assert "errors" not in graphql.enable(expectedHeadOid=graphql.pull["head"]["sha"])


def test_a_pull_request_that_could_be_merged_now_is_refused(graphql: GraphQL) -> None:
    graphql.api.repository.required_contexts = ()
    assert "is in clean status" in refused_because(graphql)


def test_a_pull_request_that_is_not_there_is_not_found(graphql: GraphQL) -> None:
    kind, _ = refusal(graphql.enable(pullRequestId="PR_nothing"))
    assert kind == "NOT_FOUND"


@pytest.mark.parametrize("lacking", ["contents", "pull_requests"])
def test_a_token_without_a_permission_is_forbidden(graphql: GraphQL, lacking: str) -> None:
    granted = {name: "write" for name in ("contents", "pull_requests") if name != lacking}
    graphql.api.state.add_token("weak", permissions=granted)
    kind, words = refusal(graphql.enable("weak"))
    assert (kind, words) == ("FORBIDDEN", "Resource not accessible by personal access token")
    assert graphql.api.repository.pulls[0].auto_merge is None
