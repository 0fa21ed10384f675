"""A repository, its branches and files. Source: https://docs.github.com/en/rest/repos."""

from __future__ import annotations

from evalsim.github import shapes
from evalsim.github.asgi import Answer, json_answer
from evalsim.github.calls import ApiError, Request, not_found, page_of
from evalsim.github.state import Repository, State


def get_repository(state: State, repository: Repository, request: Request) -> Answer:
    """GET /repos/O/R."""
    del state
    return json_answer(200, shapes.repository_body(repository, request.api, request.web))


def list_branches(state: State, repository: Repository, request: Request) -> Answer:
    """GET /repos/O/R/branches."""
    del state
    found = repository.bare.branches().items()
    bodies = [shapes.branch_body(repository, name, sha, request.api) for name, sha in found]
    return page_of(request, bodies)


def get_branch(state: State, repository: Repository, request: Request, name: str) -> Answer:
    """GET /repos/O/R/branches/NAME."""
    del state
    sha = repository.bare.branch(name)
    if sha is None:
        raise ApiError(404, "Branch not found")
    return json_answer(200, shapes.branch_body(repository, name, sha, request.api))


def get_reference(state: State, repository: Repository, request: Request, name: str) -> Answer:
    """GET /repos/O/R/git/ref/heads/NAME."""
    del state
    sha = repository.bare.branch(name)
    if sha is None:
        raise not_found()
    return json_answer(200, shapes.reference_body(repository, name, sha, request.api))


def get_contents(state: State, repository: Repository, request: Request, path: str) -> Answer:
    """GET /repos/O/R/contents/PATH?ref=, raw whatever media type is asked for."""
    del state
    contents = repository.bare.file(request.query.get("ref", repository.bare.default_branch), path)
    if contents is None:
        raise not_found()
    return Answer(200, contents, (("Content-Type", "application/vnd.github.raw+json; charset=utf-8"),))
