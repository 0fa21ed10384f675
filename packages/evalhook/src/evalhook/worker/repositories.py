"""The two clones as the intake uses them: git and files in threads, one user of each clone at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final, TypeVar

import structlog

from evalcore.documents.interface import Originals
from evalcore.errors import EvaluatorError, InputError
from evalcore.evaluation.material import Material, load_material
from evalcore.git.clone import Clone
from evalcore.git.errors import CloneCorrupt, CloneMissing, CommitNotFound, GitTimedOut
from evalcore.library.cases import document_bytes
from evalcore.library.checkout import Checkout, CommitCheckout, FolderCheckout
from evalcore.library.component import Case
from evalcore.runs.plan import JobPlan
from evalcore.structs import Frozen
from evalhook.threads import in_daemon, in_thread

T = TypeVar("T")
PULL_SECONDS: Final = 30.0
log = structlog.stdlib.get_logger(__name__)


class Repositories:
    """The clone of the prompt library, and that of the data sets where there is one."""

    def __init__(
        self,
        library: Clone,
        data_sets: Clone | None,
        *,
        allow_any_commit: bool,
        pull_seconds: float = PULL_SECONDS,
    ) -> None:
        self._allow_any_commit = allow_any_commit
        self._pull_seconds = pull_seconds
        self._library = _ManagedClone(library)
        self._data_sets = None if data_sets is None else _ManagedClone(data_sets)

    async def prepare(self) -> None:
        """Clone what is not there yet; what fails is logged, and tried again by the next pull."""
        for clone in filter(None, (self._library, self._data_sets)):
            try:
                await clone.make()
            except EvaluatorError as error:
                log.warning("clone_unusable", reason=error.line)

    async def pull(self) -> Tips:
        """Bring both clones up to date, at the same time, within 30 s; raises RepositoryError."""
        deadline = time.monotonic() + self._pull_seconds
        clones = filter(None, (self._library, self._data_sets))
        wanted = [clone.pull(deadline) for clone in clones]
        # Both are waited for, so that neither is still at work when the slot is free again.
        tips = await asyncio.gather(*wanted, return_exceptions=True)
        for tip in tips:
            if isinstance(tip, BaseException):
                raise tip
        library, *data_sets = [str(tip) for tip in tips]
        return Tips(library=library, data_sets=data_sets[0] if data_sets else None)

    async def read(self, tips: Tips, read: Callable[[Checkout], T]) -> T:
        """Read something of the prompt library at its tip; raises InputError or RepositoryError."""
        return await in_thread(self._read, tips.library, read)

    async def commit(self, git_sha: str | None, tips: Tips) -> str:
        """Return the full id of the commit asked for; raises CommitNotFound or RepositoryError."""
        # The tip as it was pulled, not as it is by now: models.yaml was read at this commit.
        if git_sha is None:
            return tips.library
        clone = self._library.clone
        return await in_thread(clone.resolve_any if self._allow_any_commit else clone.resolve, git_sha)

    async def material(self, commit: str, tips: Tips, slug: str) -> Material:
        """Read a component and its cases; raises InputError or RepositoryError."""
        return await in_thread(self._material, commit, tips.data_sets, slug)

    @contextmanager
    def originals(self, plan: JobPlan) -> Iterator[Originals]:
        """Open the commits that a job's documents are in, for as long as they are read.

        Objects that are there are read while others are fetched, so that nobody has to wait for it. Bytes
        that cannot be had any more raise RepositoryError: they were there when the job was planned.
        """
        with (
            CommitCheckout(self._library.clone.path, plan.prompt_commit or "HEAD") as library,
            self._data_sets_at(plan.dataset_commit) as data_sets,
        ):

            def original(case: Case) -> bytes:
                try:
                    return document_bytes(library, data_sets, case)
                except InputError as error:
                    what = f"a document of the job cannot be read from its clone: {error.what}"
                    # The words name no case: the job's error is shown in a public log of Actions.
                    raise CommitNotFound(what, hint="ask for the evaluation again") from None

            yield original

    def _read(self, tip: str, read: Callable[[Checkout], T]) -> T:
        with CommitCheckout(self._library.clone.path, tip) as library:
            return read(library)

    def _material(self, commit: str, data_sets_tip: str | None, slug: str) -> Material:
        with self._library.clone.worktree(commit) as folder, self._data_sets_at(data_sets_tip) as data_sets:
            return load_material(FolderCheckout(folder), data_sets, slug)

    def _data_sets_at(self, tip: str | None) -> AbstractContextManager[CommitCheckout | None]:
        if self._data_sets is None or tip is None:
            return nullcontext()
        return CommitCheckout(self._data_sets.clone.path, tip)


class _ManagedClone:
    """A clone that is made where it is absent, in the background, and then pulled."""

    def __init__(self, clone: Clone) -> None:
        self.clone = clone
        self._making: asyncio.Future[None] | None = None
        self._is_lost = False

    async def make(self) -> None:
        """Make it where it is absent, joining an attempt that is under way; raises RepositoryError."""
        if self._making is None or (self._making.done() and self._making.exception() is not None):
            # A daemon: cloning may take minutes, and a service that is told to stop does not wait for it.
            self._making = in_daemon(self._make)
        # A request that ends does not end the cloning: others wait for it, and the next one needs it.
        await asyncio.shield(self._making)

    async def pull(self, deadline: float) -> str:
        """Bring it up to date and return its tip."""
        try:
            async with asyncio.timeout(_left(deadline)):
                await self.make()
        except TimeoutError:
            what, hint = "is still being cloned", "ask again in a minute"
            raise GitTimedOut(what, where=str(self.clone.path), hint=hint) from None
        try:
            return await in_thread(self.clone.fast_forward, _left(deadline))
        # This request is refused, and the next one has the clone made anew, within its own time.
        except (CloneMissing, CloneCorrupt):
            self._discard()
            raise

    def _discard(self) -> None:
        """Let the next pull make the clone anew: it was there once and cannot be read any more."""
        self._making = None
        self._is_lost = True

    def _make(self) -> None:
        if self._is_lost and self.clone.rebuild():
            log.warning("clone_made_anew", clone=str(self.clone.path))
        self.clone.ensure()
        self._is_lost = False


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.1)


class Tips(Frozen, frozen=True):
    """The commits at the tips of the default branches, freshly pulled."""

    library: str
    data_sets: str | None
    """None without data sets."""
