"""GraphQL, as far as clients here ask: who calls, and auto-merge with GitHub's refusals of it.

The types are an excerpt of GitHub's own schema (https://docs.github.com/en/graphql/overview/public-schema);
queries are read, validated and executed by graphql-core.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import msgspec
from graphql import GraphQLError, build_schema, graphql_sync

from evalsim.asgi import Answer, json_answer
from evalsim.github import discussions
from evalsim.github.pulls import mergeable_state
from evalsim.github.request import Request
from evalsim.github.state import MERGE_METHODS, Pull, Repository, State, Token

SCHEMA: Final = build_schema(
    """
    scalar DateTime
    scalar GitObjectID
    scalar URI
    type Query {
      viewer: User!
      repository(followRenames: Boolean = true, name: String!, owner: String!): Repository
    }
    type Mutation {
      enablePullRequestAutoMerge(input: EnablePullRequestAutoMergeInput!): EnablePullRequestAutoMergePayload
    }
    interface Actor { avatarUrl(size: Int): URI!  login: String!  resourcePath: URI!  url: URI! }
    type User implements Actor {
      avatarUrl(size: Int): URI!
      login: String!
      resourcePath: URI!
      url: URI!
    }
    type Repository {
      autoMergeAllowed: Boolean!
      mergeCommitAllowed: Boolean!
      squashMergeAllowed: Boolean!
      rebaseMergeAllowed: Boolean!
      pullRequest(number: Int!): PullRequest
    }
    type PullRequest { id: ID!  number: Int!  autoMergeRequest: AutoMergeRequest }
    type AutoMergeRequest { enabledAt: DateTime  mergeMethod: PullRequestMergeMethod! }
    enum PullRequestMergeMethod { MERGE SQUASH REBASE }
    input EnablePullRequestAutoMergeInput {
      authorEmail: String
      clientMutationId: String
      commitBody: String
      commitHeadline: String
      expectedHeadOid: GitObjectID
      mergeMethod: PullRequestMergeMethod = MERGE
      pullRequestId: ID!
    }
    type EnablePullRequestAutoMergePayload {
      actor: Actor
      clientMutationId: String
      pullRequest: PullRequest
    }
    """
)


class Query(msgspec.Struct):
    """The body of a GraphQL request."""

    query: str
    variables: dict[str, object] = {}


class Refusal(Exception):
    """An error with the type that GitHub gives it."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def answer_graphql(state: State, caller: Token, request: Request) -> Answer:
    """POST /graphql; unlike GET /user it also tells an app's token who calls. Refusals have status 200."""
    wanted = request.decode(Query)
    # A field without a resolver is what the root has under its name, called with the field's arguments.
    root = {
        "viewer": {"login": caller.login},
        "repository": partial(_repository, state),
        "enablePullRequestAutoMerge": partial(_enable, state, caller),
    }
    result = graphql_sync(SCHEMA, wanted.query, root_value=root, variable_values=wanted.variables)
    body: dict[str, object] = {} if result.data is None and result.errors else {"data": result.data}
    if result.errors:
        body["errors"] = [_error(error) for error in result.errors]
    return json_answer(200, body)


def _error(error: GraphQLError) -> dict[str, object]:
    shown: dict[str, object] = dict(error.formatted)
    if isinstance(error.original_error, Refusal):
        # GitHub's clients go by this type: the status is 200 whatever is refused.
        shown["type"] = error.original_error.kind
    return shown


def _repository(state: State, _: object, owner: str, name: str, **__: object) -> dict[str, object]:
    found = state.repositories.get(f"{owner}/{name}".lower())
    if found is None:
        message = f"Could not resolve to a Repository with the name '{owner}/{name}'."
        raise Refusal("NOT_FOUND", message)
    return _repository_shown(found)


def _repository_shown(repository: Repository) -> dict[str, object]:
    def pull_request(_: object, number: int) -> dict[str, object]:
        pull = next((pull for pull in repository.pulls if pull.number == number), None)
        if pull is None:
            message = f"Could not resolve to a PullRequest with the number of {number}."
            raise Refusal("NOT_FOUND", message)
        return _pull_shown(repository, pull)

    return {
        "autoMergeAllowed": repository.allow_auto_merge,
        "mergeCommitAllowed": "MERGE" in repository.merge_methods,
        "squashMergeAllowed": "SQUASH" in repository.merge_methods,
        "rebaseMergeAllowed": "REBASE" in repository.merge_methods,
        "pullRequest": pull_request,
    }


def _pull_shown(repository: Repository, pull: Pull) -> dict[str, object]:
    asked = pull.auto_merge
    shown = None if asked is None else {"enabledAt": asked.enabled_at, "mergeMethod": asked.method}
    return {"id": discussions.node_id(repository, pull), "number": pull.number, "autoMergeRequest": shown}


def _enable(state: State, caller: Token, _: object, input: dict[str, Any]) -> dict[str, object]:  # noqa: A002 - GitHub's name
    repository, pull = _pull_of(state, input["pullRequestId"])
    if caller.access != "write" or not caller.allows("contents", "pull_requests"):
        kind = "integration" if caller.login.endswith("[bot]") else "personal access token"
        raise Refusal("FORBIDDEN", f"Resource not accessible by {kind}")
    method = input["mergeMethod"]
    refusal = _refusal(repository, pull, method, input.get("expectedHeadOid"))
    if refusal is not None:
        raise Refusal("UNPROCESSABLE", refusal)
    pull.ask_auto_merge(method, state.now())
    return {
        "clientMutationId": input.get("clientMutationId"),
        "pullRequest": _pull_shown(repository, pull),
    }


def _refusal(repository: Repository, pull: Pull, method: str, expected: str | None) -> str | None:
    """Say in GitHub's words why auto-merge cannot be enabled; None where it can."""
    state = mergeable_state(repository, pull)
    # The doubled words are GitHub's own.
    reasons = (
        (not repository.allow_auto_merge, "Pull request Auto merge is not allowed for this repository"),
        (
            method not in repository.merge_methods,
            f"Merge method {MERGE_METHODS[method]} merging is not allowed on this repository",
        ),
        (pull.state == "closed", "Pull request Pull request is closed"),
        (
            expected not in {None, discussions.head_of(repository, pull)},
            f"Head sha didn't match expected value {expected}",
        ),
        # There is nothing to wait for: such a pull request is merged, not set to merge.
        (state in {"clean", "unstable"}, f"Pull request Pull request is in {state} status"),
        (
            not repository.required_contexts,
            "Pull request Protected branch rules not configured for this branch",
        ),
    )
    return next((words for applies, words in reasons if applies), None)


def _pull_of(state: State, node: str) -> tuple[Repository, Pull]:
    for repository in state.repositories.values():
        for pull in repository.pulls:
            if discussions.node_id(repository, pull) == node:
                return repository, pull
    raise Refusal("NOT_FOUND", f"Could not resolve to a node with the global id of '{node}'")
