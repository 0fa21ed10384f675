"""The times and numbers that bound a job, as the settings give them."""

from __future__ import annotations

from evalcore.structs import Frozen


class Limits(Frozen, frozen=True, kw_only=True):
    """All in seconds, but `queue`."""

    grace: float = 20.0
    """For the calls in flight when the service is told to stop."""
    outage: float = 7200.0
    """How long a model that has answered in this job is waited for."""
    stall: float = 1200.0
    """Without any progress for so long, a job says so."""
    deadline: float = 86400.0
    """For the whole of a job."""
    queue: int = 0
    """How many jobs may wait for the slot."""
