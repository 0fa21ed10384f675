"""`evalhook publish JOB_ID`: what a failed or cancelled job has is committed back by hand.

Two processes never use one state directory: where the service runs it is asked to do it, over its own
API; where it does not, it is done here.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import httpx
import msgspec

from evalcore.effects import real_effects
from evalcore.errors import ConfigurationError
from evalcore.secret import Scrubber
from evalhook.config.settings import Settings, read_settings
from evalhook.errors import Refusal
from evalhook.jobs import Job
from evalhook.monitoring.logs import configure_logging
from evalhook.monitoring.notifier import leave_untold
from evalhook.monitoring.observers import Audience
from evalhook.storage.store import InUse, JobStore
from evalhook.web.schemas import JobView, view
from evalhook.wiring import open_gateway, open_publisher
from evalhook.worker.execution import Means, timestamp
from evalhook.worker.queue import Line, Slot
from evalhook.worker.runner import Worker
from evalhook.worker.service import reopened

LOOK_EVERY_S: Final = 1.0
ANY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound


def publish_by_hand(environ: Mapping[str, str], job_id: str) -> JobView:
    """Publish and return the job as it then is; raises ConfigurationError where it cannot be begun."""
    settings = read_settings(environ)
    store = JobStore(settings.jobs_dir)
    try:
        store.open()
    except InUse:
        return _by_the_service(settings, job_id)
    try:
        return view(asyncio.run(_here(settings, store, job_id)))
    except Refusal as problem:
        raise ConfigurationError(problem.message, where=f"job {job_id}") from problem
    finally:
        store.close()


async def _here(settings: Settings, store: JobStore, job_id: str) -> Job:
    effects, scrub = real_effects(), Scrubber(settings.secrets)
    configure_logging(scrub, sys.stderr)
    means = Means(
        gateway=open_gateway(settings),
        publisher=open_publisher(settings),
        effects=effects,
        runs_dir=settings.runs_dir,
        concurrency=settings.concurrency,
        scrub=scrub,
        limits=settings.limits,
        clones=asyncio.Lock(),
    )
    slot = Slot()
    worker = Worker(store=store, slot=slot, line=Line(0), means=means, audience=Audience())
    job, holder = reopened(store, job_id, timestamp(effects.now()))
    slot.take(holder)
    store.write(job)
    store.show(job)
    with suppress(OSError):  # nothing hangs on it but the telling
        leave_untold(settings.untold_dir, job_id)
    worker.begin(job, holder)
    await worker.idle()
    return store.get(job_id) or job


def _by_the_service(settings: Settings, job_id: str) -> JobView:
    if settings.token is None:
        hint = "ask it: POST /jobs/<id>/publish, or stop it first"
        raise ConfigurationError("the service runs, and there is no token to ask it with", hint=hint)
    host = ANY_ADDRESS.get(settings.host, settings.host)
    url = f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
    headers = {"Authorization": f"Bearer {settings.token.reveal()}"}
    with httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as client:
        try:
            answer = client.post(f"/jobs/{job_id}/publish")
            while answer.is_success and _is_open(answer):
                time.sleep(LOOK_EVERY_S)
                answer = client.get(f"/jobs/{job_id}")
            if answer.is_success:
                return msgspec.json.decode(answer.content, type=JobView)
        except httpx.TransportError as error:
            what = f"the service holds the state directory but does not answer ({type(error).__name__})"
            raise ConfigurationError(what, where=url, hint="stop it, and ask again") from error
    raise ConfigurationError(f"the service refuses: {answer.text[:300]}", where=f"job {job_id}")


def _is_open(answer: httpx.Response) -> bool:
    return msgspec.json.decode(answer.content, type=JobView).status in {"queued", "running"}
