"""The real service beside the simulations: how it is set up, and the requests that reach it."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, TypeVar

import httpx
import msgspec

from evalcore.decoding import decode_json
from evalcore.structs import Frozen
from evalsim.demo.failure import DemoError, DemoInputError
from evalsim.demo.outside import SimulatedOutside

T = TypeVar("T")

POLL_SECONDS = 0.2
REQUEST_SECONDS = 60.0
"""The service answers POST /evaluate within 50 s, in words that say what was slow."""
JOB_SECONDS = 600.0


class Accepted(Frozen, frozen=True):
    """The answer to an accepted POST /evaluate."""

    job_id: str
    prompt_commit: str
    calls: int
    status_url: str


class Progress(Frozen, frozen=True):
    """How many calls have ended, and how."""

    done: int
    total: int
    errors: int


class ModelResult(Frozen, frozen=True):
    """What a job says of one model."""

    model: str
    status: str
    accuracy: float | None = None
    reason: str | None = None


class Result(Frozen, frozen=True):
    """What a finished job left behind."""

    pull_request_url: str | None
    branch: str | None
    models: list[ModelResult]


class Problem(Frozen, frozen=True):
    """An error as the API gives it."""

    code: str
    message: str


class Job(Frozen, frozen=True):
    """The answer to GET /jobs/<id>."""

    job_id: str
    status: Literal["queued", "running", "completed", "failed", "cancelled"]
    progress: Progress
    result: Result | None
    error: Problem | None


class _Refusal(Frozen, frozen=True):
    error: Problem


def service_command() -> list[str]:
    """Return the command that starts the service: the one installed beside the Python that runs the demo."""
    program = shutil.which("evalhook", path=Path(sys.executable).parent)
    if program is None:
        where = str(Path(sys.executable).parent)
        raise DemoError("the service `evalhook` is not installed", where=where, hint="run `make install`")
    return [program, "serve"]


def service_environment(outside: SimulatedOutside, *, folder: Path, port: int, token: str) -> dict[str, str]:
    """Return the service's settings; of the user's environment only the search path is handed on."""
    settings = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "MINDROUTER_EVAL_WEBHOOK_TOKEN": token,
        "MINDROUTER_BASE_URL": outside.mindrouter_url,
        "MINDROUTER_API_KEY": outside.mindrouter_key,
        "EVALHOOK_PROMPT_LIBRARY": str(folder / "clones" / "prompt-library"),
        "EVALHOOK_PROMPT_LIBRARY_URL": outside.library_url,
        "EVALHOOK_STATE_DIR": str(folder / "state"),
        "EVALHOOK_BIND": f"127.0.0.1:{port}",
        "EVALHOOK_COMMIT_BACK": "pr",
        "EVALHOOK_GITHUB_REPO": outside.repository,
        "EVALHOOK_GITHUB_API_URL": outside.github_api_url,
        "GITHUB_TOKEN": outside.github_token,
    }
    if outside.data_sets_url is not None:
        settings["EVALHOOK_DATA_SETS"] = str(folder / "clones" / "evaluation-data-sets")
        settings["EVALHOOK_DATA_SETS_URL"] = outside.data_sets_url
    return settings


class Service:
    """The service's API, as the workflow and a watcher of the job use it."""

    def __init__(self, client: httpx.Client, url: str, token: str) -> None:
        self._client = client
        self.url = url
        self._headers = {"Authorization": f"Bearer {token}"}

    def evaluate(self, request: Mapping[str, object]) -> Accepted:
        """Fire the request that the workflow fires.

        Raises DemoInputError with the service's own words where it finds the component unusable.
        """
        answer = self._send("POST", "/evaluate", request)
        if answer.status_code != httpx.codes.ACCEPTED:
            problem = _decode(answer, _Refusal).error
            what = f"the service refuses with {answer.status_code} {problem.code}: {problem.message}"
            if problem.code in {"unknown_skill", "unusable_component"}:
                raise DemoInputError(what, hint="name a component that has cases with inputs (--skill)")
            raise DemoError(what)
        return _decode(answer, Accepted)

    def job(self, job_id: str) -> Job:
        """Ask how a job is."""
        answer = self._send("GET", f"/jobs/{job_id}")
        if answer.status_code != httpx.codes.OK:
            raise DemoError(f"GET /jobs/{job_id} answers {answer.status_code}", where=self.url)
        return _decode(answer, Job)

    def finish(self, job_id: str, show: Callable[[int, int, int], None]) -> Result:
        """Follow a job to its end and return what it left; raises DemoError unless it completed."""
        deadline = time.monotonic() + JOB_SECONDS
        while (job := self.job(job_id)).status in {"queued", "running"}:
            show(job.progress.done, job.progress.total, job.progress.errors)
            if time.monotonic() > deadline:
                raise DemoError(f"the job did not end within {JOB_SECONDS:.0f} s", where=job_id)
            time.sleep(POLL_SECONDS)
        show(job.progress.done, job.progress.total, job.progress.errors)
        if job.status != "completed" or job.result is None:
            reason = f": {job.error.code}: {job.error.message}" if job.error else ""
            raise DemoError(f"the job {job.status}{reason}", where=job_id)
        return job.result

    def _send(self, method: str, path: str, body: Mapping[str, object] | None = None) -> httpx.Response:
        try:
            return self._client.request(
                method, f"{self.url}{path}", json=body, headers=self._headers, timeout=REQUEST_SECONDS
            )
        except httpx.TransportError as error:
            raise DemoError(f"the service does not answer ({type(error).__name__})", where=path) from error


def _decode(answer: httpx.Response, kind: type[T]) -> T:
    try:
        return decode_json(answer.content, kind)
    except msgspec.DecodeError as error:
        where = f"{answer.request.method} {answer.request.url.path}"
        raise DemoError(f"the answer is not as documented: {error}", where=where) from error
