"""Which REST call is answered where, and who may make it.

Errors and bodies are as https://docs.github.com/en/rest documents them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias
from urllib.parse import unquote

from evalsim.asgi import Answer, json_answer
from evalsim.github import bodies, issues, pulls, repositories, trees
from evalsim.github.graphql import answer_graphql
from evalsim.github.permissions import require_permission
from evalsim.github.repositories import answer_app
from evalsim.github.request import ApiError, Request, not_found
from evalsim.github.state import State, Token

Handler: TypeAlias = Callable[..., Answer]

REPOSITORY_ROUTES: tuple[tuple[str, str, Handler, str], ...] = (
    ("GET", r"", repositories.get_repository, ""),
    ("GET", r"/branches", repositories.list_branches, ""),
    ("GET", r"/branches/(.+)", repositories.get_branch, ""),
    ("GET", r"/git/refs?/heads/(.+)", repositories.get_reference, ""),
    ("GET", r"/contents/(.+)", repositories.get_contents, ""),
    ("GET", r"/git/trees/(.+)", trees.get_tree, "trees.get"),
    ("GET", r"/git/blobs/([0-9a-f]{40})", trees.get_blob, "blobs.get"),
    ("GET", r"/pulls", pulls.list_pulls, "pulls.list"),
    ("POST", r"/pulls", pulls.create_pull, "pulls.create"),
    ("GET", r"/pulls/(\d+)", pulls.get_pull, ""),
    ("PATCH", r"/pulls/(\d+)", pulls.edit_pull, ""),
    ("GET", r"/pulls/(\d+)/files", pulls.list_files, ""),
    ("PUT", r"/pulls/(\d+)/merge", pulls.merge_pull, "pulls.merge"),
    ("GET", r"/commits", repositories.list_commits, ""),
    ("POST", r"/actions/workflows/([^/]+)/dispatches", repositories.start_workflow, "workflows.dispatch"),
    ("GET", r"/labels", issues.list_labels, ""),
    ("POST", r"/labels", issues.create_label, ""),
    ("POST", r"/statuses/([0-9a-f]{40})", repositories.create_status, "statuses.create"),
    ("GET", r"/commits/([0-9a-f]{40})/statuses", repositories.list_statuses, ""),
    ("GET", r"/commits/([0-9a-f]{40})/pulls", pulls.pulls_of_commit, ""),
    ("GET", r"/issues", issues.list_issues, "issues.list"),
    ("POST", r"/issues", issues.create_issue, "issues.create"),
    ("GET", r"/issues/(\d+)", issues.get_issue, ""),
    ("PATCH", r"/issues/(\d+)", issues.edit_issue, "issues.edit"),
    ("GET", r"/issues/(\d+)/comments", issues.list_comments, ""),
    ("POST", r"/issues/(\d+)/comments", issues.create_comment, "comments.create"),
    ("GET", r"/issues/(\d+)/labels", issues.issue_labels, ""),
    ("POST", r"/issues/(\d+)/labels", issues.add_labels, "labels.add"),
)


def operation_of(method: str, path: str) -> str:
    """The name under which faults know a call; empty for the others."""
    if re.fullmatch(r"/app/installations/\d+/access_tokens", path):
        return "installation"
    if path in {"/user", "/graphql"}:
        return path[1:]
    rest = re.sub(r"^/repos/[^/]+/[^/]+", "", path)
    return next(
        (name for verb, route, _, name in REPOSITORY_ROUTES if verb == method and re.fullmatch(route, rest)),
        "",
    )


def answer_rest(state: State, request: Request) -> Answer:
    """Answer one REST call."""
    try:
        return _answer(state, request)
    except ApiError as error:
        return error.answer


def _answer(state: State, request: Request) -> Answer:
    if request.path.startswith("/app") or re.fullmatch(r"/repos/[^/]+/[^/]+/installation", request.path):
        return answer_app(state, request)
    caller = _caller(state, request)
    if request.path == "/graphql":
        return answer_graphql(state, caller, request)
    if request.path == "/user":
        # An App's token has no user: who it is, GraphQL's `viewer` says.
        if caller.login.endswith("[bot]"):
            raise ApiError(403, "Resource not accessible by integration")
        return json_answer(200, bodies.account_body(caller.login))
    if request.method == "GET" and request.path.startswith("/users/"):
        return json_answer(200, bodies.account_body(unquote(request.path.removeprefix("/users/"))))
    found = re.fullmatch(r"/repos/([^/]+/[^/]+)(/.*)?", request.path)
    repository = state.repositories.get(found[1].lower()) if found else None
    if found is None or repository is None:
        raise not_found()
    require_permission(caller, request, found[2] or "")
    for method, pattern, handler, _ in REPOSITORY_ROUTES:
        match = re.fullmatch(pattern, found[2] or "")
        if match and method == request.method:
            known = request._replace(login=caller.login)
            return handler(state, repository, known, *map(unquote, match.groups()))
    raise not_found()


def _caller(state: State, request: Request) -> Token:
    scheme, _, value = request.authorization.partition(" ")
    if not request.authorization:
        raise ApiError(401, "Requires authentication")
    known = state.bearer(value.strip()) if scheme.lower() in {"token", "bearer"} else None
    if known is None:
        raise ApiError(401, "Bad credentials")
    return known
