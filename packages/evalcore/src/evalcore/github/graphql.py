"""GitHub's GraphQL API, which is found beside the REST API or below its root."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from github import Github, GithubException


def ask(client: Github, query: str, variables: Mapping[str, object]) -> object:
    """Ask, and return the whole answer; raises GithubException, also for errors within an answer.

    GitHub Enterprise has it beside `<root>` (`/api/graphql` beside `/api/v3`), all others at
    `<root>/graphql`.
    """
    requester, values = client.requester, dict(variables)
    try:
        return requester.graphql_query(query, values)[1]
    except GithubException as error:
        below = f"{requester.base_url}/graphql"
        # A 404 with GraphQL's own errors is an answer: asking elsewhere would hide it.
        is_absent = error.status == HTTPStatus.NOT_FOUND and not _is_answer(error.data)
        if not is_absent or below == requester.graphql_url:
            raise
    headers, answer = requester.requestJsonAndCheck(
        "POST", below, input={"query": query, "variables": values}
    )
    if _is_answer(answer):
        raise GithubException(HTTPStatus.BAD_REQUEST, answer, headers)
    return answer


def _is_answer(data: object) -> bool:
    """Whether GraphQL itself refuses, as for a repository that is not there."""
    return isinstance(data, dict) and "errors" in data
