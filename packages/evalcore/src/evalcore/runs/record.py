"""The run record: what a leaderboard holds of one run, and what each field means (docs/reference.md)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from evalcore.decoding import decode_json
from evalcore.formats.strict_json import rounded
from evalcore.library.component import ReaderName, SkippedCase
from evalcore.library.models import StructuredOutput
from evalcore.runs.plan import Origin, Server
from evalcore.structs import Frozen, JsonObject, JsonValue

Fraction = Annotated[float, Meta(ge=0, le=1)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Commit = Annotated[str, Meta(pattern="^[0-9a-f]{40}$")]
Interval = tuple[Fraction, Fraction]
Timestamp = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")]
# Nothing that is counted or measured comes near these: sums and ratios of figures within them stay finite.
Count = Annotated[int, Meta(ge=0, le=2**53)]
Milliseconds = Annotated[float, Meta(ge=0, le=1e12)]
USD = Annotated[float, Meta(ge=0, le=1e12)]
RunStatus = Literal["complete", "partial"]


PRECISION = (
    "of what was answered, the share that is right: the rest is invented or wrong; mean over replicates"
)
RECALL = "of what was expected, the share that is right: the rest is missed or wrong; mean over replicates"
PROSE = (
    "how like the expected one the wording of the prose is, which weighs little in the accuracy (see "
    "`measures`); null where there is no prose"
)


WORDING = "wording, not correctness"
"""What the accuracy means that `measures` wording."""
NEARLY = 0.05
"""Of agreement: less than this above chance is hardly more."""


class CaseResult(Frozen, frozen=True):
    """One case's figures."""

    case: str
    sha256: Annotated[Sha256, Meta(description="of the input, a NUL byte, and the expected answer")]
    validated_against_version: str | None
    scores: Annotated[
        tuple[Fraction | None, ...],
        Meta(description="one accuracy per replicate; null where no reply came"),
    ]
    reproducibility: Annotated[
        Fraction | None, Meta(description="mean agreement of all pairs of replies; null with fewer than two")
    ]
    exact: Annotated[
        tuple[bool | None, ...] | None,
        Meta(
            description="one per replicate: whether every leaf but prose is right, with none missed or "
            "invented; null where no reply came, or there is only prose"
        ),
    ] = None
    may_differ: Annotated[
        Fraction | None,
        Meta(
            description="where all n replies of this case are identical: up to this share of further ones "
            "may still differ, 1 - 0.05^(1/n) (95 %); null where they are not, or fewer than two came"
        ),
    ] = None
    precision: Annotated[Fraction | None, Meta(description=PRECISION)] = None
    recall: Annotated[Fraction | None, Meta(description=RECALL)] = None
    prose: Annotated[Fraction | None, Meta(description=PROSE)] = None


class Calls(Frozen, frozen=True):
    """How the calls ended: total = cases x replicates = ok + api_error + parse_error."""

    total: Count
    ok: Count
    api_error: Annotated[Count, Meta(description="no reply came: left out of accuracy and reproducibility")]
    parse_error: Annotated[Count, Meta(description="the model's failure: accuracy 0")]
    truncated: Annotated[Count, Meta(description="cut at the token limit, among ok and parse_error")]
    unscored: Annotated[
        Count | None,
        Meta(description="replies that would take more work to score than one is worth, within api_error"),
    ] = None
    empty_after_thinking: Annotated[
        Count | None,
        Meta(
            description="replies without an answer that spent their tokens on reasoning, among parse_error: "
            "a budget's failure more than the model's"
        ),
    ] = None


class Accuracy(Frozen, frozen=True):
    """How right the answers are."""

    mean: Annotated[
        Fraction | None,
        Meta(
            description="the typed tree score (docs/scoring.md): mean over cases of the mean over "
            "replicates; null where no reply came at all"
        ),
    ]
    ci95: Annotated[
        Interval | None,
        Meta(
            description="95 % interval for the mean that endless replicates of THESE cases would give, if "
            "nothing drifts while the run is under way; it says nothing of other cases. Null where no reply "
            "came, or in records of scoring version 1"
        ),
    ]
    anls_star: Annotated[Fraction | None, Meta(description="ANLS* as published (arXiv 2402.03848)")]
    by_field: dict[str, Fraction]
    ci95_like_cases: Annotated[
        Interval | None,
        Meta(
            description="rough 95 % interval for the mean over endless CASES LIKE THESE (Bayesian bootstrap "
            "over the cases' means); null below 20 cases"
        ),
    ] = None
    # Fields that were added later have defaults: leaderboards hold records of every version, and none is
    # rewritten.
    measures: Annotated[
        Literal["correctness", "wording"],
        Meta(
            description="what the mean says: `wording` in components of the categories drafting and review, "
            "where it is word overlap with the expected prose, not correctness"
        ),
    ] = "correctness"
    precision: Annotated[Fraction | None, Meta(description=f"{PRECISION}, then over cases")] = None
    recall: Annotated[Fraction | None, Meta(description=f"{RECALL}, then over cases")] = None
    prose: Annotated[Fraction | None, Meta(description=PROSE)] = None
    precision_by_field: Annotated[
        dict[str, Fraction], Meta(description="per field, over the replicates that answered it")
    ] = msgspec.field(default_factory=dict)
    recall_by_field: Annotated[
        dict[str, Fraction], Meta(description="per field, over the cases that expect it")
    ] = msgspec.field(default_factory=dict)
    exact_rate: Annotated[
        Fraction | None,
        Meta(
            description="share of replies in which every leaf but prose is right: mean over replicates, then "
            "over cases; null where there is only prose"
        ),
    ] = None
    exact_rate_ci95: Annotated[Interval | None, Meta(description="95 % interval, as of the mean")] = None
    all_right_rate: Annotated[
        Fraction | None,
        Meta(
            description="share of cases in which all replicates are so (pass^R); where calls got no reply, "
            "of as many replicates as the case with the fewest has"
        ),
    ] = None
    all_right_rate_ci95: Annotated[
        Interval | None,
        Meta(description="95 % interval for the mean chance that so many replies to a case are all right"),
    ] = None


class Reproducibility(Frozen, frozen=True):
    """How far replicates of one input agree with each other."""

    mean: Fraction | None
    ci95: Annotated[
        Interval | None,
        Meta(
            description="95 % interval for the mean agreement of two replies that endless replicates of "
            "THESE cases would give, if nothing drifts. Null with fewer than two replies, or in records of "
            "scoring version 1"
        ),
    ]
    identical_rate: Annotated[
        Fraction | None, Meta(description="share of pairs with equal parsed values, mean over cases")
    ]
    by_field: dict[str, Fraction]
    ci95_like_cases: Annotated[
        Interval | None,
        Meta(
            description="rough 95 % interval for the mean agreement over endless CASES LIKE THESE (Bayesian "
            "bootstrap over the cases' agreements); null below 20 cases"
        ),
    ] = None
    may_differ: Annotated[
        Fraction | None,
        Meta(
            description="where in every case all replies are identical: up to this share of further replies "
            "to one case may still differ, 1 - 0.05^(1/n) (95 %), n the fewest replies of any case; null "
            "where any two differ"
        ),
    ] = None
    by_chance: Annotated[
        Fraction | None,
        Meta(
            description="agreement of replies to DIFFERENT cases: what the mean would be of a model that "
            "does not read its input; null with fewer than two cases"
        ),
    ] = None


class Latency(Frozen, frozen=True):
    """Milliseconds of the calls that were answered; linear between the two nearest ranks."""

    p50: Milliseconds | None
    p95: Milliseconds | None


class Tokens(Frozen, frozen=True):
    """Sums over all replies; null when any reply lacks its usage."""

    prompt: Count | None
    completion: Count | None


class ReadDocument(Frozen, frozen=True):
    """A case's input that is no text, and what has read it."""

    case: str
    sha256: Annotated[Sha256, Meta(description="of the document's bytes")]
    reader: Annotated[
        ReaderName,
        Meta(description="what made it text; `none` where the document itself was sent to the model"),
    ]
    version: Annotated[str | None, Meta(description="the reader's, as it states it")]
    pages: Annotated[Count | None, Meta(description="null where the reader does not count them")]


class RunRecord(Frozen, frozen=True, kw_only=True):
    """One component x one model x all its cases x R replicates."""

    run_id: str
    job_id: str
    origin: Origin
    component_version: str
    prompt_commit: Commit | None
    prompt_sha256: Sha256
    dataset_commit: Commit | None
    schema_sha256: Sha256 | None
    policy_sha256: Sha256 | None
    cases_sha256: Sha256
    model: str
    provider: str
    params: dict[str, JsonValue]
    structured_output: StructuredOutput
    schema_adapted: Annotated[
        tuple[str, ...] | None,
        Meta(
            description="what was changed in the schema so that the provider takes it, a sentence each; "
            "empty where it was sent as it is, null where none was, or to a server that takes any"
        ),
    ] = None
    server: Server
    evaluator_version: str
    scoring_version: int
    replicates: Annotated[int, Meta(ge=1, le=2**53)]
    cases: Annotated[int, Meta(ge=1, le=2**53)]
    skipped_cases: tuple[SkippedCase, ...]
    case_results: tuple[CaseResult, ...]
    documents: Annotated[
        tuple[ReadDocument, ...] | None,
        Meta(
            description="the cases whose inputs are documents; null where all are texts, and in records of "
            "before this field"
        ),
    ] = None
    started_at: Timestamp
    finished_at: Timestamp
    status: RunStatus
    reason: Annotated[
        str | None,
        Meta(
            description="why the run is partial: how many calls were never answered, the commonest failure's "
            "code and words; null where it is complete, or in records of before this field"
        ),
    ] = None
    calls: Calls
    unstreamed: Annotated[
        Count | None,
        Meta(
            description="calls that were sent without streaming for a reason (streams without an event leak "
            "slots in MindRouter); null in records of before this field"
        ),
    ] = None
    drifting: Annotated[
        bool | None,
        Meta(
            description="whether the scores trend with time while the run was under way (permutation test at "
            "1 %): then its intervals, which presume independent replies, are too narrow"
        ),
    ] = None
    accuracy: Accuracy
    reproducibility: Reproducibility
    schema_valid_rate: Fraction | None
    latency_ms: Latency
    tokens: Tokens
    cost_usd: USD | None
    replies_sha256: Annotated[
        Sha256 | None,
        Meta(description="of the kept lines of replies.jsonl, in the order of the planned calls"),
    ] = None
    plan_sha256: Annotated[Sha256 | None, Meta(description="of the bytes of run.json")] = None
    rescored_from: Annotated[
        str | None,
        Meta(description="run_id of the run as first scored, where this is a later scoring of its replies"),
    ] = None

    @property
    def hardly_reads_its_input(self) -> bool:
        """Whether replies to different cases agree nearly as much as those to one."""
        mean, chance = self.reproducibility.mean, self.reproducibility.by_chance
        # Where no reply could be read there is no answer that could depend on anything.
        return self.calls.ok > 0 and mean is not None and chance is not None and mean - chance < NEARLY

    @property
    def identical_note(self) -> str | None:
        """Say what identical replies leave open, as "10 identical replies: up to 26 % may still differ".

        The number is that of the case with the fewest. None where any two replies to one case differ.
        """
        share = self.reproducibility.may_differ
        if share is None:
            return None
        counts = [
            sum(score is not None for score in result.scores)
            for result in self.case_results
            if result.may_differ is not None
        ]
        return f"{min(counts, default=0)} identical replies: up to {100 * share:.0f} % may still differ"


def record_object(record: RunRecord) -> JsonObject:
    """Return the record as a JSON object, keys in the order of docs/reference.md, floats rounded."""
    value: JsonObject = decode_json(msgspec.json.encode(record), JsonValue)
    return {key: rounded(item) for key, item in value.items()}
