"""Commit statuses. Source: https://docs.github.com/en/rest/commits/statuses."""

from __future__ import annotations

from typing import Literal

import msgspec

from evalsim.github import shapes
from evalsim.github.asgi import Answer, json_answer
from evalsim.github.calls import ApiError, Request, page_of
from evalsim.github.repository import run_git
from evalsim.github.state import CommitStatus, Repository, State

LONGEST_DESCRIPTION = 140
MOST_OF_A_CONTEXT = 1000


class NewStatus(msgspec.Struct):
    """The body of POST statuses/SHA."""

    state: Literal["error", "failure", "pending", "success"]
    target_url: str | None = None
    description: str | None = None
    context: str = "default"


def create_status(state: State, repository: Repository, request: Request, sha: str) -> Answer:
    """POST /repos/O/R/statuses/SHA."""
    wanted = request.decode(NewStatus)
    if len(wanted.description or "") > LONGEST_DESCRIPTION:
        raise ApiError(422, "Validation Failed: description is too long (maximum is 140 characters)")
    if run_git(repository.bare.path, "cat-file", "-e", f"{sha}^{{commit}}").returncode:
        raise ApiError(422, f"No commit found for SHA: {sha}")
    same = [kept for kept in repository.statuses if (kept.sha, kept.context) == (sha, wanted.context)]
    if len(same) >= MOST_OF_A_CONTEXT:
        raise ApiError(422, "This SHA and context has reached the maximum number of statuses.")
    status = CommitStatus(
        sha=sha,
        state=wanted.state,
        description=wanted.description,
        target_url=wanted.target_url,
        context=wanted.context,
        created_at=state.now(),
    )
    repository.statuses.append(status)
    return json_answer(201, shapes.status_body(status))


def list_statuses(state: State, repository: Repository, request: Request, sha: str) -> Answer:
    """GET /repos/O/R/commits/SHA/statuses, the newest first."""
    del state
    found = [status for status in reversed(repository.statuses) if status.sha == sha]
    return page_of(request, [shapes.status_body(status) for status in found])
