"""Plan + clients -> stored replies -> run records: the whole of an evaluation but its publishing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec

from evalcore.clients.interface import Client
from evalcore.clients.outage import OutageClient, OutagePolicy
from evalcore.clients.reply import CallError
from evalcore.documents.cache import DocumentCache
from evalcore.effects import Effects
from evalcore.errors import InputError, ModelError
from evalcore.evaluation.availability import find_models
from evalcore.evaluation.dispatch import Dispatcher, RunQueue
from evalcore.evaluation.material import require_input_text
from evalcore.evaluation.outcome import Observer, RunOutcome, outcome_of
from evalcore.evaluation.refusals import SCHEMA_TOO_LARGE, refused_run
from evalcore.evaluation.scoring_process import ScoringProcess
from evalcore.library.adaptation import as_forced_tool
from evalcore.library.component import Case
from evalcore.library.models import Model, by_provider, is_local
from evalcore.runs.documents import attachment_of
from evalcore.runs.folder import SYNC_EVERY_S, RunFolder, read_record
from evalcore.runs.plan import JobPlan, RunPlan, Server, call_for, plan_run
from evalcore.runs.record import RunRecord


async def evaluate(
    job: JobPlan,
    clients: Mapping[str, Client],
    *,
    runs_dir: Path,
    concurrency: int,
    observer: Observer,
    effects: Effects,
    resumed: Mapping[str, Path] | None = None,
    outage_policy: OutagePolicy | None = None,
    may_call: Callable[[], bool] = lambda: True,
    is_awaited: bool = True,
    batched: Collection[str] = (),
    documents: DocumentCache | None = None,
) -> list[RunOutcome]:
    """Call every model of the job for every case and replicate, store the replies, score them.

    `clients` are keyed by provider name. `resumed` maps the id of a model to the folder of its run that
    was begun before: if the folder holds a record, the run is finished and is not scored again; if it holds
    replies, the missing calls are made without looking first whether the provider serves the model. Returns
    one outcome for each model, in the order of the job's models. Cancelling leaves all replies that have
    come stored. Once `may_call` returns False no call is begun any more, and the caller is to cancel.
    All calls of a provider in `batched` are in flight at once, since its client makes batches of them.
    Unless `is_awaited`, a model that is not served at the first look is left out at once.
    `documents` holds those among the inputs that are sent as they are.

    Raises ComponentError where the policy compares with inputs that are sent as documents, StorageError
    where replies cannot be stored, ModelError where no provider can be used at all.
    """
    # What is unread is refused where a run is planned: it is no policy's fault.
    require_input_text(job.component, (case for case in job.cases if not case.is_unread))
    async with ScoringProcess() as scoring:
        evaluation = _Evaluation(
            job,
            clients,
            runs_dir,
            observer,
            effects,
            resumed or {},
            scoring,
            is_awaited=is_awaited,
            batched=batched,
            documents=documents,
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                evaluation.start(tasks, concurrency, outage_policy or OutagePolicy(), may_call)
        except BaseExceptionGroup as group:
            # One failure ends the whole evaluation, so the first one is the one to raise.
            raise _first(group) from group
        finally:
            evaluation.close()
    return evaluation.outcomes()


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    for error in group.exceptions:
        return _first(error) if isinstance(error, BaseExceptionGroup) else error
    return group


class _Evaluation:
    """The state of one evaluation while it runs.

    `found`, `awaited` and `missing` make it the ModelObserver that `find_models` notifies.
    """

    def __init__(
        self,
        job: JobPlan,
        clients: Mapping[str, Client],
        runs_dir: Path,
        observer: Observer,
        effects: Effects,
        resumed: Mapping[str, Path],
        scoring: ScoringProcess,
        *,
        is_awaited: bool,
        batched: Collection[str],
        documents: DocumentCache | None,
    ) -> None:
        self._documents = documents
        self._batched = batched
        self._is_awaited = is_awaited
        self._job = job
        self._clients = clients
        self._runs_dir = runs_dir
        self._observer = observer
        self._effects = effects
        self._resumed = resumed
        self._folders: list[RunFolder] = []
        self._outcomes: dict[str, RunOutcome] = {}
        self._errors: list[ModelError] = []
        self._scoring = scoring
        self._synced_at = effects.monotonic()
        self._queues: dict[RunFolder, RunQueue] = {}
        """Of the runs that are being called; those that a provider refuses are taken out."""

    def start(
        self, tasks: asyncio.TaskGroup, concurrency: int, policy: OutagePolicy, may_call: Callable[[], bool]
    ) -> None:
        """Begin looking for models and calling them."""
        self._tasks = tasks
        self._dispatcher = Dispatcher(concurrency, tasks.create_task, may_call)
        tasks.create_task(self._find(policy))
        tasks.create_task(self._dispatcher.run())

    def close(self) -> None:
        """Close every run's file."""
        for folder in self._folders:
            folder.close()

    def outcomes(self) -> list[RunOutcome]:
        """Return one outcome for each model; raise where nothing could be asked at all."""
        outcomes = [self._outcomes[model.id] for model in self._job.models]
        # Where any model could be asked, the others are skipped with their reasons and the evaluation counts.
        if self._errors and all(outcome.status == "skipped" for outcome in outcomes):
            raise self._errors[0]
        return outcomes

    async def _find(self, policy: OutagePolicy) -> None:
        # Before the clients are wrapped: models that have answered in this job have their outages waited out.
        begun = await self._reopened()
        self._clients = self._through_outages(policy, list(begun))
        for folder in begun.values():
            self._go_on(folder)
        known = begun.keys() | self._outcomes.keys()
        groups = by_provider([model for model in self._job.models if model.id not in known])
        # A run that was begun once was served then: a provider that is away now is worth the wait.
        patience = policy.budget if self._resumed else 0.0
        await asyncio.gather(
            *(self._find_of(provider, models, patience) for provider, models in groups.items())
        )
        self._dispatcher.close()

    async def _reopened(self) -> dict[str, RunFolder]:
        """Open the runs that have replies, by model; those that have records are done."""
        begun: dict[str, RunFolder] = {}
        for model in self._job.models:
            path = self._resumed.get(model.id)
            if path is None:
                continue
            folder = await asyncio.to_thread(RunFolder.open, path)
            self._folders.append(folder)
            if folder.is_recorded:
                self._observer.run_started(folder.plan, folder.path, folder.kept)
                self._end(folder, await asyncio.to_thread(read_record, path))
            # One without replies is begun only when its model is found, as a new one is.
            elif folder.kept:
                begun[model.id] = folder
        return begun

    def _through_outages(self, policy: OutagePolicy, answered: Sequence[str]) -> dict[str, Client]:
        # A cloud provider's list is a catalogue, which says nothing of whether a model can be called now.
        local = {model.provider for model in self._job.models if is_local(model)}
        return {
            name: OutageClient(
                client,
                policy,
                monotonic=self._effects.monotonic,
                sleep=self._effects.sleep,
                answered=answered,
            )
            if name in local
            else client
            for name, client in self._clients.items()
        }

    async def _find_of(self, provider: str, models: Sequence[Model], patience: float) -> None:
        await find_models(
            provider,
            self._clients[provider],
            models,
            self,
            self._effects,
            patience=patience if self._is_awaited else 0.0,
            is_awaited=self._is_awaited,
        )

    def found(self, model: Model, server: Server) -> None:
        """Begin a model's run, or go on with it."""
        path = self._resumed.get(model.id)
        # A run whose folder was made, and that was killed before its first reply.
        folder = next((folder for folder in self._folders if folder.path == path), None)
        if folder is None:
            # The job's own id where it has one: after a kill its runs are found by it.
            run_id = self._job.run_ids.get(model.id) or self._effects.new_id()
            try:
                plan = plan_run(self._job, model, run_id, server)
            except InputError as error:
                # its provider cannot be sent what the component needs
                self._leave_out(model, error.line)
                return
            folder = self._begin(plan)
        self._go_on(folder)

    def _begin(self, plan: RunPlan) -> RunFolder:
        originals = None if self._documents is None else self._documents.original
        folder = RunFolder.create(self._runs_dir, plan, originals)
        self._folders.append(folder)
        return folder

    def _go_on(self, folder: RunFolder) -> None:
        self._observer.run_started(folder.plan, folder.path, folder.kept)
        self._call_all(folder)

    def awaited(self, model: Model, seconds: float, hint: str) -> None:
        """Pass on that a model is waited for."""
        self._observer.model_awaited(model.id, seconds, hint)

    def missing(self, model: Model, reason: str, error: ModelError | None) -> None:
        """Leave a model out."""
        if error is not None:
            self._errors.append(error)
        self._outcomes[model.id] = RunOutcome(model.id, "skipped", reason)
        self._observer.model_skipped(model.id, reason)

    def _call_all(self, folder: RunFolder) -> None:
        is_batched = folder.plan.provider.name in self._batched
        most = folder.plan.calls if is_batched else folder.plan.model.concurrency
        queue = RunQueue(folder.pending(), most)
        # It was killed between its last reply and its record.
        if queue.is_done:
            self._tasks.create_task(self._finish(folder))
        else:
            self._queues[folder] = queue
            self._dispatcher.add(queue, partial(self._call, folder))
            self._tasks.create_task(self._scoring.prepare(folder.path))

    async def _call(self, folder: RunFolder, replicate: int, case: Case) -> None:
        if folder not in self._queues:
            return  # the run was refused while this call's turn came
        plan = folder.plan
        call = call_for(
            plan.model, plan.component.prompt, plan.component.schema, case, replicate, plan.adapted
        )
        if case.is_sent_itself:
            attachment = await asyncio.to_thread(attachment_of, folder.path, case)
            call = msgspec.structs.replace(call, attachment=attachment)
        self._observer.call_started(plan, case.name, replicate)
        reply = await self._clients[plan.model.provider].call(call, self._dispatcher.yielded_slot)
        # Only a run's first replies can refuse it: once one is stored, its provider takes what the run needs.
        refusal = None if folder.kept else refused_run(plan.model.id, reply.error)
        if refusal is not None or folder not in self._queues:
            self._refuse(folder, reply.error, refusal)
            return
        # In the loop and before anybody is notified: one write, after which no kill can lose it.
        folder.append(reply)
        # Asked now: while this call waits for the disk, another one's reply may become the last.
        is_last = folder.kept == plan.calls
        self._observer.replied(plan, reply)
        # Not after each reply: a disk may take 10 ms for it. What a power cut takes is called again.
        if self._effects.monotonic() - self._synced_at >= SYNC_EVERY_S:
            self._synced_at = self._effects.monotonic()
            await asyncio.to_thread(self._sync)
        if is_last:
            # A task of its own: the place among the calls in flight is free while the run is scored.
            self._tasks.create_task(self._finish(folder))

    def _refuse(self, folder: RunFolder, error: CallError | None, reason: str | None) -> None:
        """Leave out a run whose first calls the provider refuses for what they all have in common.

        Where it is the schema that is not compiled, the run begins again with a forced tool.
        """
        queue = self._queues.pop(folder, None)
        if queue is None or error is None or reason is None:
            return  # another call of the run has found it out
        queue.stop()
        self._folders.remove(folder)
        # Before the run begins again, which has the same id and so the same folder.
        folder.discard()
        schema = folder.plan.component.schema
        if error.code == SCHEMA_TOO_LARGE and schema is not None:
            try:
                adapted = as_forced_tool(schema, error.message)
            except InputError as unusable:
                reason = unusable.line
            else:
                # A forced tool that is refused as well would begin again without end.
                if folder.plan.adapted is None or not folder.plan.adapted.as_tool:
                    self._go_on(self._begin(msgspec.structs.replace(folder.plan, adapted=adapted)))
                    return
        self._leave_out(folder.plan.model, reason)

    def _leave_out(self, model: Model, reason: str) -> None:
        """Skip a model whose provider does not take what its run needs."""
        self._outcomes[model.id] = RunOutcome(model.id, "skipped", reason, is_refused=True)
        self._observer.model_skipped(model.id, reason)

    def _sync(self) -> None:
        for folder in self._folders:
            folder.sync()

    async def _finish(self, folder: RunFolder) -> None:
        self._end(
            folder, await self._scoring.score(folder.path, partial(self._observer.scoring, folder.plan))
        )

    def _end(self, folder: RunFolder, record: RunRecord) -> None:
        outcome = outcome_of(record, folder.path)
        self._outcomes[outcome.model] = outcome
        self._observer.run_finished(outcome)
