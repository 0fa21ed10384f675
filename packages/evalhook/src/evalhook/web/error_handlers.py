"""What is raised while a request is served -> its answer, with secrets masked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import structlog
from litestar import Request, Response
from litestar.datastructures import State
from litestar.enums import MediaType
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from evalhook import problems
from evalhook.errors import Refusal
from evalhook.problems import BusyBody, ErrorBody, ErrorDetail, Problem
from evalhook.web.request_log import current_request_id

NOT_FOUND: Final = 404
INTERNAL: Final = 500
AnyRequest = Request[Any, Any, State]
Answer = Response[ErrorBody | BusyBody]
log = structlog.stdlib.get_logger(__name__)


def error_handlers(scrub: Callable[[str], str]) -> ExceptionHandlersMap:
    """Return the application's handlers; `scrub` masks known secrets."""

    def answer(problem: Problem) -> Answer:
        body = problem.body
        # A message may quote what git, GitHub or MindRouter said; BusyBody has no foreign text.
        if isinstance(body, ErrorBody):
            body = ErrorBody(ErrorDetail(body.error.code, scrub(body.error.message)))
        return Response(body, status_code=problem.status, headers=problem.headers, media_type=MediaType.JSON)

    def refused(_: AnyRequest, error: Problem) -> Answer:
        log.info("refused", status=error.status, code=error.code, reason=error.message)
        return answer(error)

    def domain(request: AnyRequest, error: Refusal) -> Answer:
        return refused(request, problems.of_refusal(error))

    def framework(request: AnyRequest, error: HTTPException) -> Answer:
        # An error of the service, though Litestar has words for it: they are for the log, not for callers.
        if error.status_code >= INTERNAL:
            return crashed(request, error)
        return answer(problems.of_status(error.status_code, _in_words(error), error.headers))

    def crashed(_: AnyRequest, error: Exception) -> Answer:
        log.error("request_crashed", exc_info=error)
        return answer(problems.internal(current_request_id()))

    return {Problem: refused, Refusal: domain, HTTPException: framework, Exception: crashed}


def _in_words(error: HTTPException) -> str:
    if error.status_code == NOT_FOUND:
        return "there is nothing at this path; see /schema/openapi.json"
    details = error.extra if isinstance(error.extra, list) else []
    parts = [f"{item.get('key')}: {item.get('message')}" for item in details if isinstance(item, dict)]
    return "; ".join(parts) or error.detail
