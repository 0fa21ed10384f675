"""Which REST call is answered where, and who may make it.

Errors and bodies are as https://docs.github.com/en/rest documents them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias
from urllib.parse import unquote

from evalsim.github import (
    issue_calls,
    label_calls,
    pull_calls,
    repository_calls,
    shapes,
    status_calls,
)
from evalsim.github.app_calls import answer_app
from evalsim.github.asgi import Answer, json_answer
from evalsim.github.calls import ApiError, Request, not_found
from evalsim.github.state import State, Token

Handler: TypeAlias = Callable[..., Answer]

REPOSITORY_ROUTES: tuple[tuple[str, str, Handler, str], ...] = (
    ("GET", r"", repository_calls.get_repository, ""),
    ("GET", r"/branches", repository_calls.list_branches, ""),
    ("GET", r"/branches/(.+)", repository_calls.get_branch, ""),
    ("GET", r"/git/refs?/heads/(.+)", repository_calls.get_reference, ""),
    ("GET", r"/contents/(.+)", repository_calls.get_contents, ""),
    ("GET", r"/pulls", pull_calls.list_pulls, "pulls.list"),
    ("POST", r"/pulls", pull_calls.create_pull, "pulls.create"),
    ("GET", r"/pulls/(\d+)", pull_calls.get_pull, ""),
    ("PATCH", r"/pulls/(\d+)", pull_calls.edit_pull, ""),
    ("PUT", r"/pulls/(\d+)/merge", pull_calls.merge_pull, "pulls.merge"),
    ("GET", r"/labels", label_calls.list_labels, ""),
    ("POST", r"/labels", label_calls.create_label, ""),
    ("POST", r"/statuses/([0-9a-f]{40})", status_calls.create_status, "statuses.create"),
    ("GET", r"/commits/([0-9a-f]{40})/statuses", status_calls.list_statuses, ""),
    ("GET", r"/issues", issue_calls.list_issues, "issues.list"),
    ("POST", r"/issues", issue_calls.create_issue, "issues.create"),
    ("GET", r"/issues/(\d+)", issue_calls.get_issue, ""),
    ("PATCH", r"/issues/(\d+)", issue_calls.edit_issue, "issues.edit"),
    ("GET", r"/issues/(\d+)/comments", issue_calls.list_comments, ""),
    ("POST", r"/issues/(\d+)/comments", issue_calls.create_comment, "comments.create"),
    ("GET", r"/issues/(\d+)/labels", label_calls.issue_labels, ""),
    ("POST", r"/issues/(\d+)/labels", label_calls.add_labels, "labels.add"),
)


def operation_of(method: str, path: str) -> str:
    """The name under which faults know a call; empty for the others."""
    if re.fullmatch(r"/app/installations/\d+/access_tokens", path):
        return "installation"
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
    if request.path == "/user":
        return json_answer(200, shapes.user_body(caller.login))
    found = re.fullmatch(r"/repos/([^/]+/[^/]+)(/.*)?", request.path)
    repository = state.repositories.get(found[1].lower()) if found else None
    if found is None or repository is None:
        raise not_found()
    if request.method != "GET" and caller.access != "write":
        raise ApiError(403, "Resource not accessible by personal access token")
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
