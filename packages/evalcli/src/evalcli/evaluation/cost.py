"""`--max-cost`: calls begin only while none of them could bring the cost of this command over the limit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from evalcli.evaluation.forecast import forecast
from evalcore.clients.reply import Reply
from evalcore.errors import ConfigurationError
from evalcore.evaluation.outcome import Observer, RunOutcome
from evalcore.formats.counts import counted
from evalcore.library.component import Case
from evalcore.library.models import BATCH_DISCOUNT, Model, Price, is_local
from evalcore.runs.folder import RunFolder
from evalcore.runs.plan import JobPlan, RunPlan, cases_for
from evalcore.runs.record import RunRecord

CHARACTERS_PER_TOKEN: Final = 3
"""Fewer than most texts have, so that an estimate is rather too high."""
TOKENS_A_PAGE: Final = 5_000
"""Of a document that is sent as it is: no provider counts more for a page's text and picture together."""
TOKENS_OUT: Final = 16_384
"""Of an answer, where the model's `params` set no limit."""
_LIMITS: Final = ("max_tokens", "max_completion_tokens", "maxOutputTokens", "max_output_tokens")


class _ModelCost:
    """What a model's calls are taken to cost, and how many of them are out."""

    def __init__(self, model: Model, price: Price, each: float, why: str) -> None:
        self.model = model
        self.price = price
        self.each = each
        """USD; raised where a call cost more."""
        self.why = why
        self.pending = 0
        self.in_flight = 0


class CostLimit(Observer):
    """Knows what was spent and what the calls in flight may cost. It passes on what it is notified of.

    `stop` is called once, where no call is in flight any more and the next one could exceed the limit.
    """

    def __init__(self, most: float, job: JobPlan, past: Sequence[RunRecord]) -> None:
        self.most = most
        self.spent = 0.0
        self.is_reached = False
        self.stop: Callable[[], None] = lambda: None
        self.shown: Observer = Observer()
        self._starting = 0
        self._models = {cost.model.id: cost for cost in _costs(job, past)}

    @property
    def sentences(self) -> list[str]:
        """Say of each model what a call is taken to cost, and by what."""
        return [
            f"{cost.model.id}: a call is taken to cost {cost.each:.4f} USD at most, {cost.why}"
            for cost in self._models.values()
        ]

    @property
    def reason(self) -> str:
        """Say why no further call began."""
        return (
            f"--max-cost {self.most:g}: {self.spent:.4f} USD are spent, and the next call could exceed it;"
            " every reply that came is kept"
        )

    def may_call(self) -> bool:
        """Whether one more call may begin; whoever is allowed one begins it."""
        # Which model the next call is of is not known here: it is taken for the dearest that still has calls
        # to make.
        waiting = [cost for cost in self._models.values() if cost.pending > cost.in_flight]
        out = sum(cost.in_flight * cost.each for cost in self._models.values())
        dearest = max((cost.each for cost in waiting), default=0.0)
        # A call that was allowed and has not begun yet is in no model's count, and would be allowed twice.
        if self.spent + out + (self._starting + 1) * dearest <= self.most:
            self._starting += 1
            return True
        # While a call is out it may come cheaper than taken for, which lets others begin; nothing is final
        # before.
        if not self._starting and not any(cost.in_flight for cost in self._models.values()):
            self.is_reached = True
            self.stop()
        return False

    def run_started(self, plan: RunPlan, run_dir: Path, kept: int) -> None:
        """Count a model's calls."""
        cost = self._models.get(plan.model.id)
        if cost is not None:
            # Kept replies were paid for by the command that got them: this one's limit is for its own.
            cost.pending, cost.in_flight = plan.calls - kept, 0
        self._starting = 0
        self.shown.run_started(plan, run_dir, kept)

    def call_started(self, plan: RunPlan, case: str, replicate: int) -> None:
        """Count a call in flight."""
        self._starting = max(0, self._starting - 1)
        if (cost := self._models.get(plan.model.id)) is not None:
            cost.in_flight += 1
        self.shown.call_started(plan, case, replicate)

    def replied(self, plan: RunPlan, reply: Reply) -> None:
        """Add what a call has cost; one that does not say so is taken to cost what was expected."""
        cost = self._models.get(plan.model.id)
        if cost is not None:
            cost.pending -= 1
            cost.in_flight = max(0, cost.in_flight - 1)
            spent = _of(cost, reply)
            self.spent += spent
            # Upwards alone: a limit is kept by expecting too much, never by expecting too little.
            cost.each = max(cost.each, spent)
        self.shown.replied(plan, reply)

    def model_skipped(self, model: str, reason: str) -> None:
        """Expect no more of a model."""
        if (cost := self._models.get(model)) is not None:
            cost.pending = cost.in_flight = 0
        # calls of its run that were allowed and never made are expected no more
        self._starting = 0
        self.shown.model_skipped(model, reason)

    def reading(self, number: int, total: int) -> None:
        """Pass it on."""
        self.shown.reading(number, total)

    def model_awaited(self, model: str, seconds: float, hint: str) -> None:
        """Pass it on."""
        self.shown.model_awaited(model, seconds, hint)

    def scoring(self, plan: RunPlan, case: int) -> None:
        """Pass it on."""
        self.shown.scoring(plan, case)

    def run_finished(self, outcome: RunOutcome) -> None:
        """Pass it on."""
        self.shown.run_finished(outcome)


def _of(cost: _ModelCost, reply: Reply) -> float:
    usage = reply.usage
    if usage is None:
        # a refusal costs nothing; an answer without counts may have cost anything
        return 0.0 if reply.error is not None else cost.each
    return usage.cost(cost.price) * (1 - BATCH_DISCOUNT if reply.batched else 1)


def most_of_a_call(job: JobPlan, model: Model) -> float:
    """Return what a call of a model may cost, in USD, by the longest input and the longest answer.

    Raises ConfigurationError for a model without a price.
    """
    return _cost_of(model, _price(model), job, ()).each


def paid_for(path: Path, job: JobPlan, model: Model) -> float:
    """Return what the replies in a run's folder have cost, in USD; raises as `RunFolder.open_to_read`.

    One that does not say so is taken to have cost the most that a call may. Raises ConfigurationError for a
    model without a price.
    """
    cost = _cost_of(model, _price(model), job, ())
    folder = RunFolder.open_to_read(path)
    try:
        replies = (reply for case in folder.plan.cases for reply in folder.replies_of(case))
        return math.fsum(_of(cost, reply) for reply in replies)
    finally:
        folder.close()


def _costs(job: JobPlan, past: Sequence[RunRecord]) -> Iterable[_ModelCost]:
    for model in job.models:
        if model.price is None and is_local(model):
            continue  # costs nobody anything by the call
        yield _cost_of(model, _price(model), job, past)


def _price(model: Model) -> Price:
    if model.price is None:
        raise ConfigurationError(
            f"{model.id} has no price, so a limit of the cost cannot be held",
            where="models.yaml",
            hint="give it `price: {input: ..., output: ...}`, USD per million tokens",
        )
    return model.price


def _length(case: Case) -> int:
    """Return about how many characters an input counts for."""
    if not case.is_sent_itself or case.document is None:
        return len(case.input)
    return (case.document.pages or 1) * TOKENS_A_PAGE * CHARACTERS_PER_TOKEN


def _cost_of(model: Model, price: Price, job: JobPlan, past: Sequence[RunRecord]) -> _ModelCost:
    cases, _ = cases_for(job, model)
    if not cases:
        return _ModelCost(model, price, 0.0, "it is sent no case")
    # Past runs first: what a model really answers is far less than the most that it may.
    known = forecast(model, len(cases), 1, past)
    if known.prompt_tokens is not None and known.completion_tokens is not None:
        each = price.of(known.prompt_tokens, known.completion_tokens) / len(cases)
        return _ModelCost(model, price, each, f"by {counted(known.past_runs, 'past run')}")
    longest = max(_length(case) for case in cases) + len(job.component.prompt)
    given = next((model.params[name] for name in _LIMITS if name in model.params), TOKENS_OUT)
    out = given if isinstance(given, int) else TOKENS_OUT
    # Of the longest input for every call, and rounded up: the one that exceeds the limit may be any of them.
    tokens = -(-longest // CHARACTERS_PER_TOKEN)
    why = f"by an estimate of {tokens:,} tokens in and {out:,} out"
    return _ModelCost(model, price, price.of(tokens, out), why)
