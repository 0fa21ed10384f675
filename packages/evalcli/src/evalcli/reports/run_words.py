"""What is said of a run's replies, on the terminal and on its page: each sentence in one place."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Final

from evalcli.exits import PROGRAM
from evalcli.leaderboards.present_policy import PolicyHash
from evalcli.leaderboards.records import newest_by
from evalcli.terminal.text import figure
from evalcore.formats.counts import counted, first_few
from evalcore.runs.plan import RunPlan
from evalcore.runs.record import RunRecord
from evalcore.scoring.examine import ExaminedCase, Sample
from evalcore.structs import Frozen, JsonObject

MOST_REPLICATES = 10
"""Replicates that are named of those that ended alike."""


class ExaminedRun(Frozen, frozen=True):
    """A run with its examined cases."""

    plan: RunPlan
    record: RunRecord | None
    """None where it is not finished, or not scored yet."""
    cases: tuple[ExaminedCase, ...]
    scorings: tuple[RunRecord, ...] = ()
    """Every record of it: as first scored, and each later scoring."""
    is_present_policy: bool = False
    """Whether it is examined by the policy that its component has now, where that was asked for."""
    note: str = ""
    """What is to be known of its other scorings."""

    @property
    def title(self) -> str:
        """Name the run."""
        component = self.plan.component
        by = ", by the component's present policy" if self.is_present_policy else ""
        return f"{component.slug} {component.version}, {self.plan.model.id}: run {self.plan.run_id}{by}"

    @property
    def state(self) -> str:
        """Say how the run as a whole fared."""
        over = f"{counted(len(self.plan.cases), 'case')} x {self.plan.replicates}"
        if self.record is None:
            return f"{over}; it has no record {'by this policy ' if self.scorings else ''}yet"
        figures = f"accuracy {figure(self.record.accuracy.mean)}{self._before}"
        return f"{over}, {self.record.finished_at}, {self.record.status}: {figures}"

    @property
    def _before(self) -> str:
        """The accuracy by the run's own policy, beside that by the component's present one."""
        own = next((one for one in self.scorings if one.rescored_from is None), None)
        if (
            not self.is_present_policy
            or own is None
            or own.policy_sha256 == self.plan.component.policy_sha256
        ):
            return ""
        return f" instead of {figure(own.accuracy.mean)}"

    @property
    def truncation_hint(self) -> str:
        """Say what to do where all unparsable replies were cut at the token limit; else empty."""
        unparsable = sum(case.unparsable for case in self.cases)
        # Only where all of them were cut: of a mixture the limit is not the cause, and raising it no cure.
        if not unparsable or sum(case.truncated_unparsable for case in self.cases) < unparsable:
            return ""
        return (
            f"All {unparsable} unparsable replies were cut at the token limit:"
            f" raise `max_tokens` in the model's `params` in models.yaml{limit_now(self.plan.model.params)}."
        )

    @property
    def all_right(self) -> str:
        """Say that nothing is wrong, where nothing is shown; else empty."""
        return "" if self.cases else "Nothing is wrong: every reply that was asked for is right."


def scored_otherwise(
    scorings: Sequence[RunRecord], own: str | None, present: PolicyHash | None, name: str
) -> str:
    """Say that a run was scored again by another policy, and what shows that; empty where it was not.

    `own` is the SHA-256 of the run's policy, `present` the component's policy now; `name` is what a
    command finds the run by.
    """
    if present is not None:
        newer = newest_by(scorings, present.sha256)
        if newer is None or present.sha256 == own:
            return ""
        command = shlex.join([PROGRAM, "show", name, "--policy", "current"])
        return (
            f"These figures are by the policy of the run; by the component's present one accuracy is"
            f" {figure(newer.accuracy.mean)}: `{command}`."
        )
    others = {record.policy_sha256 for record in scorings} - {own}
    if not others:
        return ""
    return (
        "These figures are by the policy of the run, and it was scored by another one since;"
        " name the prompt library with --prompt-library, and --policy current shows it."
    )


def limit_now(params: JsonObject) -> str:
    """Say what limits a reply's length now, as ` (now max_tokens: 512)`; empty where no parameter does."""
    return next((f" (now {name}: {value})" for name, value in params.items() if name in TOKEN_LIMITS), "")


TOKEN_LIMITS: Final = ("max_tokens", "max_completion_tokens", "maxOutputTokens", "max_output_tokens")
"""Parameters that limit how long a reply may be: each wire dialect has a name of its own."""


def case_text(case: ExaminedCase) -> str:
    """Say how the replies to a case ended."""
    counts = {
        "right": case.right,
        "right but for prose": case.other_prose,
        "wrong": case.wrong,
        "unparsable": case.unparsable,
        "never came": case.absent,
        "truncated": case.truncated,
    }
    said = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "none came yet"
    return f"accuracy {figure(case.accuracy)}; of {counted(case.replies, 'reply', 'replies')}: {said}"


def sample_text(sample: Sample) -> str:
    """Say which replies a sample stands for, and how they ended."""
    cut = ", cut at the token limit" if sample.is_truncated else ""
    if sample.fate == "answered":
        return f"{replicates_text(sample.replicates)}: accuracy {figure(sample.accuracy)}{cut}"
    fate = "unparsable" if sample.fate == "unparsable" else "no reply came"
    return f"{replicates_text(sample.replicates)}: {fate}{cut}: {sample.reason}"


def replicates_text(replicates: Sequence[int]) -> str:
    """Name replicates that ended alike, as `replicate 3, and 5, 7 alike`."""
    first, others = replicates[0], replicates[1:]
    if not others:
        return f"replicate {first}"
    return f"replicate {first}, and {first_few(map(str, others), MOST_REPLICATES)} alike"
