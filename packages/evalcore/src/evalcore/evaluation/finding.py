"""What is wrong with a prompt library: a finding, as it is made by a check and read by whoever shows it."""

from __future__ import annotations

from typing import Literal

from evalcore.errors import EvaluatorError
from evalcore.structs import Frozen

Severity = Literal["error", "warning", "note"]


class Finding(Frozen, frozen=True):
    """One thing that is wrong, for the person who can correct it."""

    severity: Severity
    """error: an evaluation would refuse it, or would not do what its author means; note: nothing is wrong."""
    component: str | None
    where: str
    """File, with a line where known."""
    what: str
    hint: str

    @property
    def line(self) -> str:
        """The one line that is shown."""
        return EvaluatorError(self.what, where=self.where, hint=self.hint).line


def findings_of(error: EvaluatorError, component: str | None, severity: Severity = "error") -> list[Finding]:
    """Turn an error, and the others of its file, into findings."""
    return [Finding(severity, component, one.where, one.what, one.hint) for one in error.each]
