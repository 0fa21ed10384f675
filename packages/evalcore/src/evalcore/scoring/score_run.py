"""Plan + stored replies -> the run record. Pure, so that a record can be recomputed, byte for byte."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from evalcore.clients.reply import REFUSED, Reply
from evalcore.errors import StorageError
from evalcore.library.component import Case
from evalcore.library.models import BATCH_DISCOUNT, Price
from evalcore.library.schema import Validator, make_validator
from evalcore.runs.plan import RunPlan
from evalcore.runs.record import (
    Calls,
    CaseResult,
    Latency,
    ReadDocument,
    RunRecord,
    RunStatus,
    Tokens,
)
from evalcore.scoring.answers import Parsed, Unparsed, holds_no_answer
from evalcore.scoring.figures import accuracy_of, may_differ, reproducibility_of
from evalcore.scoring.planned_answer import read_answer
from evalcore.scoring.reproducibility import agreement_by_chance
from evalcore.scoring.rules.field_rules import FieldRules, plan_fields
from evalcore.scoring.score_case import CaseScores, score_case
from evalcore.scoring.scorer import make_scorer
from evalcore.stats.drift import drifts
from evalcore.stats.numbers import percentile
from evalcore.stats.sampling import seeded_uniform
from evalcore.version import SCORING_VERSION

PARTIAL_OVER_ALL = 0.10
"""A run is partial if more than this share of all its calls gave no reply."""
PARTIAL_IN_A_CASE = 0.20
"""A run is partial if more than this share of one case's calls gave no reply.

The bound of the whole run would not notice it, and a case weighs the same however few replies it has.
"""
ENDS_THE_RUN = frozenset({"unauthorized"})
"""The codes of failures after which no call is made any more: with one of them a run is partial."""


def score_run(plan: RunPlan, replies_of: Callable[[Case], Sequence[Reply]]) -> RunRecord:
    """Score all replies of a run; `replies_of` gives a case's replies in the order of replicates.

    Only one case's replies are held at a time. Raises StorageError where a planned call has no reply.
    """
    totals = _CallTotals(plan.model.price)
    scored: list[_Scored] = []
    schema = plan.component.schema
    validator = make_validator(schema) if schema is not None else None
    # Once for the run: whether a field is prose is decided by all its cases.
    rules = plan_fields(plan.component, plan.cases)
    for case in plan.cases:
        replies = replies_of(case)
        _check_all_there(plan, case, replies)
        result = _score(plan, case, replies, validator, rules)
        totals.add(replies, result.scores)
        scored.append(result)
    answers = [
        (case, result.first)
        for case, result in zip(plan.cases, scored, strict=True)
        if result.first is not None
    ]
    # One reply of each case: two replies to one case do not agree by chance.
    by_chance = agreement_by_chance(
        [answer.value if isinstance(answer, Parsed) else None for _, answer in answers],
        [isinstance(answer, Parsed) for _, answer in answers],
        lambda at: make_scorer(plan.component, answers[at][0], rules),
    )
    return _record(plan, scored, totals, by_chance)


class _Scored(NamedTuple):
    """One case's figures, and what is stored of its replies besides."""

    scores: CaseScores
    first: Parsed | Unparsed | None
    """What the first reply that came says."""
    in_time: Sequence[float]
    """The accuracy of the replies that came, in the order in which the calls were made."""


def _score(
    plan: RunPlan, case: Case, replies: Sequence[Reply], validator: Validator | None, rules: FieldRules
) -> _Scored:
    came = [reply for reply in replies if not reply.is_infrastructure_failure]
    # A reply that failed through the model has no answer to parse, whatever text had come by then.
    texts = {reply.replicate: None if reply.error else reply.text for reply in came}
    # Replicates often agree to the letter: one text is parsed once.
    read = {text: read_answer(plan, text) for text in set(texts.values())}
    answers = {replicate: read[text] for replicate, text in texts.items()}
    parsed = {at: answer.value for at, answer in answers.items() if isinstance(answer, Parsed)}
    unparsed = frozenset(answers) - parsed.keys()
    scores = score_case(plan.component, case, parsed, unparsed, validator, rules)
    # Drift is a trend in time, and replicates are not always called in the order of their numbers: a run may
    # have been resumed.
    in_time = [
        accuracy
        for reply in sorted(came, key=lambda reply: (reply.started_at, reply.replicate))
        if (accuracy := scores.accuracy_of(reply.replicate)) is not None
    ]
    return _Scored(scores, answers[came[0].replicate] if came else None, in_time)


def _check_all_there(plan: RunPlan, case: Case, replies: Sequence[Reply]) -> None:
    # A record of fewer calls would look like one of an evaluation that asked less.
    if [reply.replicate for reply in replies] != list(range(plan.replicates)):
        raise StorageError(
            f"case {case.name} has {len(replies)} of {plan.replicates} replies",
            where=f"run {plan.run_id}",
            hint=f"resume the run first: `evalcli evaluate {plan.component.slug} --resume {plan.run_id}`",
        )


class _CallTotals:
    """Counts, times and tokens over all calls of a run."""

    def __init__(self, price: Price | None) -> None:
        self._price = price
        self.latencies: list[float] = []
        self.ok = self.api_error = self.parse_error = self.truncated = self.unscored = self.unstreamed = 0
        self.empty_after_thinking = 0
        self.prompt_tokens: int | None = 0
        self.completion_tokens: int | None = 0
        self.cache_read = self.cache_write = self.thinking = 0
        self.saved = 0.0
        """USD that the batches have saved."""
        self.valid = 0
        self.worst_case = 0.0
        self.failures: Counter[tuple[str, str]] = Counter()
        """Of the calls that were never answered: code and words."""
        self.started_at = ""
        self.finished_at = ""

    def add(self, replies: Sequence[Reply], scores: CaseScores) -> None:
        """Count one case's replies."""
        self.ok += len(scores.parsed)
        self.parse_error += len(scores.unparsed)
        self.unscored += len(scores.unscored)
        failed = [reply for reply in replies if reply.is_infrastructure_failure]
        # What is too much work to score is no wrong answer: it counts as one that never came.
        self.api_error += len(failed) + len(scores.unscored)
        self.valid += scores.schema_valid
        self.worst_case = max(self.worst_case, (len(failed) + len(scores.unscored)) / len(replies))
        self.failures.update((reply.error.code, reply.error.message) for reply in failed if reply.error)
        for reply in replies:
            self._add_times(reply)
            self.unstreamed += reply.unstreamed
            if not (reply.is_infrastructure_failure or reply.replicate in scores.unscored):
                self._add_reply(reply)

    def _add_times(self, reply: Reply) -> None:
        self.started_at = min(self.started_at or reply.started_at, reply.started_at)
        self.finished_at = max(self.finished_at, reply.finished_at)

    def _add_reply(self, reply: Reply) -> None:
        # Of answers alone: a failure's time is that of its timeouts and waits.
        self.latencies.append(reply.latency_ms)
        self.truncated += reply.finish_reason == "length"
        spent = reply.usage.completion if reply.usage is not None else 0
        # A refusal is no budget that was too small.
        is_empty = holds_no_answer(reply.text) and reply.finish_reason not in REFUSED
        self.empty_after_thinking += is_empty and bool(spent or reply.text)
        if reply.usage is None or self.prompt_tokens is None or self.completion_tokens is None:
            # one reply without counts makes the sum unknown: a sum of the others would be too small
            self.prompt_tokens = self.completion_tokens = None
        else:
            self.prompt_tokens += reply.usage.prompt
            self.completion_tokens += reply.usage.completion
            self.cache_read += reply.usage.cache_read
            self.cache_write += reply.usage.cache_write
            self.thinking += reply.usage.thinking
            if reply.batched and self._price is not None:
                # Reply by reply: a run that was resumed without --batch has both kinds.
                self.saved += BATCH_DISCOUNT * reply.usage.cost(self._price)

    @property
    def total(self) -> int:
        return self.ok + self.api_error + self.parse_error

    @property
    def answered(self) -> int:
        return self.ok + self.parse_error

    @property
    def status(self) -> RunStatus:
        is_partial = (
            self.api_error > PARTIAL_OVER_ALL * self.total
            or self.worst_case > PARTIAL_IN_A_CASE
            or self.unscored
            or any(code in ENDS_THE_RUN for code, _ in self.failures)
        )
        return "partial" if is_partial else "complete"

    @property
    def reason(self) -> str | None:
        """Why the run is partial; None where it is not."""
        if self.status == "complete":
            return None
        never = self.api_error - self.unscored
        said = [f"{never} of {self.total} calls were never answered: {self._commonest()}"] if never else []
        if self.unscored:
            what = "replies would take more work to score than one is worth"
            said.append(f"{self.unscored} of {self.total} {what}")
        return "; ".join(said)

    def _commonest(self) -> str:
        codes: Counter[str] = Counter()
        for (code, _), count in self.failures.items():
            codes[code] += count
        # of equally common ones the first by name, so that the order of replies does not matter
        commonest = min(codes, key=lambda code: (-codes[code], code))
        words = min(
            (message for code, message in self.failures if code == commonest),
            key=lambda message: (-self.failures[commonest, message], message),
        )
        return f"{commonest}, {words}"


def _record(
    plan: RunPlan, scored: Sequence[_Scored], totals: _CallTotals, by_chance: float | None
) -> RunRecord:
    component, model = plan.component, plan.model
    scores = [one.scores for one in scored]
    in_time = [one.in_time for one in scored if one.in_time]
    return RunRecord(
        run_id=plan.run_id,
        job_id=plan.job_id,
        origin=plan.origin,
        component_version=component.version,
        prompt_commit=plan.prompt_commit,
        prompt_sha256=component.prompt_sha256,
        dataset_commit=plan.dataset_commit,
        schema_sha256=component.schema_sha256,
        policy_sha256=component.policy_sha256,
        cases_sha256=plan.cases_sha256,
        model=model.id,
        provider=model.provider,
        params=model.params,
        structured_output=model.structured_output,
        schema_adapted=plan.adapted.changes if plan.adapted is not None else None,
        server=plan.server,
        evaluator_version=plan.evaluator_version,
        # The rules that were applied, which may be later ones than those the run was planned under.
        scoring_version=SCORING_VERSION,
        replicates=plan.replicates,
        cases=len(plan.cases),
        skipped_cases=plan.skipped_cases,
        case_results=tuple(
            _case_result(plan, case, result) for case, result in zip(plan.cases, scores, strict=True)
        ),
        documents=_documents(plan),
        started_at=totals.started_at,
        finished_at=totals.finished_at,
        status=totals.status,
        reason=totals.reason,
        calls=Calls(
            total=totals.total,
            ok=totals.ok,
            api_error=totals.api_error,
            parse_error=totals.parse_error,
            truncated=totals.truncated,
            unscored=totals.unscored,
            empty_after_thinking=totals.empty_after_thinking,
        ),
        unstreamed=totals.unstreamed,
        drifting=drifts(in_time, seeded_uniform("drift", plan.cases_sha256)),
        accuracy=accuracy_of(plan, scores),
        reproducibility=reproducibility_of(plan, scores, by_chance),
        schema_valid_rate=_valid_rate(plan, totals),
        latency_ms=Latency(p50=percentile(totals.latencies, 50), p95=percentile(totals.latencies, 95)),
        tokens=Tokens(prompt=totals.prompt_tokens, completion=totals.completion_tokens),
        cost_usd=_cost(plan, totals),
    )


def _documents(plan: RunPlan) -> tuple[ReadDocument, ...] | None:
    read = tuple(
        ReadDocument(
            case=case.name,
            sha256=case.document.sha256,
            reader=case.document.reader,
            version=case.document.version,
            pages=case.document.pages,
        )
        for case in plan.cases
        if case.document is not None and case.document.reader is not None
    )
    return read or None


def _case_result(plan: RunPlan, case: Case, scores: CaseScores) -> CaseResult:
    return CaseResult(
        case=case.name,
        sha256=case.sha256,
        validated_against_version=case.validated_against_version,
        scores=tuple(scores.accuracy_of(replicate) for replicate in range(plan.replicates)),
        exact=tuple(scores.is_exact(replicate) for replicate in range(plan.replicates)),
        reproducibility=scores.agreement.value if scores.agreement else None,
        may_differ=may_differ([scores.agreement] if scores.agreement else []),
        precision=scores.precision,
        recall=scores.recall,
        prose=scores.prose,
    )


def _valid_rate(plan: RunPlan, totals: _CallTotals) -> float | None:
    if plan.component.schema is None or not totals.answered:
        return None
    return totals.valid / totals.answered


def _cost(plan: RunPlan, totals: _CallTotals) -> float | None:
    price, prompt, completion = plan.model.price, totals.prompt_tokens, totals.completion_tokens
    if price is None or prompt is None or completion is None:
        return None
    full = price.of(
        prompt,
        completion,
        cache_read=totals.cache_read,
        cache_write=totals.cache_write,
        thinking=totals.thinking,
    )
    return full - totals.saved
