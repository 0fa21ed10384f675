"""`evalhook rescore [SKILL]`: leaderboards brought to the present scoring version, from replies on the VM.

It works beside a service that runs: runs are only read, and git has a clone of its own.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import structlog

from evalcore.effects import Effects, real_effects
from evalcore.errors import ConfigurationError, EvaluatorError, UnknownComponent
from evalcore.git.clone import Clone
from evalcore.secret import Scrubber
from evalhook.config.settings import Settings, read_settings
from evalhook.monitoring.logs import configure_logging
from evalhook.storage.state_version import require_readable_state
from evalhook.storage.store import take_lock
from evalhook.threads import in_thread
from evalhook.wiring import ExternalSystems, case_privacy
from evalhook.worker.publish_retries import persist
from evalhook.worker.rescoring import ComponentRescorer, RescoredComponent, runs_by_component

log = structlog.stdlib.get_logger(__name__)


def rescore_leaderboards(
    environ: Mapping[str, str], slug: str | None, effects: Effects | None = None
) -> Iterator[RescoredComponent]:
    """Rescore a component's leaderboard, or those of all whose runs are here, one after the other.

    Raises EvaluatorError; what was published before stays.
    """
    settings, effects = read_settings(environ), effects or real_effects()
    if settings.commit_back == "none":
        hint = "set pr or push; `evalcli leaderboard rescore` rescores a checkout"
        raise ConfigurationError("nothing is committed back", where="EVALHOOK_COMMIT_BACK", hint=hint)
    require_readable_state(settings.state_dir)
    scrub = Scrubber(settings.secrets)
    configure_logging(scrub, sys.stderr)
    runs = runs_by_component(settings.runs_dir)
    if slug is not None and slug not in runs:
        raise UnknownComponent("no run of it is here", where=slug, hint="see `evalhook check`, and its name")
    folder = settings.state_dir / "rescoring"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(folder):
        external = ExternalSystems(settings, scrub.learn)
        clone = _own_clone(settings, external, folder)
        clone.ensure()
        rescorer = ComponentRescorer(
            clone,
            external.committer(clone),
            case_privacy(settings),
            folder,
            effects.new_id,
        )
        for name in sorted(runs) if slug is None else [slug]:
            # One after the other, each published before the next: what is done stays done whatever comes
            # after it.
            yield asyncio.run(_persistent(rescorer, name, runs[name], effects))


async def _persistent(
    rescorer: ComponentRescorer, slug: str, runs: Mapping[str, Path], effects: Effects
) -> RescoredComponent:
    """Try again as the service does for a job's results."""

    async def failed(error: EvaluatorError, tries: int, wait: float) -> None:
        log.warning("publishing_delayed", component=slug, tries=tries, reason=error.line, wait=round(wait))

    return await persist(
        partial(in_thread, rescorer.rescore, slug, runs),
        failed=failed,
        monotonic=effects.monotonic,
        sleep=effects.sleep,
        random=random.random,
    )


def _own_clone(settings: Settings, external: ExternalSystems, folder: Path) -> Clone:
    """Return a clone beside the service's, which may be at work in its own."""
    url = settings.prompt_library_url or external.library.remote_url()
    return external.clone_of_library(folder / "clone", url, work=folder / "worktrees")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    what, hint = "another `evalhook rescore` is at work", "wait for its end: it may be doing the same"
    descriptor = take_lock(folder / ".lock", what, where=str(folder), hint=hint)
    try:
        yield
    finally:
        os.close(descriptor)
