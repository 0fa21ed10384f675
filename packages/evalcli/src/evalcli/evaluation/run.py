"""Making the calls: clients opened, progress shown, and what was finished saved when it is cut short."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from evalcli.evaluation.batches import BatchFile, batches_path
from evalcli.evaluation.cost import CostLimit
from evalcli.terminal.output import is_quiet, note, say
from evalcli.terminal.progress import PlainProgress, ProgressObserver, with_ticks
from evalcore.clients.interface import Client
from evalcore.clients.registry import open_batches, open_client, takes_batches
from evalcore.documents.cache import DocumentCache
from evalcore.documents.interface import Originals
from evalcore.effects import real_effects
from evalcore.errors import EvaluatorError
from evalcore.evaluation.evaluate import evaluate
from evalcore.evaluation.outcome import RunOutcome
from evalcore.library.models import Endpoint
from evalcore.runs.plan import JobPlan
from evalcore.runs.record import RunRecord
from evalcore.structs import Frozen


class DocumentSource(Frozen, frozen=True):
    """What reading the inputs that are documents needs."""

    originals: Originals
    endpoint: Endpoint | None
    """Where they are read; None where no server is needed."""
    cache: Path
    """The folder of what was read."""


class Evaluation(Frozen, frozen=True):
    """A job that is about to be called, with what is needed for it."""

    job: JobPlan
    endpoints: Mapping[str, Endpoint]
    """By provider name."""
    runs_dir: Path
    resumed: Mapping[str, Path] = msgspec.field(default_factory=dict)
    """Model to the folder of its unfinished run."""
    finished: tuple[RunOutcome, ...] = ()
    """The job's runs that an earlier command finished."""
    is_awaited: bool = True
    """Whether a model that is not served now is looked for again."""
    is_batched: bool = False
    """Whether calls are handed over in batches, where the provider takes them."""
    max_cost: float | None = None
    """USD that this command may spend."""
    past: tuple[RunRecord, ...] = ()
    """Earlier runs of the component, by which calls are taken to cost; read where `max_cost` is set."""
    documents: DocumentSource | None = None
    """Where its documents are, and are read; None where there are none that are still to be read."""


class CutShort(Frozen, frozen=True):
    """How an evaluation ended before its time."""

    outcomes: tuple[RunOutcome, ...]
    """The runs that were finished."""
    unfinished: Path | None
    """The folder of one of the runs that were begun."""
    not_begun: tuple[str, ...]
    """Models without a run."""
    error: EvaluatorError | None
    """Why; None where the user wished it."""
    reason: str | None = None
    """Why, where it ended as it was asked to: at the limit of its cost."""


def make_calls(evaluation: Evaluation, concurrency: int) -> list[RunOutcome] | CutShort:
    """Make the calls, showing progress, and return one outcome for each model in the job's order.

    An interruption (Ctrl-C, SIGTERM) or an error ends it early; every reply that came is stored.
    """
    if not evaluation.job.models:
        return list(evaluation.finished)
    limit = None
    if evaluation.max_cost is not None:
        limit = CostLimit(evaluation.max_cost, evaluation.job, evaluation.past)
        for sentence in limit.sentences:
            note(sentence)
    # Outside of the loop: what was finished is known here after an interruption has ended the loop.
    with make_progress() as progress:
        try:
            outcomes = asyncio.run(_evaluate(evaluation, concurrency, progress, limit))
        # The limit of the cost ends the work as a signal does, so that both leave the same behind.
        except (KeyboardInterrupt, asyncio.CancelledError):
            ended = _cut_short(evaluation, progress, None)
            if limit is not None and limit.is_reached:
                return msgspec.structs.replace(ended, reason=limit.reason)
            return ended
        except EvaluatorError as error:
            return _cut_short(evaluation, progress, error)
    return [*evaluation.finished, *outcomes]


async def _evaluate(
    evaluation: Evaluation, concurrency: int, progress: ProgressObserver, limit: CostLimit | None
) -> list[RunOutcome]:
    end = end_on_signals()
    if limit is not None:
        limit.shown, limit.stop = progress, end
    job = evaluation.job
    store = BatchFile(batches_path(evaluation.runs_dir, job.job_id))
    batched = _batched(evaluation)
    async with AsyncExitStack() as stack:
        clients: dict[str, Client] = {}
        # One client for each provider, whose connections and rate limit all its models share.
        for name in {model.provider for model in job.models}:
            endpoint, provider = evaluation.endpoints[name], job.providers[name]
            if name in batched:
                opening = open_batches(provider, endpoint.base_url, endpoint.api_key, store)
            else:
                opening = open_client(provider, endpoint.base_url, endpoint.api_key, on_wait=progress.waited)
            clients[name] = await stack.enter_async_context(opening)
        work = evaluate(
            job,
            clients,
            runs_dir=evaluation.runs_dir,
            concurrency=concurrency,
            observer=progress if limit is None else limit,
            effects=real_effects(),
            resumed=evaluation.resumed,
            is_awaited=evaluation.is_awaited,
            batched=batched,
            may_call=(lambda: True) if limit is None else limit.may_call,
            documents=None if evaluation.documents is None else DocumentCache(evaluation.documents.cache),
        )
        return await with_ticks(work, progress)


def _batched(evaluation: Evaluation) -> frozenset[str]:
    """Return the providers whose calls are made in batches; of the others it is said that they are not."""
    if not evaluation.is_batched:
        return frozenset()
    if any(case.is_sent_itself for case in evaluation.job.cases):
        note("documents that are sent as they are would make batches too large: calls are made one by one")
        return frozenset()
    names = {model.provider for model in evaluation.job.models}
    taking = frozenset(name for name in names if takes_batches(evaluation.job.providers[name]))
    for name in sorted(names - taking):
        note(f"{name} takes no batches: its models are called one by one, at the full price")
    if taking:
        note(
            f"calls of {', '.join(sorted(taking))} are handed over in batches, which may take 24 h;"
            " they can be left with Ctrl-C and gone on with later"
        )
    return taking


def end_on_signals() -> Callable[[], None]:
    """Let SIGINT and SIGTERM cancel the current task, once: a second one would cut its tidying up short.

    Returns what cancels it so.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def end() -> None:
        if task is not None and not task.cancelling():
            task.cancel()

    # Actions ends a cancelled job with SIGTERM; asyncio itself minds only SIGINT, and not where a script
    # that started us in the background has it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    return end


def make_progress() -> ProgressObserver:
    """Return what shows how things stand, for where standard error goes."""
    if is_quiet():
        return PlainProgress(time.monotonic, note)
    # Standard error, where progress goes: `--json > file` on a terminal still has its bars.
    if sys.stderr.isatty():
        from evalcli.terminal.rich_progress import progress_bars  # noqa: PLC0415 - for a terminal alone

        return progress_bars(time.monotonic)
    return PlainProgress(time.monotonic, say)


def _cut_short(evaluation: Evaluation, progress: ProgressObserver, error: EvaluatorError | None) -> CutShort:
    ended = {outcome.model for outcome in progress.outcomes}
    unfinished = [path for model, path in progress.run_dirs.items() if model not in ended]
    # Of the runs that were to be gone on with, those whose model was not found yet are still unfinished.
    unfinished += [path for model, path in evaluation.resumed.items() if model not in ended]
    begun = progress.run_dirs.keys() | evaluation.resumed.keys() | progress.skipped
    return CutShort(
        outcomes=(*evaluation.finished, *progress.outcomes),
        unfinished=unfinished[0] if unfinished else None,
        not_begun=tuple(model.id for model in evaluation.job.models if model.id not in begun),
        error=error,
    )
