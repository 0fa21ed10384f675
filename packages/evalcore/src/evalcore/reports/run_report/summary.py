"""What `summary.json` holds: a run's figures, and what its replies show.

The names are those that the prompt library's reports have had before this program wrote them: a document is a
case, an attempted replicate a call. Shares called `pct` are percentages with one decimal, all others are
fractions. What is null is not known, or there is nothing of which it could be one.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta

from evalcore.library.models import StructuredOutput
from evalcore.runs.plan import Origin, Server
from evalcore.runs.record import Count, Fraction, Interval, RunStatus, Sha256, Timestamp
from evalcore.structs import Frozen, JsonValue

SUMMARY_SCHEMA_VERSION: Final = 1
"""Raised where a field goes or means something else; a new field does not raise it. The summaries of before
this program name no version."""

WHOLE: Final = "."
"""Names the answer itself among its fields."""
Percent = Annotated[float, Meta(ge=0, le=100)]
KeyCount = tuple[str, Count]
"""A key, and in how many replies."""
ExampleStatus = Literal["wrong", "missed", "invented", "nearly"]


class Config(Frozen, frozen=True, kw_only=True):
    """What was evaluated, and how: with it the run can be made again."""

    run_id: str
    job_id: str
    origin: Origin
    component: str
    component_version: str
    prompt_commit: str | None
    prompt_sha256: Sha256
    prompt_file: str
    dataset_commit: str | None
    schema_sha256: Sha256 | None
    json_schema_file: str | None
    policy_sha256: Sha256 | None
    cases_sha256: Sha256
    model: str
    provider: str
    params: dict[str, JsonValue]
    temperature: float | None
    max_tokens: int | None
    structured_output: StructuredOutput
    server: Server
    n_replicates: Count
    n_documents: Count
    evaluator_version: str
    scoring_version: Count
    started_at: Timestamp
    finished_at: Timestamp


class Percentiles(Frozen, frozen=True):
    """Percentiles of what was measured of each reply that came, linear between the two nearest ranks."""

    p50: float | None
    p95: float | None
    min: float | None
    max: float | None


class CompletionTokens(Frozen, frozen=True):
    """Tokens of the answers, thinking included, against the most that were allowed."""

    p50: float | None
    p95: float | None
    min: float | None
    max: float | None
    n_over_80pct_of_cap: Annotated[Count | None, Meta(description="null without a cap")]
    n_over_95pct_of_cap: Count | None
    cap: Annotated[Count | None, Meta(description="`max_tokens` of the model's parameters")]


class Headline(Frozen, frozen=True, kw_only=True):
    """The figures of the run's record, and how its calls ended."""

    status: RunStatus
    reason: Annotated[str | None, Meta(description="why the run is partial")]
    measures: Annotated[
        Literal["correctness", "wording"], Meta(description="what the accuracy means, as in the record")
    ]
    accuracy: Fraction | None
    accuracy_ci95: Interval | None
    reproducibility: Fraction | None
    reproducibility_ci95: Interval | None
    identical_rate: Annotated[Fraction | None, Meta(description="share of pairs of replies that are equal")]
    exact_rate: Annotated[Fraction | None, Meta(description="share of replies with every leaf right")]
    all_right_rate: Annotated[
        Fraction | None, Meta(description="share of cases in which every reply is so (pass^R)")
    ]
    n_documents: Count
    n_replicates_attempted: Count
    n_success: Annotated[Count, Meta(description="calls whose reply could be parsed and scored")]
    n_api_error: Annotated[Count, Meta(description="calls without a reply, which count in no figure")]
    n_parse_error: Annotated[Count, Meta(description="replies that could not be parsed: accuracy 0")]
    n_truncated: Annotated[Count, Meta(description="replies cut at the token limit")]
    n_skipped_documents: Annotated[Count, Meta(description="cases that were left out")]
    chat_latency_ms: Percentiles
    prompt_tokens: Percentiles
    completion_tokens: CompletionTokens
    cost_usd: Annotated[float, Meta(ge=0)] | None


class ValidationError(Frozen, frozen=True):
    """One kind of violation of the schema."""

    path: Annotated[
        str, Meta(description="`[]` is any element, `*` a key that is not declared, `.` the whole")
    ]
    keyword: Annotated[str, Meta(description="of JSON Schema")]
    message: str
    n_replies: Annotated[Count, Meta(description="replies with such a violation")]
    n_occurrences: Count


class Counterpart(Frozen, frozen=True):
    """A declared key that may be meant by an undeclared one."""

    key: str
    n_replies: Annotated[Count, Meta(description="replies that have the one and lack the other in an object")]


class UndeclaredKey(Frozen, frozen=True):
    """A key that the schema does not declare."""

    path: Annotated[str, Meta(description="of the object; `.` is the answer itself")]
    key: str
    n_replies: Count
    likely: Annotated[tuple[Counterpart, ...], Meta(description="the likeliest first")]


class MissingKey(Frozen, frozen=True):
    """A declared key that objects lack."""

    field: str
    required: bool
    n_replies: Annotated[Count, Meta(description="replies with an object that lacks it")]
    n_replies_with_object: Annotated[Count, Meta(description="replies with an object that could have it")]
    n_objects: Annotated[Count, Meta(description="objects that lack it")]


class NameDrift(Frozen, frozen=True):
    """Where the names of keys are not those of the schema."""

    extra_top_keys: tuple[KeyCount, ...]
    missing_top_keys: tuple[KeyCount, ...]
    extra_keys: tuple[UndeclaredKey, ...]
    missing_keys: tuple[MissingKey, ...]
    n_unnamed: Annotated[
        Count,
        Meta(description="replies with undeclared keys that are not named, since the case is confidential"),
    ]


class Validation(Frozen, frozen=True, kw_only=True):
    """How far answers obey the component's schema."""

    n_total: Annotated[Count, Meta(description="answers that could be parsed and were looked at")]
    n_valid: Count | None
    valid_rate_pct: Percent | None
    n_valid_ignoring_extra_top_keys: Annotated[
        Count | None,
        Meta(description="those valid once the undeclared keys of the answer itself are taken away"),
    ]
    valid_rate_ignoring_extras_pct: Percent | None
    n_too_large: Annotated[Count, Meta(description="answers that were not looked at, for their size")]
    is_cut: Annotated[bool, Meta(description="whether of some answers the first violation alone was counted")]
    top_errors: tuple[ValidationError, ...]
    name_drift: NameDrift


class FieldAgreement(Frozen, frozen=True):
    """One scalar field over the documents with two answers or more; values count as written."""

    field: str
    n_docs: Count
    pct_full_agreement: Percent
    n_full: Annotated[Count, Meta(description="documents in which all answers have one value")]
    n_two_distinct: Count
    n_three_plus: Count
    agreement: Annotated[
        Fraction | None,
        Meta(
            description="of the record: two spellings of one value agree, a reply that is none with nothing"
        ),
    ]


class DocumentAgreement(Frozen, frozen=True):
    """One document over its fields."""

    doc: str
    n_fields_probed: Count
    n_fields_with_disagreement: Count
    pct_disagreement: Percent


class DocumentLengths(Frozen, frozen=True):
    """The lengths of a list in one document's answers, in the order of replicates."""

    doc: str
    lens: tuple[Count, ...]
    cv: Annotated[float, Meta(ge=0)]


class ListLengths(Frozen, frozen=True):
    """One list; its variation is the standard deviation of its lengths over their mean."""

    array: str
    n_docs: Count
    mean_cv: Annotated[float, Meta(ge=0)]
    max_cv: Annotated[float, Meta(ge=0)]
    pct_docs_stable: Percent
    worst_docs: tuple[DocumentLengths, ...]


class FieldReproducibility(Frozen, frozen=True):
    """The agreement of one field, of the record."""

    field: str
    agreement: Fraction


class Consistency(Frozen, frozen=True):
    """How far the answers to one document agree with each other."""

    fields: Annotated[
        tuple[FieldReproducibility, ...],
        Meta(description="the record's, the worst first; those called `len(...)` are the lengths of lists"),
    ]
    field_rollup: tuple[FieldAgreement, ...]
    doc_rollup: tuple[DocumentAgreement, ...]
    array_rollup: tuple[ListLengths, ...]


class ScalarCoverage(Frozen, frozen=True):
    """How often a field has a value, of the objects that could have it."""

    field: str
    pct_populated: Percent
    n_non_null: Count
    n_total: Count
    schema_declared: bool


class ListCoverage(Frozen, frozen=True):
    """How often a list has an element, of the objects that could have it."""

    field: str
    pct_non_empty: Percent
    n_non_empty: Count
    n_total: Count


class Coverage(Frozen, frozen=True):
    """Which fields are filled."""

    scalars: tuple[ScalarCoverage, ...]
    arrays: tuple[ListCoverage, ...]


class Example(Frozen, frozen=True):
    """A value beside the expected one; of the prompt library's own cases alone."""

    doc: str
    replicate: Count
    status: ExampleStatus
    expected: Annotated[str, Meta(description="JSON, cut around the first difference; empty where invented")]
    answered: Annotated[str, Meta(description="JSON, cut likewise; empty where it was missed")]


class FieldAccuracy(Frozen, frozen=True):
    """One field's figures of the record, with examples of what is wrong, the commonest kinds first."""

    field: str
    accuracy: Fraction
    precision: Fraction | None
    recall: Fraction | None
    examples: tuple[Example, ...]


class DocumentAccuracy(Frozen, frozen=True):
    """One document's figures of the record."""

    doc: str
    accuracy: Fraction | None
    lowest: Fraction | None
    highest: Fraction | None
    reproducibility: Fraction | None
    n_exact: Annotated[Count | None, Meta(description="replies with every leaf right")]


class AccuracySection(Frozen, frozen=True):
    """How right the answers are, field by field and document by document, the worst first."""

    fields: tuple[FieldAccuracy, ...]
    docs: tuple[DocumentAccuracy, ...]


class Summary(Frozen, frozen=True, kw_only=True):
    """`summary.json`."""

    schema_version: Annotated[int, Meta(ge=1)]
    run_name: str
    generated_at: Annotated[
        Timestamp, Meta(description="when the run ended, so that a report made again is equal")
    ]
    config: Config
    headline: Headline
    validation: Validation
    consistency: Consistency
    coverage: Coverage
    accuracy: AccuracySection
