"""From a decoded request to a planned job: the checks of POST /evaluate that need clones and MindRouter.

In their order: the clones are brought up to date, models.yaml and MindRouter are checked (NotReady), then
the models asked for (UnknownModel), the commit (UnknownCommit), the component (UnknownSkill) and its
contents (UnusableComponent).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import msgspec

from evalcore.clients.interface import Client, OnWait
from evalcore.clients.outage import OutagePolicy
from evalcore.documents.interface import Originals, Reader
from evalcore.errors import (
    ConfigurationError,
    InputError,
    ModelError,
    RepositoryError,
    StorageError,
    UnknownComponent,
)
from evalcore.evaluation.material import Material
from evalcore.git.errors import CommitNotFound
from evalcore.library.checkout import Checkout
from evalcore.library.loader import load_models
from evalcore.library.models import ModelsFile, is_local
from evalcore.runs.case_privacy import PublishCases, public_line
from evalcore.runs.plan import JobPlan
from evalhook import errors
from evalhook.jobs import EvaluateRequest
from evalhook.worker.repositories import Tips

T = TypeVar("T")
UNUSABLE_CLONE: Final = (RepositoryError, StorageError)
"""Raised for a clone's state, its remote or a full disk."""


@dataclass(slots=True)
class Step:
    """What a request is being checked for at the moment, in words for a refusal that comes too late."""

    name: str = ""


class RepositoryReader(Protocol):
    """The clones, as the intake asks of them."""

    async def prepare(self) -> None:
        """Clone what is not there yet; what fails is logged, and tried again by the next pull."""
        ...

    async def pull(self) -> Tips:
        """Bring both clones up to date within 30 s; raises RepositoryError."""
        ...

    async def read(self, tips: Tips, read: Callable[[Checkout], T]) -> T:
        """Read something of the prompt library at its tip; raises InputError, or RepositoryError."""
        ...

    async def commit(self, git_sha: str | None, tips: Tips) -> str:
        """Return the full id of the commit asked for; raises CommitNotFound or RepositoryError."""
        ...

    async def material(self, commit: str, tips: Tips, slug: str) -> Material:
        """Read a component and its cases; raises InputError, or RepositoryError."""
        ...

    def originals(self, plan: JobPlan) -> AbstractContextManager[Originals]:
        """Open the commits that a job's documents are in; their bytes are there, or it is a StorageError."""
        ...


class Gateway(Protocol):
    """MindRouter, as the intake and the worker ask of it."""

    async def probe(self, models: ModelsFile) -> None:
        """Check that it answers and accepts the key; raises ModelError or ConfigurationError."""
        ...

    def open(self, plan: JobPlan) -> AbstractAsyncContextManager[Mapping[str, Client]]:
        """Open the clients of a job, by provider."""
        ...

    def require_reader(self, plan: JobPlan) -> None:
        """Raise ConfigurationError where the job's documents cannot be read here as the library wants."""
        ...

    def open_reader(
        self, plan: JobPlan, on_wait: OnWait, outage: OutagePolicy
    ) -> AbstractAsyncContextManager[Reader]:
        """Open what reads a job's documents; raises ConfigurationError."""
        ...


class Intake:
    """Checks requests against the clones and MindRouter, and plans their jobs."""

    def __init__(
        self, sources: RepositoryReader, gateway: Gateway, *, publish_cases: PublishCases | None
    ) -> None:
        self._sources = sources
        self._gateway = gateway
        self._publish_cases = publish_cases

    async def plan(self, request: EvaluateRequest, job_id: str, step: Step) -> JobPlan:
        """Plan a job, naming each step in `step`; raises Refusal where the request cannot be served."""
        step.name = "the pull of the clones"
        # First what is the operator's (503), then what is the caller's: a broken service blames nobody else.
        tips = await self.pull()
        step.name = "reading .evaluator/models.yaml"
        models = await self._local_models(tips)
        step.name = "MindRouter"
        await self._probe(models)
        models = _chosen(models, request.models)
        # models.yaml is of the tip, but the prompt of the commit asked for: an old prompt is measured on
        # the models of today.
        step.name = "looking the commit up"
        commit = await self._commit(request.git_sha, tips)
        step.name = "reading the component and its cases"
        material = await self._material(commit, tips, request.skill_name)
        plan = JobPlan(
            job_id=job_id,
            origin="vm",
            component=material.component,
            cases=material.cases,
            skipped_cases=material.skipped_cases,
            models=models.models,
            providers=models.providers,
            replicates=request.replicates,
            prompt_commit=commit,
            dataset_commit=tips.data_sets,
            reading=material.inputs.over(models.documents),
        )
        self._require_reader(plan)
        return plan

    def _require_reader(self, plan: JobPlan) -> None:
        if not plan.unread:
            return
        try:
            self._gateway.require_reader(plan)
        except ConfigurationError as error:
            raise errors.UnusableComponent(error.line) from error

    async def pull(self) -> Tips:
        """Bring the clones up to date; raises NotReady."""
        try:
            return await self._sources.pull()
        except UNUSABLE_CLONE as error:
            raise errors.NotReady(error.line) from error

    async def read(self, tips: Tips, read: Callable[[Checkout], T]) -> T:
        """Read something of the prompt library at its tip; raises NotReady where it cannot be read."""
        try:
            return await self._sources.read(tips, read)
        except (InputError, *UNUSABLE_CLONE) as error:
            raise errors.NotReady(error.line) from error

    async def _local_models(self, tips: Tips) -> ModelsFile:
        everything = await self.read(tips, load_models)
        # The rest is called from GitHub Actions: the service holds no other provider's key.
        local = tuple(model for model in everything.models if is_local(model))
        if not local:
            raise errors.NotReady(
                ".evaluator/models.yaml: lists no model with provider mindrouter; add one, or run the cloud "
                "models with evalcli in Actions"
            )
        return msgspec.structs.replace(everything, models=local)

    async def _probe(self, models: ModelsFile) -> None:
        try:
            await self._gateway.probe(models)
        except (ModelError, ConfigurationError) as error:
            raise errors.NotReady(error.line) from error

    async def _commit(self, git_sha: str | None, tips: Tips) -> str:
        try:
            return await self._sources.commit(git_sha, tips)
        except CommitNotFound as error:
            raise errors.UnknownCommit(error.line) from error
        except UNUSABLE_CLONE as error:
            raise errors.NotReady(error.line) from error

    async def _material(self, commit: str, tips: Tips, slug: str) -> Material:
        try:
            return await self._sources.material(commit, tips, slug)
        except UnknownComponent as error:
            raise errors.UnknownSkill(error.line) from error
        except InputError as error:
            # The refusal is shown in a public log of Actions, where no confidential case may be named.
            raise errors.UnusableComponent(public_line(error, self._publish_cases)) from error
        except UNUSABLE_CLONE as error:
            raise errors.NotReady(error.line) from error


def _chosen(models: ModelsFile, wanted: Sequence[str] | None) -> ModelsFile:
    """Keep the models that are asked for, in the order of models.yaml; raises UnknownModel."""
    if wanted is None:
        return models
    known = [model.id for model in models.models]
    for name in wanted:
        if name not in known:
            said = f"{name!r} is no model with provider mindrouter in .evaluator/models.yaml"
            raise errors.UnknownModel(f"{said}; these are: {', '.join(known)}")
    return msgspec.structs.replace(
        models, models=tuple(model for model in models.models if model.id in wanted)
    )
