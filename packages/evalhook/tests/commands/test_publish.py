"""`evalhook publish JOB_ID`: done here where the service does not run, and asked of it where it does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import structlog

from evalcore.errors import ConfigurationError
from evalcore.git.errors import PushRefused
from evalhook.commands.publish import publish_by_hand
from evalhook.storage.store import JobStore
from evalsim.serving import running

Environment = Callable[..., dict[str, str]]


@pytest.fixture(autouse=True)
def logging_is_restored() -> Iterator[None]:
    """Publishing by hand logs to this test's standard error, which is gone with the test."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def failed_job(world) -> str:
    """Leave a job in the state directory whose results could not be published."""
    names: list[str] = []

    async def tell(client: httpx.AsyncClient) -> None:
        world.publishing.error = PushRefused("protected branch", where="main")
        job = await world.evaluated(client)
        assert job["status"] == "failed"
        names.append(job["job_id"])

    world.story(tell)
    return names[0]


def test_what_a_failed_job_has_is_published_here_while_the_service_is_stopped(
    world, environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    job_id = failed_job(world)
    capsys.readouterr()
    job = publish_by_hand(environment(), job_id)
    assert (job.status, job.error) == ("completed", None)
    assert job.result is not None
    assert [row.status for row in job.result.models] == ["complete", "complete"]
    printed = capsys.readouterr()
    assert ("job_ended" in printed.err, printed.out) == (True, "")  # standard output is for the result


@pytest.mark.parametrize("job_id", ["none", "../jobs", ""])
def test_an_unknown_job_is_an_error_of_one_line(environment: Environment, job_id: str) -> None:
    with pytest.raises(ConfigurationError, match="there is no job") as error:
        publish_by_hand(environment(), job_id)
    assert "\n" not in error.value.line


def test_a_service_that_holds_the_state_but_does_not_answer_is_named(
    environment: Environment, tmp_path: Path
) -> None:
    store = JobStore(tmp_path / "state" / "jobs")
    store.open()
    try:
        with pytest.raises(ConfigurationError, match="does not answer"):
            publish_by_hand(environment(EVALHOOK_BIND="127.0.0.1:9"), "job")
    finally:
        store.close()


def test_a_running_service_is_asked_with_the_token_and_its_refusal_is_shown(
    environment: Environment, tmp_path: Path
) -> None:
    seen: list[tuple[str, str, bytes]] = []

    async def service(scope, receive, send) -> None:
        if scope["type"] == "lifespan":
            for kind in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{kind}.complete"})
            return
        seen.append((scope["method"], scope["path"], dict(scope["headers"]).get(b"authorization", b"")))
        await send({"type": "http.response.start", "status": 409, "headers": []})
        await send({"type": "http.response.body", "body": b"another job runs"})

    store = JobStore(tmp_path / "state" / "jobs")
    store.open()
    try:
        with running(service) as url:
            address = url.removeprefix("http://")
            chosen = environment(EVALHOOK_BIND=address)
            with pytest.raises(ConfigurationError, match="another job runs"):
                publish_by_hand(chosen, "job")
    finally:
        store.close()
    token = chosen["MINDROUTER_EVAL_WEBHOOK_TOKEN"]
    assert seen == [("POST", "/jobs/job/publish", f"Bearer {token}".encode())]
