"""What callers are told when something is refused or goes wrong: error -> HTTP, in this one place."""

from __future__ import annotations

from typing import Final

import msgspec

from evalcore.structs import Frozen

MAX_MESSAGE: Final = 600
"""Characters; a longer message is cut."""


class ErrorDetail(Frozen, frozen=True):
    """A stable code for programs, one line for people."""

    code: str
    message: str


class ErrorBody(Frozen, frozen=True):
    """The envelope of every error but 409."""

    error: ErrorDetail


class CurrentJob(Frozen, frozen=True):
    """Who holds the slot."""

    job_id: str
    skill: str
    started_at: str


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


def one_line(text: str) -> str:
    """Bring a text to one bounded line that can be shown (names of files may hold any bytes)."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= MAX_MESSAGE else f"{line[: MAX_MESSAGE - 3]}..."


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


def busy(current: CurrentJob) -> Problem:
    """Refuse a request while another holds the slot."""
    return Problem(409, "busy", f"job {current.job_id} is running", body=BusyBody(current_job=current))


def not_ready(message: str) -> Problem:
    """Refuse a request that the service cannot serve now; the message says which part is unusable."""
    return Problem(503, "not_ready", message)


def too_many_followers(most: int) -> Problem:
    """Refuse one more stream of events."""
    return Problem(
        503, "not_ready", f"{most} streams of events are open already; GET /jobs/<id> shows the same"
    )


def unknown_commit(message: str) -> Problem:
    """Refuse a commit that is not there, or not reachable from the default branch."""
    return Problem(422, "unknown_commit", message)


def unknown_skill(message: str) -> Problem:
    """Refuse a component that the evaluated commit lacks."""
    return Problem(404, "unknown_skill", message)


def unusable_component(message: str) -> Problem:
    """Refuse a component whose prompt, schema or cases cannot be used."""
    return Problem(422, "unusable_component", message)


def unknown_job(job_id: str) -> Problem:
    """Tell that there is no such job."""
    return Problem(404, "unknown_job", f"there is no job {job_id[:64]!r}")


def already_ended(job_id: str, status: str) -> Problem:
    """Refuse what can only be asked of a job in another state."""
    return Problem(409, "wrong_state", f"job {job_id[:64]!r} is {status}")


def nothing_to_publish(job_id: str) -> Problem:
    """Refuse to publish a job without records."""
    return Problem(409, "wrong_state", f"job {job_id[:64]!r} has no record to publish; ask for it again")


def internal(request_id: str) -> Problem:
    """Tell of a mistake of our own: its traceback is in the log, under the request id."""
    return Problem(
        500, "internal", f"an error of the service itself; its log has it under request {request_id}"
    )


_CODES: Final = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "unsupported_media_type"}


def of_status(status: int, message: str, headers: dict[str, str] | None = None) -> Problem:
    """Put what the web framework refuses into the same envelope."""
    kept = {name: value for name, value in (headers or {}).items() if name.lower() == "allow"}
    return Problem(status, _CODES.get(status, "invalid_request"), message, headers=kept)
