"""The evaluation service on the VM, as its callers see it (docs/reference.md, HTTP API).

ServiceRefused              it answers, and will not: an unknown component, a wrong token
└── ServiceBusy                 another job holds its slot
ServiceUnreachable   *      no connection, a time-out, or an answer that is none of the service's

* retryable. What it answers is bounded in size, and its words are shown as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

import httpx

from evalcli.workflows.environment import read_secret
from evalcore.clients.dialect import UNREADABLE
from evalcore.decoding import decode_json
from evalcore.errors import ConfigurationError, EvaluatorError
from evalcore.git.credentials import is_loopback
from evalcore.structs import Frozen, JsonObject

URL: Final = "EVAL_WEBHOOK_URL"
TOKEN: Final = "MINDROUTER_EVAL_WEBHOOK_TOKEN"  # noqa: S105 - a variable's name
OIDC_URL: Final = "ACTIONS_ID_TOKEN_REQUEST_URL"
OIDC_TOKEN: Final = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # noqa: S105 - a variable's name
TIMEOUT: Final = 60.0
"""Seconds without a byte of the answer; the service answers POST /evaluate within 50 s."""
LONGEST_ANSWER: Final = 8 * 1024 * 1024
"""Bytes; a hundred jobs of fifty models each take two million."""
LONGEST_WORDS: Final = 500

Answer = TypeVar("Answer")


class ServiceRefused(EvaluatorError):
    """The service answers that it will not."""

    code = "service_refused"


class ServiceBusy(ServiceRefused):
    """Another job holds the service's slot."""

    code = "service_busy"


class ServiceUnreachable(EvaluatorError):
    """The service cannot be reached, or what answers is not the service."""

    code = "service_unreachable"
    retryable = True


class Started(Frozen, frozen=True):
    """A job that was accepted."""

    job_id: str
    status_url: str
    calls: int = 0
    prompt_commit: str = ""


class ModelResult(Frozen, frozen=True):
    """How one model's run of a job ended."""

    model: str
    status: str


class Result(Frozen, frozen=True):
    """What came of a job."""

    pull_request_url: str | None = None
    models: tuple[ModelResult, ...] = ()


class CallsMade(Frozen, frozen=True):
    """How far a job is, in calls."""

    done: int = 0
    total: int = 0
    errors: int = 0


class DocumentsRead(Frozen, frozen=True):
    """How far a job is in reading the documents among its inputs."""

    read: int = 0
    total: int = 0


class JobFailure(Frozen, frozen=True):
    """Why a job failed."""

    code: str = ""
    message: str = ""


class JobState(Frozen, frozen=True):
    """A job as it stands."""

    job_id: str
    skill_name: str
    status: str
    prompt_commit: str = ""
    created_at: str = ""
    progress: CallsMade = CallsMade()
    documents: DocumentsRead = DocumentsRead()
    result: Result | None = None
    error: JobFailure | None = None

    @property
    def has_ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.status not in {"queued", "running"}


class ServiceRequest(NamedTuple):
    """What to evaluate."""

    skill: str
    replicates: int = 10
    git_sha: str | None = None
    models: tuple[str, ...] = ()
    """Only these of the local models; all where none is named."""

    @property
    def body(self) -> JsonObject:
        """The body of the request."""
        body: JsonObject = {"skill_name": self.skill, "replicates": self.replicates}
        if self.git_sha:
            body["git_sha"] = self.git_sha
        return body | {"models": list(self.models)} if self.models else body


class ServiceClient:
    """Calls the service; `token` gives what it lets in, anew for each request."""

    def __init__(self, url: str, token: Callable[[], str]) -> None:
        self.url = url
        self._token = token

    def evaluate(self, request: ServiceRequest) -> Started:
        """Ask for an evaluation; raises ServiceRefused or ServiceUnreachable."""
        return self._call("POST", "/evaluate", HTTPStatus.ACCEPTED, Started, request.body)

    def job(self, job_id: str) -> JobState:
        """Return a job as it stands; raises as `evaluate`."""
        return self._call("GET", f"/jobs/{job_id}", HTTPStatus.OK, JobState)

    def jobs(self, limit: int = 100) -> tuple[JobState, ...]:
        """Return the newest jobs, the newest first; raises as `evaluate`."""
        return self._call("GET", f"/jobs?limit={limit}", HTTPStatus.OK, _Jobs).jobs

    def _call(
        self, method: str, path: str, wanted: HTTPStatus, kind: type[Answer], body: JsonObject | None = None
    ) -> Answer:
        # Anew for each request: GitHub's own tokens live for minutes, and a job may be waited for hours.
        token = self._token()
        headers = {"Authorization": f"Bearer {token}"}
        with _translated(self.url):
            status, data = _asked(method, f"{self.url}{path}", headers, body)
        if status != wanted:
            raise _refusal(status, data, self.url, token)
        try:
            return decode_json(data, kind)
        except UNREADABLE as error:
            what = f"answers {status} with what no service says ({error})"
            raise ServiceUnreachable(what, where=self.url, hint=f"is {URL} the service's?") from None


class _Jobs(Frozen, frozen=True):
    jobs: tuple[JobState, ...]


def service_from(environ: Mapping[str, str]) -> ServiceClient:
    """Make the client of the service that the environment names.

    The token is the shared one, or in Actions GitHub's own of this job. Raises ConfigurationError.
    """
    url = service_url(environ.get(URL, ""))
    shared = read_secret(environ, TOKEN)
    if shared is not None:
        if not re.fullmatch(r"[\x21-\x7e\s]+", shared.reveal()):
            raise ConfigurationError("is no token", where=TOKEN, hint="set it to the service's own")
        # As the workflow's script: a secret that was pasted over two lines is the token all the same.
        return ServiceClient(url, lambda: re.sub(r"\s", "", shared.reveal()))
    if environ.get(OIDC_URL):
        return ServiceClient(url, lambda: _id_token(environ, url))
    hint = "set it, or give the job `permissions: id-token: write`"
    raise ConfigurationError("is not set", where=TOKEN, hint=hint)


def service_url(text: str) -> str:
    """Return the service's root; raises ConfigurationError for what a token must not be sent to."""
    # The workflow's script takes the whole address of the endpoint as well.
    url = text.strip().rstrip("/").removesuffix("/evaluate").rstrip("/")
    if not url:
        raise ConfigurationError("is not set", where=URL, hint="set it to the address of the service")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        what = f"is no address ({error})"
        raise ConfigurationError(what, where=URL, hint="begin it with https://") from None
    if parts.username is not None or parts.password is not None:
        # httpx would send them in the token's place, and every error would show them
        what = "names a user or a password in the address"
        raise ConfigurationError(what, where=URL, hint="leave out what stands before the @")
    if parts.scheme in {"http", "https"} and not parts.hostname:
        raise ConfigurationError("names no host", where=URL, hint="use the service's HTTPS address")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        what = "does not begin with https://: the token would be readable on its way"
        raise ConfigurationError(what, where=URL, hint="use the service's HTTPS address")
    return url


def _id_token(environ: Mapping[str, str], audience: str) -> str:
    """Return GitHub's own token of this job, made for the service."""
    headers = {"Authorization": f"bearer {environ.get(OIDC_TOKEN, '')}"}
    where = "GitHub's identity tokens"
    with _translated(where):
        url = httpx.URL(environ[OIDC_URL]).copy_merge_params({"audience": audience})
        status, data = _asked("GET", url, headers)
    if status == HTTPStatus.OK:
        try:
            return decode_json(data, _IdToken).value
        except UNREADABLE:
            pass
    raise ServiceRefused(f"GitHub gave no token (HTTP {status})", where=where, hint="run the job again")


class _IdToken(Frozen, frozen=True):
    value: str


def _asked(
    method: str, url: str | httpx.URL, headers: Mapping[str, str], body: JsonObject | None = None
) -> tuple[int, bytes]:
    """Return the status of the answer, and as much of it as is read."""
    # Read piece by piece, so that what stands at the address cannot answer without end; no redirect takes the
    # token elsewhere.
    with httpx.stream(
        method, url, headers=headers, json=body, timeout=TIMEOUT, follow_redirects=False
    ) as answer:
        data = bytearray()
        for part in answer.iter_bytes():
            data += part
            if len(data) > LONGEST_ANSWER:
                break
        return answer.status_code, bytes(data[:LONGEST_ANSWER])


@contextmanager
def _translated(where: str) -> Iterator[None]:
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # The error's own words may hold the request; its kind says enough.
        what = f"does not answer ({type(error).__name__})"
        raise ServiceUnreachable(what, where=where, hint="is it running, and reachable from here?") from None


def _refusal(status: int, data: bytes, url: str, token: str) -> ServiceRefused | ServiceUnreachable:
    try:
        body = decode_json(data, _RefusalBody)
    except UNREADABLE:
        body = _RefusalBody()
    if body.busy and body.current_job is not None:
        job = body.current_job
        what = f"is busy: job {job.job_id} has been evaluating {job.skill} since {job.started_at}"
        return ServiceBusy(what[:LONGEST_WORDS], where=url, hint="ask again when it has ended")
    words = f"{body.error.code}: {body.error.message}" if body.error else data.decode("utf-8", "replace")
    # What answers may be something else than the service, and repeat the request's headers.
    words = words.replace(token, "[token]").strip()
    what = f"answers {status}: {words or '(no words)'}"[:LONGEST_WORDS]
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and body.error is None:
        return ServiceUnreachable(what, where=url)  # a proxy's words: the service itself was not reached
    return ServiceRefused(what, where=url)


class _CurrentJob(Frozen, frozen=True):
    job_id: str = ""
    skill: str = ""
    started_at: str = ""


class _RefusalBody(Frozen, frozen=True):
    busy: bool = False
    current_job: _CurrentJob | None = None
    error: JobFailure | None = None
