"""Requests for the service's one slot, one after the other: waited for, but not all night."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from evalcli.workflows.service import (
    ServiceBusy,
    ServiceClient,
    ServiceRefused,
    ServiceRequest,
    ServiceUnreachable,
)
from evalcore.formats.counts import counted

LONGEST_WAIT: Final = 3600.0
"""Seconds over all requests."""
POLL_SECONDS: Final = 30.0


class Answered(NamedTuple):
    """What a request came to."""

    request: ServiceRequest
    job_id: str | None
    """None where it was not accepted."""
    reason: str | None


def ask_each(
    service: ServiceClient,
    requests: Iterable[ServiceRequest],
    *,
    sleep: Callable[[float], None],
    monotonic: Callable[[], float],
    show: Callable[[str], None],
) -> list[Answered]:
    """Ask for each as the slot comes free, for an hour at most; the rest is answered with the reason."""
    deadline = monotonic() + LONGEST_WAIT
    answers: list[Answered] = []
    rest: str | None = None
    for request in requests:
        while rest is None:
            try:
                started = service.evaluate(request)
                show(f"{request.skill}: job {started.job_id}, {counted(started.calls, 'call')}")
                answers.append(Answered(request, started.job_id, None))
                break
            # Before its base class: a busy service is waited for, any other refusal is this request's own.
            except ServiceBusy as busy:
                if monotonic() >= deadline:
                    rest = f"the slot was not free within {LONGEST_WAIT / 60:.0f} minutes: {busy.what}"
                else:
                    sleep(POLL_SECONDS)
            except ServiceRefused as refused:
                answers.append(Answered(request, None, refused.what))
                break
            except ServiceUnreachable as gone:
                rest = gone.line  # for the others, too
        if rest is not None:
            answers.append(Answered(request, None, rest))
    return answers
