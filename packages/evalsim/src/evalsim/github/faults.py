"""What the simulation is asked to do wrong: which operation, how, how often."""

from __future__ import annotations

from typing import Literal

import msgspec

Operation = Literal[
    "api",
    "fetch",
    "push",
    "pulls.list",
    "pulls.create",
    "pulls.merge",
    "labels.add",
    "installation",
    "user",
    "graphql",
    "trees.get",
    "blobs.get",
    "workflows.dispatch",
    "statuses.create",
    "issues.list",
    "issues.create",
    "issues.edit",
    "comments.create",
]


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One fault. `api` hits every REST call; the others one operation alone.

    With `status` None a push is refused by the repository's pre-receive hook, as a protected branch
    does it; otherwise the answer has that HTTP status. `answer_lost` does the work first and fails
    then, as a connection that breaks at the wrong moment.
    """

    on: Operation
    status: int | None = None
    message: str = "refused by the simulation"
    times: int | None = None
    """How often; None is until the faults are cleared."""
    delay: float = 0.0
    """Seconds before anything happens."""
    answer_lost: bool = False
    retry_after: int | None = None
    """Seconds to wait, in the answer to a refused REST call."""

    @property
    def is_delay_only(self) -> bool:
        """Whether it slows an operation down and lets it succeed."""
        return self.delay > 0 and self.status is None and not self.answer_lost


class Faults:
    """The faults asked for and not yet used up."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Ask for one more."""
        self.waiting.append(fault)

    def clear(self) -> None:
        """Behave from now on."""
        self.waiting.clear()

    def take(self, *operations: str) -> Fault | None:
        """The next fault for any of these operations, counted as used."""
        # The first that was asked for: several for one operation come one after the other.
        for fault in self.waiting:
            if fault.on in operations:
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self.waiting.remove(fault)
                return fault
        return None
