"""A repository: branches, files, statuses, and the GitHub App installed on it.

Sources: https://docs.github.com/en/rest/repos, .../rest/commits/statuses and .../rest/apps.
"""

from __future__ import annotations

from typing import Literal

import jwt
import msgspec

from evalsim.asgi import Answer, json_answer
from evalsim.github import bodies
from evalsim.github.pulls import merge_what_waits
from evalsim.github.repository import run_git
from evalsim.github.request import ApiError, Request, not_found, page_of
from evalsim.github.state import App, CommitStatus, Dispatch, Repository, State

LONGEST_DESCRIPTION = 140
"""Characters of a status's description."""
MOST_OF_A_CONTEXT = 1000
"""Statuses of one commit and context."""


class NewStatus(msgspec.Struct):
    """The body of POST statuses/SHA."""

    state: Literal["error", "failure", "pending", "success"]
    target_url: str | None = None
    description: str | None = None
    context: str = "default"


class NewDispatch(msgspec.Struct):
    """The body of POST dispatches."""

    ref: str
    inputs: dict[str, str] = {}


def get_repository(state: State, repository: Repository, request: Request) -> Answer:
    """GET /repos/O/R."""
    del state
    return json_answer(200, bodies.repository_body(repository, request.api, request.web))


def list_branches(state: State, repository: Repository, request: Request) -> Answer:
    """GET /repos/O/R/branches."""
    del state
    found = repository.bare.branches().items()
    shown = [bodies.branch_body(repository, name, sha, request.api) for name, sha in found]
    return page_of(request, shown)


def list_commits(state: State, repository: Repository, request: Request) -> Answer:
    """GET /repos/O/R/commits?sha=&until=, the newest first."""
    del state
    revision = request.query.get("sha", repository.bare.default_branch)
    until = request.query.get("until")
    options = ("--format=%H", *((f"--until={until}",) if until else ()))
    found = run_git(repository.bare.path, "log", *options, "--end-of-options", revision, "--")
    if found.returncode:
        raise not_found()
    shown = [bodies.commit_body(repository, sha, request.api) for sha in found.stdout.split()]
    return page_of(request, shown)


def start_workflow(state: State, repository: Repository, request: Request, file: str) -> Answer:
    """POST /repos/O/R/actions/workflows/FILE/dispatches: noted, where the branch has the file."""
    del state
    wanted = request.decode(NewDispatch)
    # As on GitHub, a workflow is only known where the branch has its file.
    if repository.bare.file(wanted.ref, f".github/workflows/{file}") is None:
        raise not_found()
    repository.dispatches.append(Dispatch(workflow=file, ref=wanted.ref, inputs=wanted.inputs))
    return Answer(204)


def get_branch(state: State, repository: Repository, request: Request, name: str) -> Answer:
    """GET /repos/O/R/branches/NAME."""
    del state
    sha = repository.bare.branch(name)
    if sha is None:
        raise ApiError(404, "Branch not found")
    return json_answer(200, bodies.full_branch_body(repository, name, sha, request.api))


def get_reference(state: State, repository: Repository, request: Request, name: str) -> Answer:
    """GET /repos/O/R/git/ref/heads/NAME."""
    del state
    sha = repository.bare.branch(name)
    if sha is None:
        raise not_found()
    return json_answer(200, bodies.reference_body(repository, name, sha, request.api))


def get_contents(state: State, repository: Repository, request: Request, path: str) -> Answer:
    """GET /repos/O/R/contents/PATH?ref=, raw whatever media type is asked for."""
    del state
    contents = repository.bare.file(request.query.get("ref", repository.bare.default_branch), path)
    if contents is None:
        raise not_found()
    return Answer(200, contents, (("Content-Type", "application/vnd.github.raw+json; charset=utf-8"),))


def create_status(state: State, repository: Repository, request: Request, sha: str) -> Answer:
    """POST /repos/O/R/statuses/SHA."""
    wanted = request.decode(NewStatus)
    if len(wanted.description or "") > LONGEST_DESCRIPTION:
        raise ApiError(422, "Validation Failed: description is too long (maximum is 140 characters)")
    if not repository.bare.holds_commit(sha):
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
    # A status may be the last thing that a pull request waited for.
    merge_what_waits(state, repository)
    return json_answer(201, bodies.status_body(status))


def list_statuses(state: State, repository: Repository, request: Request, sha: str) -> Answer:
    """GET /repos/O/R/commits/SHA/statuses, the newest first."""
    del state
    found = [status for status in reversed(repository.statuses) if status.sha == sha]
    return page_of(request, [bodies.status_body(status) for status in found])


def answer_app(state: State, request: Request) -> Answer:
    """Answer a call that a GitHub App makes in its own name."""
    app = _calling_app(state, request)
    if request.path == "/app":
        return json_answer(200, bodies.app_body(app))
    if request.path.endswith("/installation"):
        full_name = request.path.removeprefix("/repos/").removesuffix("/installation")
        if full_name.lower() not in state.repositories:
            raise not_found()
        return json_answer(200, bodies.installation_body(app, request.api))
    if request.method == "POST" and request.path == f"/app/installations/{app.installation}/access_tokens":
        token, expires = state.mint(app)
        when = expires.strftime("%Y-%m-%dT%H:%M:%SZ")
        return json_answer(201, {"token": token, "expires_at": when, "permissions": app.permissions})
    raise not_found()


def _calling_app(state: State, request: Request) -> App:
    token = request.authorization.partition(" ")[2].strip()
    try:
        # Unverified to find whose key it is verified by, next.
        issuer = str(jwt.decode(token, options={"verify_signature": False}).get("iss", ""))
        app = state.apps[issuer]
        jwt.decode(token, app.public_key, algorithms=["RS256"], options={"verify_iat": False})
    except (jwt.InvalidTokenError, KeyError) as error:
        raise ApiError(401, "A JSON web token could not be decoded") from error
    return app
