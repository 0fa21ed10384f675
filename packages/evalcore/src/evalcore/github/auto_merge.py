"""Auto-merge, which only GraphQL can enable.

GitHub refuses it in many words: where the repository does not allow it, where nothing is required of the
branch, and where a pull request lacks nothing and could be merged at once. All of these are answers,
not failures.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import structlog
from github import Github, GithubException

from evalcore.git.translate import said
from evalcore.github.graphql import ask

log = structlog.stdlib.get_logger(__name__)
LOOK: Final = """query ($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    autoMergeAllowed mergeCommitAllowed squashMergeAllowed rebaseMergeAllowed
    pullRequest(number: $number) { id autoMergeRequest { enabledAt } }
  }
}"""
ENABLE: Final = """mutation ($id: ID!, $method: PullRequestMergeMethod!) {
  enablePullRequestAutoMerge(input: {pullRequestId: $id, mergeMethod: $method}) { pullRequest { id } }
}"""
# In the order of preference: a merge commit keeps the commits that later results stand on.
METHODS: Final = {
    "mergeCommitAllowed": "MERGE", "squashMergeAllowed": "SQUASH", "rebaseMergeAllowed": "REBASE",
}  # fmt: skip
REFUSALS: Final = frozenset({"UNPROCESSABLE", "FORBIDDEN"})


def enable_auto_merge(client: Github, repository: str, number: int) -> bool:
    """Have GitHub merge a pull request once all that its branch requires is there.

    Returns whether it will: False where GitHub refuses. What is enabled already stays so. Raises
    GithubException for everything else.
    """
    try:
        return _enable(client, repository, number)
    except GithubException as error:
        # PyGithub raises 400 for an answer of 200 that holds errors, as GraphQL's refusals are.
        if error.status != HTTPStatus.BAD_REQUEST or not _kinds(error) <= REFUSALS:
            raise
        log.info("auto_merge_refused", repository=repository, number=number, reason=said(_words(error)))
        return False


def _enable(client: Github, repository: str, number: int) -> bool:
    owner, _, name = repository.partition("/")
    variables = {"owner": owner, "name": name, "number": number}
    answer = ask(client, LOOK, variables)
    match answer:
        case {"data": {"repository": {"pullRequest": {"id": str(node), "autoMergeRequest": asked}} as found}}:
            pass
        case _:
            raise GithubException(HTTPStatus.BAD_GATEWAY, {"message": "no answer to the query"}, None)
    # Enabled by an earlier try, whose answer was lost.
    if asked is not None:
        return True
    method = _method(found)
    if method is None:
        log.info("auto_merge_refused", repository=repository, number=number, reason="it does not allow it")
        return False
    ask(client, ENABLE, {"id": node, "method": method})
    return True


def _method(repository: Mapping[str, object]) -> str | None:
    """Choose how to merge; None where the repository allows no auto-merge."""
    if repository.get("autoMergeAllowed") is not True:
        return None
    return next((method for field, method in METHODS.items() if repository.get(field) is True), None)


def _errors(error: GithubException) -> list[Mapping[str, object]]:
    """GraphQL's errors; none for an answer that is not GraphQL's."""
    listed = error.data.get("errors") if isinstance(error.data, dict) else None
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _kinds(error: GithubException) -> set[object]:
    return {each.get("type") for each in _errors(error)} or {None}


def _words(error: GithubException) -> str:
    return "; ".join(str(each.get("message", "")) for each in _errors(error))
