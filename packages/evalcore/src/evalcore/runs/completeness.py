"""Whether each planned call has one reply of its own, and each of them was scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

from evalcore.clients.reply import Reply
from evalcore.errors import StorageError
from evalcore.library.component import Case
from evalcore.runs.plan import RunPlan
from evalcore.runs.record import RunRecord


class CountedReplies:
    """A run's replies as scoring reads them, counted on the way: each is decoded once."""

    def __init__(self, plan: RunPlan, replies_of: Callable[[Case], Sequence[Reply]]) -> None:
        self._plan = plan
        self._replies_of = replies_of
        self._count = 0
        self._request_ids: set[str] = set()
        self._doubled: str | None = None

    def of(self, case: Case) -> Sequence[Reply]:
        """Return a case's replies in the order of replicates; to be asked once for each case."""
        replies = self._replies_of(case)
        for reply in replies:
            # Each call has an id of its own: the same one twice is a line that was copied.
            if reply.request_id in self._request_ids and self._doubled is None:
                self._doubled = reply.request_id
            self._request_ids.add(reply.request_id)
        self._count += len(replies)
        return replies

    def require_complete(self, record: RunRecord) -> None:
        """Check that every planned call had one reply of its own, and that each of them was scored.

        Raises StorageError.
        """
        if self._doubled is not None:
            self._refuse(f"the reply to request {self._doubled} stands for two calls")
        planned = self._plan.calls
        scored = sum(len(result.scores) for result in record.case_results)
        if not planned == self._count == scored == record.calls.total:
            self._refuse(f"{planned} calls are planned, {self._count} kept, {scored} scored")

    def _refuse(self, what: str) -> NoReturn:
        hint = "no record is written; start the run anew"
        raise StorageError(what, where=f"run {self._plan.run_id}", hint=hint)
