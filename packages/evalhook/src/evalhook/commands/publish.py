"""`evalhook publish JOB_ID`: commit back by hand what a failed or cancelled job has.

Two processes never use one state directory: where the service runs, it is asked to publish, over its own
API; where it does not, this process publishes.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import httpx

from evalcore.decoding import decode_json
from evalcore.errors import ConfigurationError
from evalhook.config.settings import Settings, read_settings
from evalhook.errors import Refusal
from evalhook.jobs import Job, timestamp
from evalhook.monitoring.logs import configure_logging
from evalhook.monitoring.notifier import leave_pending
from evalhook.storage.store import InUse
from evalhook.web.schemas import JobView, view
from evalhook.wiring import OfflineParts
from evalhook.worker.service import reopened

POLL_SECONDS: Final = 1.0
# To listen on all addresses is no address to connect to.
ANY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound


def publish_by_hand(environ: Mapping[str, str], job_id: str) -> JobView:
    """Publish, and return the job as it then is; raises ConfigurationError where that cannot be begun."""
    settings = read_settings(environ)
    parts = OfflineParts(settings)
    try:
        parts.store.open()
    # The lock says whether the service runs; a process id in a file could be another program's by now.
    except InUse:
        return _ask_service(settings, job_id)
    try:
        return view(asyncio.run(_publish(settings, parts, job_id)))
    except Refusal as refusal:
        raise ConfigurationError(refusal.message, where=f"job {job_id}") from refusal
    finally:
        parts.store.close()


async def _publish(settings: Settings, parts: OfflineParts, job_id: str) -> Job:
    # Standard output has one line, the pull request, for scripts.
    configure_logging(parts.scrub, sys.stderr)
    job, holder = reopened(parts.store, job_id, timestamp(parts.effects.now()))
    parts.queue.take(holder)
    parts.store.write(job)
    parts.store.update(job)
    with suppress(OSError):  # only GitHub's notification depends on it
        leave_pending(settings.pending_dir, job_id)
    parts.runner.begin(job, holder)
    await parts.runner.idle()
    return parts.store.get(job_id) or job


def _ask_service(settings: Settings, job_id: str) -> JobView:
    if settings.token is None:
        hint = "ask it: POST /jobs/<id>/publish, or stop it first"
        raise ConfigurationError("the service runs, and there is no token to ask it with", hint=hint)
    host = ANY_ADDRESS.get(settings.host, settings.host)
    # Plain HTTP: from this machine itself the service takes it (security.proxies).
    url = f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
    headers = {"Authorization": f"Bearer {settings.token.reveal()}"}
    # No proxy of the environment: the token goes to this machine and nowhere else.
    with httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as client:
        try:
            answer = client.post(f"/jobs/{job_id}/publish")
            while answer.is_success and _is_open(answer):
                time.sleep(POLL_SECONDS)
                answer = client.get(f"/jobs/{job_id}")
            if answer.is_success:
                return decode_json(answer.content, JobView)
        except httpx.TransportError as error:
            what = f"the service holds the state directory but does not answer ({type(error).__name__})"
            raise ConfigurationError(what, where=url, hint="stop it, and ask again") from error
    raise ConfigurationError(f"the service refuses: {answer.text[:300]}", where=f"job {job_id}")


def _is_open(answer: httpx.Response) -> bool:
    return decode_json(answer.content, JobView).status in {"queued", "running"}
