"""What `summary.json` held before this program wrote it: fields may be left out, unknown ones are there."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from evalcore.reports.run_report.summary import KeyCount, Percent
from evalcore.runs.record import Count
from evalcore.structs import Frozen

Measure = Annotated[float, Meta(ge=0)] | None | UnsetType
Number = Count | UnsetType
Share = Percent | None | UnsetType


class EarlierConfig(Frozen, frozen=True, kw_only=True):
    """How the run was made."""

    model: str | UnsetType = UNSET
    prompt_sha256: str | UnsetType = UNSET
    temperature: Measure = UNSET
    max_tokens: Count | UnsetType | None = UNSET
    n_replicates: Number = UNSET
    pdf_count: Number = UNSET
    structured_output: str | UnsetType | None = UNSET


class EarlierSpread(Frozen, frozen=True, kw_only=True):
    """Percentiles of what was measured of each reply."""

    p50: Measure = UNSET
    p95: Measure = UNSET
    min: Measure = UNSET
    max: Measure = UNSET
    n_over_80pct_of_cap: Count | UnsetType | None = UNSET
    n_over_95pct_of_cap: Count | UnsetType | None = UNSET
    cap: Count | UnsetType | None = UNSET


class EarlierHeadline(Frozen, frozen=True, kw_only=True):
    """How the calls ended."""

    n_documents: Count
    n_replicates_attempted: Count
    n_success: Count
    n_api_error: Number = UNSET
    n_parse_error: Number = UNSET
    ocr_latency_ms: EarlierSpread | UnsetType = UNSET
    chat_latency_ms: EarlierSpread | UnsetType = UNSET
    prompt_tokens: EarlierSpread | UnsetType = UNSET
    completion_tokens: EarlierSpread | UnsetType = UNSET


class EarlierDrift(Frozen, frozen=True, kw_only=True):
    """Where the names of keys are not those of the schema."""

    extra_top_keys: tuple[KeyCount, ...] | UnsetType = UNSET
    missing_top_keys: tuple[KeyCount, ...] | UnsetType = UNSET


class EarlierValidation(Frozen, frozen=True, kw_only=True):
    """How far answers obey the schema."""

    n_total: Count
    n_valid: Count
    valid_rate_pct: Share = UNSET
    n_valid_ignoring_extra_top_keys: Number = UNSET
    valid_rate_ignoring_extras_pct: Share = UNSET
    top_errors: list[msgspec.Raw] | UnsetType = UNSET
    name_drift: EarlierDrift | UnsetType = UNSET


class EarlierField(Frozen, frozen=True, kw_only=True):
    """One scalar field over the documents."""

    field: str
    n_docs: Number = UNSET
    pct_full_agreement: Share = UNSET
    n_full: Number = UNSET
    n_two_distinct: Number = UNSET
    n_three_plus: Number = UNSET


class EarlierDocument(Frozen, frozen=True, kw_only=True):
    """One document over its fields."""

    doc: str
    n_fields_probed: Number = UNSET
    n_fields_with_disagreement: Number = UNSET
    pct_disagreement: Share = UNSET


class EarlierLengths(Frozen, frozen=True, kw_only=True):
    """The lengths of a list in one document's answers."""

    doc: str
    lens: tuple[Count, ...] | UnsetType = UNSET
    cv: Measure = UNSET


class EarlierList(Frozen, frozen=True, kw_only=True):
    """One list over the documents."""

    array: str
    mean_cv: Measure = UNSET
    max_cv: Measure = UNSET
    pct_docs_stable: Share = UNSET
    worst_docs: tuple[EarlierLengths, ...] | UnsetType = UNSET


class EarlierConsistency(Frozen, frozen=True, kw_only=True):
    """How far the answers to one document agree."""

    field_rollup: tuple[EarlierField, ...] | UnsetType = UNSET
    doc_rollup: tuple[EarlierDocument, ...] | UnsetType = UNSET
    array_rollup: tuple[EarlierList, ...] | UnsetType = UNSET


class EarlierScalar(Frozen, frozen=True, kw_only=True):
    """How often a field has a value."""

    field: str
    pct_populated: Share = UNSET
    n_non_null: Number = UNSET
    n_total: Number = UNSET
    schema_declared: bool | UnsetType = UNSET


class EarlierArray(Frozen, frozen=True, kw_only=True):
    """How often a list has an element."""

    field: str
    pct_non_empty: Share = UNSET
    n_non_empty: Number = UNSET
    n_total: Number = UNSET


class EarlierCoverage(Frozen, frozen=True, kw_only=True):
    """Which fields are filled."""

    scalars: tuple[EarlierScalar, ...] | UnsetType = UNSET
    arrays: tuple[EarlierArray, ...] | UnsetType = UNSET


class EarlierSummary(Frozen, frozen=True, kw_only=True):
    """A `summary.json` that names no version."""

    run_name: str
    generated_at: str | UnsetType = UNSET
    config: EarlierConfig | UnsetType = UNSET
    headline: EarlierHeadline | UnsetType = UNSET
    validation: EarlierValidation | UnsetType = UNSET
    consistency: EarlierConsistency | UnsetType = UNSET
    coverage: EarlierCoverage | UnsetType = UNSET
