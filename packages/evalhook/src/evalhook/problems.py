"""The HTTP answers to refusals and errors: the only place where an error gets a status."""

from __future__ import annotations

from typing import Final

import msgspec
from litestar.types import Send

from evalcore.structs import Frozen
from evalhook import errors
from evalhook.errors import CurrentJob, Refusal, one_line


class ErrorDetail(Frozen, frozen=True):
    """A stable code for programs, one line for people."""

    code: str
    message: str


class ErrorBody(Frozen, frozen=True):
    """The envelope of every error but 409."""

    error: ErrorDetail


class BusyBody(Frozen, frozen=True, kw_only=True):
    """The answer while a job runs."""

    busy: bool = True
    current_job: CurrentJob


class Problem(Exception):
    """A refusal, as it is answered."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: dict[str, str] | None = None,
        body: BusyBody | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.message = one_line(message)
        self.headers = headers or {}
        self._body = body
        super().__init__(self.message)

    @property
    def body(self) -> ErrorBody | BusyBody:
        """What is sent."""
        return self._body or ErrorBody(ErrorDetail(self.code, self.message))

    def encoded(self) -> bytes:
        """Return the body's bytes."""
        return msgspec.json.encode(self.body)


_STATUS: Final[dict[type[Refusal], int]] = {
    errors.NotReady: 503,
    # Not 503, which clients try again by themselves: a red run that names the job in its way is to be seen
    # (docs/decisions/0007-busy-is-409.md).
    errors.Busy: 409,
    errors.UnknownCommit: 422,
    errors.UnknownModel: 422,
    errors.UnknownSkill: 404,
    errors.UnusableComponent: 422,
    errors.UnknownJob: 404,
    errors.WrongState: 409,
}


def of_refusal(refusal: Refusal) -> Problem:
    """Return the HTTP answer to a refusal of the domain."""
    body = BusyBody(current_job=refusal.current) if isinstance(refusal, errors.Busy) else None
    return Problem(_STATUS[type(refusal)], refusal.code, refusal.message, body=body)


def unauthorised() -> Problem:
    """Refuse a caller: the same for a missing, a malformed and a wrong token."""
    message = "a bearer token is needed: Authorization: Bearer <MINDROUTER_EVAL_WEBHOOK_TOKEN>"
    return Problem(401, "unauthorized", message, headers={"WWW-Authenticate": "Bearer"})


def https_required() -> Problem:
    """Refuse a request that anybody on its way could have read, its token included."""
    message = "this service answers over HTTPS only, through a proxy that EVALHOOK_TRUSTED_PROXIES names"
    return Problem(403, "https_required", message)


def forbidden() -> Problem:
    """Refuse a client whose address may not call."""
    return Problem(403, "forbidden", "requests from this address are not allowed")


def headers_too_large(limit: int) -> Problem:
    """Refuse headers over the limit."""
    return Problem(431, "too_large", f"the headers are larger than {limit} bytes")


def two_lengths() -> Problem:
    """Refuse a request whose length is said twice, and end its connection (RFC 9112, 6.1)."""
    message = "send Content-Length or Transfer-Encoding, not both"
    return Problem(400, "invalid_request", message, headers={"Connection": "close"})


def invalid_request(message: str) -> Problem:
    """Refuse a request that is not what the API asks for."""
    return Problem(400, "invalid_request", message)


def too_large(limit: int) -> Problem:
    """Refuse a body over the limit."""
    return Problem(413, "too_large", f"the body is larger than {limit} bytes")


def too_slow(seconds: float) -> Problem:
    """Refuse a body that does not come."""
    return Problem(408, "request_timeout", f"the body did not come within {seconds:g} s")


def unsupported_media_type() -> Problem:
    """Refuse a body that is not JSON by its own header."""
    return Problem(415, "unsupported_media_type", "send JSON with Content-Type: application/json")


def stopping() -> Problem:
    """Refuse a request that is not done when the service stops."""
    return Problem(503, "not_ready", "the service is stopping; ask again", headers={"Connection": "close"})


def internal(request_id: str) -> Problem:
    """Report an error of the service itself: its traceback is in the log, under the request id."""
    return Problem(
        500, "internal", f"an error of the service itself; its log has it under request {request_id}"
    )


_CODES: Final = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "unsupported_media_type"}


def of_status(status: int, message: str, headers: dict[str, str] | None = None) -> Problem:
    """Put what the web framework refuses into the same envelope."""
    # `Allow` must come with 405 (RFC 9110, 15.5.6); no other header of the framework's is wanted.
    allowed = {name: value for name, value in (headers or {}).items() if name.lower() == "allow"}
    return Problem(status, _CODES.get(status, "invalid_request"), message, headers=allowed)


async def send_problem(send: Send, problem: Problem) -> None:
    """Send a refusal as a whole answer."""
    body = problem.encoded()
    headers = {"content-type": "application/json", "content-length": str(len(body)), **problem.headers}
    await send(
        {
            "type": "http.response.start",
            "status": problem.status,
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
