"""Which worker of xdist gets which tests: a few at a time are among containers, and the others compute.

A module with containers mostly waits: for images that are built, for services that start. Were all workers
in such modules at once, the cores would have little to do then, and more than they can later. So there are
more workers than cores, and only so many of them wait.
"""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadGroupScheduling
from xdist.workermanage import WorkerController

CONTAINERS = "containers in "
"""How the name of a group of tests with containers begins; then comes its module."""
AT_ONCE = 2
"""Workers among containers while there is something else to do; `make test` has so many more than cores."""
LONGEST = (
    "test_operator_pages",
    "test_campaign",
    "test_killed",
    "test_upgrade",
    "test_alerts_live",
    "test_outages",
)
"""The modules that take minutes, begun first, so that none is waited for at the end. Right in any order."""


class FewAmongContainers(LoadGroupScheduling):  # type: ignore[misc]
    """Hands out groups as xdist does, the largest first, but keeps most workers away from containers.

    One that is among them goes on with them, since what its modules share is made by each worker for itself.
    """

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        self._groups: list[str] | None = None
        """Those with containers that nobody has been given yet; None before the first is."""
        self._among: dict[WorkerController, str] = {}
        """The group with containers that a worker was given last."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        if self._groups is None:
            self._groups = sorted(
                (each for each in self.workqueue if each.startswith(CONTAINERS)), key=_place
            )
        if self._is_to_wait(node, self._groups):
            group = self._among[node] = self._groups.pop(0)
        else:
            group = next(each for each in self.workqueue if each not in self._groups)
        self.workqueue.move_to_end(group, last=False)
        super()._assign_work_unit(node)

    def _is_to_wait(self, node: WorkerController, groups: list[str]) -> bool:
        """Whether the next group of a worker is one with containers."""
        among = sum(self._is_among(other) for other in self.nodes if other is not node)
        return bool(groups) and (among < AT_ONCE or len(groups) == len(self.workqueue))

    def _is_among(self, node: WorkerController) -> bool:
        group = self._among.get(node)
        return group is not None and not all(self.assigned_work[node][group].values())


def _place(group: str) -> int:
    """The place of a group with containers among them; equal ones stay as xdist has them."""
    module = group.removeprefix(CONTAINERS)
    return LONGEST.index(module) if module in LONGEST else len(LONGEST)
