"""The single slot: held from the first look at a request's subject to the end of its job."""

from __future__ import annotations

from evalhook import problems
from evalhook.problems import CurrentJob


class Slot:
    """At most one holder at a time; only ever touched from the event loop."""

    def __init__(self) -> None:
        self._holder: CurrentJob | None = None
        self._is_closed = False

    @property
    def holder(self) -> CurrentJob | None:
        """Who holds it."""
        return self._holder

    def take(self, holder: CurrentJob) -> None:
        """Take the slot; raises the 409 while another holds it, the 503 while the service stops."""
        if self._is_closed:
            raise problems.not_ready("the service is stopping; ask again once it is back")
        if self._holder is not None:
            raise problems.busy(self._holder)
        self._holder = holder

    def release(self, holder: CurrentJob) -> None:
        """Give the slot back; nothing happens where another holds it."""
        if self._holder == holder:
            self._holder = None

    def close(self) -> None:
        """Give it to nobody any more."""
        self._is_closed = True
