"""Why the service refuses what it is asked: in its own words; `problems` alone says them in HTTP.

Refusal
├── NotReady              a clone, MindRouter, the disk or the service itself cannot be used now
├── Busy                  another job runs
├── UnknownCommit         not found, or not reachable from the default branch
├── UnknownModel          none of the configured local models
├── UnknownSkill          the evaluated commit has no such component
├── UnusableComponent     its prompt, schema or cases cannot be used
├── UnknownJob            there is no such job
└── WrongState            the job is not in a state in which this can be asked of it
"""

from __future__ import annotations

from typing import ClassVar, Final

from evalcore.structs import Frozen

MAX_MESSAGE: Final = 600
"""Characters; a longer message is cut."""


class Refusal(Exception):
    """What was asked cannot be done; `code` is stable, the message one line for the caller."""

    code: ClassVar[str]

    def __init__(self, message: str) -> None:
        self.message = one_line(message)
        super().__init__(self.message)


class NotReady(Refusal):
    """The service cannot serve the request now; the message says which part is unusable."""

    code = "not_ready"


class CurrentJob(Frozen, frozen=True):
    """Who holds the slot."""

    job_id: str
    skill: str
    started_at: str


class Busy(Refusal):
    """Another job holds the slot."""

    code = "busy"

    def __init__(self, current: CurrentJob) -> None:
        self.current = current
        super().__init__(f"job {current.job_id} is running")


class UnknownCommit(Refusal):
    """The commit is not there, or not reachable from the default branch."""

    code = "unknown_commit"


class UnknownModel(Refusal):
    """A model is asked for that is none of the configured local ones."""

    code = "unknown_model"


class UnknownSkill(Refusal):
    """The evaluated commit lacks the component."""

    code = "unknown_skill"


class UnusableComponent(Refusal):
    """The component's prompt, schema or cases cannot be used."""

    code = "unusable_component"


class UnknownJob(Refusal):
    """There is no such job."""

    code = "unknown_job"

    def __init__(self, job_id: str) -> None:
        # `repr`: the id is the caller's text and goes into the log.
        super().__init__(f"there is no job {job_id[:64]!r}")


class WrongState(Refusal):
    """The job's state does not allow what was asked; `reason` completes "job <id> ..."."""

    code = "wrong_state"

    def __init__(self, job_id: str, reason: str) -> None:
        super().__init__(f"job {job_id[:64]!r} {reason}")


def one_line(text: str) -> str:
    """Bring a text to one bounded line that can be shown (names of files may hold any bytes)."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= MAX_MESSAGE else f"{line[: MAX_MESSAGE - 3]}..."
