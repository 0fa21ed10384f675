"""What is to be called: a job for all its models, and a run for one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from evalcore.clients.interface import Call
from evalcore.errors import CaseError
from evalcore.formats.strict_json import sha256_hex
from evalcore.library.adaptation import AdaptedSchema, adapt_schema
from evalcore.library.cases import NoUsableCase
from evalcore.library.component import DATA_SETS, Case, Component, OutputFormat, SkippedCase
from evalcore.library.models import (
    Model,
    Provider,
    StructuredOutput,
    is_local,
    schema_dialect,
    takes_document,
)
from evalcore.library.reading import ReadingSettings
from evalcore.library.schema_view import types_of
from evalcore.structs import Frozen, JsonObject, JsonValue
from evalcore.version import SCORING_VERSION, __version__

Origin = Literal["vm", "actions", "local"]
RUN_SCHEMA_VERSION = 1
# A schema may refer to itself without end: what lies beyond this is not read.
MOST_SCHEMAS = 500
"""The number of subschemas, references followed, that are read to find the JSON type of an answer."""


class Server(Frozen, frozen=True):
    """What the gateway says of a model; None where it does not say."""

    version: str | None = None
    quantization: str | None = None
    context_length: int | None = None
    backends: tuple[str, ...] | None = None


class JobPlan(Frozen, frozen=True):
    """One component, all its cases, R replicates, for several models."""

    job_id: str
    origin: Origin
    component: Component
    cases: tuple[Case, ...]
    skipped_cases: tuple[SkippedCase, ...]
    models: tuple[Model, ...]
    providers: dict[str, Provider]
    replicates: int
    prompt_commit: str | None
    dataset_commit: str | None
    # The service fixes them with the job, so that a start after a kill finds the folders of its runs.
    run_ids: dict[str, str] = msgspec.field(default_factory=dict)
    """Model to its run's id, where it is fixed before the run begins."""
    reading: ReadingSettings = ReadingSettings()
    """How the documents among its inputs are read (evalcore.documents.reading), before the first call."""

    @property
    def unread(self) -> tuple[Case, ...]:
        """The cases whose documents are still to be read."""
        return tuple(case for case in self.cases if case.is_unread)

    @property
    def calls(self) -> int:
        """The number of calls, if every model can be served."""
        return sum(self.calls_of(model) for model in self.models)

    def calls_of(self, model: Model) -> int:
        """The number of calls of a model, if it can be served."""
        return len(cases_for(self, model)[0]) * self.replicates


def with_cases(job: JobPlan, now: Mapping[str, Case | SkippedCase]) -> JobPlan:
    """Return a job with other cases, or reasons why they are left out, in the place of those of a name.

    Raises NoUsableCase where no case is left.
    """
    kept: list[Case] = []
    skipped = list(job.skipped_cases)
    for case in job.cases:
        known = now.get(case.name, case)
        if isinstance(known, Case):
            kept.append(known)
        else:
            skipped.append(known)
    # In one order, whether a case was found unusable when it was read or only by its document's reader.
    skipped.sort(key=lambda case: case.case)
    if not kept:
        raise NoUsableCase(job.component.slug, tuple(skipped))
    return msgspec.structs.replace(job, cases=tuple(kept), skipped_cases=tuple(skipped))


def cases_for(job: JobPlan, model: Model) -> tuple[tuple[Case, ...], tuple[SkippedCase, ...]]:
    """Return the cases that a model may be sent, and those left out with the reason."""
    reasons = [(case, _why_kept_back(job, case, model)) for case in job.cases]
    kept_back = [
        SkippedCase(case.name, f"{_place(job, case)}: {reason}")
        for case, reason in reasons
        if reason is not None
    ]
    if not kept_back:
        return job.cases, job.skipped_cases
    skipped = sorted([*job.skipped_cases, *kept_back], key=lambda case: case.case)
    return tuple(case for case, reason in reasons if reason is None), tuple(skipped)


def _why_kept_back(job: JobPlan, case: Case, model: Model) -> str | None:
    """Say why a case is not sent to a model; None where it is."""
    if case.local_only and not is_local(model):
        return "is local_only, so never sent to a cloud provider"
    # Also before it is read, so that a job's calls are counted alike before and after.
    is_as_it_is = case.is_sent_itself or (case.is_unread and job.reading.reader == "none")
    if case.document is None or not is_as_it_is:
        return None
    if takes_document(job.providers[model.provider], case.document.kind):
        return None
    return f"{model.provider} takes no {case.document.kind.upper()} as it is: read it by another reader"


def _place(job: JobPlan, case: Case) -> str:
    slug = job.component.slug
    if case.source == "data_sets":
        return f"{DATA_SETS}/{slug}/{case.name}"
    return f"components/{slug}/evals/cases/{case.name}"


class RunPlan(Frozen, frozen=True, kw_only=True):
    """One component, one model, all cases, R replicates: `run.json`, all that scoring reads."""

    schema_version: int = RUN_SCHEMA_VERSION
    run_id: str
    job_id: str
    origin: Origin
    component: Component
    cases: tuple[Case, ...]
    skipped_cases: tuple[SkippedCase, ...]
    model: Model
    # With the name of the key's variable, never the key: a run's folder is handed around.
    provider: Provider
    server: Server
    replicates: int
    prompt_commit: str | None
    dataset_commit: str | None
    adapted: AdaptedSchema | None = None
    """The schema as it is sent; None where none is sent, or the component's own."""
    evaluator_version: str = __version__
    scoring_version: int = SCORING_VERSION

    @property
    def calls(self) -> int:
        """The number of calls."""
        return len(self.cases) * self.replicates

    @property
    def cases_sha256(self) -> str:
        """Identify the set of cases: SHA-256 over `name NUL sha256 newline` in the order of names."""
        lines = sorted(f"{case.name}\0{case.sha256}\n" for case in self.cases)
        return sha256_hex("".join(lines).encode())


def plan_run(job: JobPlan, model: Model, run_id: str, server: Server) -> RunPlan:
    """Plan one model's part of a job; raises InputError for what its provider cannot be sent."""
    provider = job.providers[model.provider]
    if unread := job.unread:
        # Sent as it is, the call would have no input at all.
        raise CaseError(
            f"the document of case {unread[0].name} has not been read",
            where=job.component.slug,
            hint="read the documents before the calls",
        )
    cases, skipped = cases_for(job, model)
    if not cases:
        is_private = all(case.local_only for case in job.cases)
        raise CaseError(
            "every case is local_only, so none may be sent to a cloud provider"
            if is_private
            else f"{provider.name} takes none of its documents as they are",
            where=job.component.slug,
            hint="evaluate it on local models" if is_private else "have them read by another reader",
        )
    fitted = fit_to_output(model, job.component.output, job.component.schema, provider)
    return RunPlan(
        run_id=run_id,
        job_id=job.job_id,
        origin=job.origin,
        component=job.component,
        cases=cases,
        skipped_cases=skipped,
        model=fitted,
        provider=provider,
        server=server,
        replicates=job.replicates,
        prompt_commit=job.prompt_commit,
        dataset_commit=job.dataset_commit,
        adapted=adapted_schema(fitted, job.component.schema, provider),
    )


def adapted_schema(model: Model, schema: JsonObject | None, provider: Provider) -> AdaptedSchema | None:
    """Return the schema as it is sent to a model; None where none is, or the component's own as it stands.

    Raises SchemaNotTaken where the provider cannot be asked for it.
    """
    dialect = schema_dialect(provider)
    if dialect is None or schema is None or model.structured_output != "json_schema":
        return None
    return adapt_schema(schema, dialect)


def call_order(cases: int, replicates: int) -> Iterator[tuple[int, int]]:
    """Yield (replicate, case index) replicate by replicate, so that a run cut short is balanced."""
    for replicate in range(replicates):
        for case in range(cases):
            yield replicate, case


def call_for(
    model: Model,
    prompt: str,
    schema: JsonObject | None,
    case: Case,
    replicate: int,
    adapted: AdaptedSchema | None = None,
) -> Call:
    """Return the call of one case's replicate: the prompt as the system message, the input as the user's."""
    sent = schema if adapted is None else adapted.schema
    return Call(
        case=case.name,
        replicate=replicate,
        model=model,
        system=prompt,
        user=case.input,
        schema=sent if model.structured_output == "json_schema" else None,
        as_tool=adapted is not None and adapted.as_tool,
    )


def fit_to_output(
    model: Model, output: OutputFormat, schema: JsonObject | None, provider: Provider | None = None
) -> Model:
    """Return the model asked for as much structure as the component's answers, and its provider, allow.

    What kind of JSON the answers are, the schema decides; where it does not say, the catalog.
    """
    wanted: StructuredOutput = model.structured_output
    if wanted == "json_schema" and schema is None:
        wanted = "json_object"
    # Anthropic can be asked for a schema, not for JSON alone.
    has_no_json = provider is not None and provider.api == "anthropic"
    # A Markdown answer has no structure to ask for, and `json_object` would forbid an array.
    if output == "markdown" or (wanted == "json_object" and (has_no_json or not _is_object(output, schema))):
        wanted = "none"
    return msgspec.structs.replace(model, structured_output=wanted)


def _is_object(output: OutputFormat, schema: JsonObject | None) -> bool:
    """Whether every answer is a JSON object."""
    said = None if schema is None else _Kind(schema).of(schema)
    return output == "json_object" if said is None else said


class _Kind:
    """Finds out whether a schema allows objects alone. Bounded: a schema comes from anybody."""

    def __init__(self, root: JsonObject) -> None:
        self._root = root
        self._left = MOST_SCHEMAS

    def of(self, schema: JsonValue) -> bool | None:
        """True: objects alone; False: something else too; None: it does not say."""
        self._left -= 1
        if not isinstance(schema, dict) or self._left < 0:
            return None
        if names := types_of(schema):
            return names == {"object"}
        if isinstance(ref := schema.get("$ref"), str):
            return self.of(self._target(ref))
        for keyword in ("anyOf", "oneOf"):
            if isinstance(choices := schema.get(keyword), list) and choices:
                # One choice that does not say may be anything.
                kinds = [self.of(choice) for choice in choices]
                return None if None in kinds else all(kinds)
        if not isinstance(parts := schema.get("allOf"), list):
            return None
        said = [kind for part in parts if (kind := self.of(part)) is not None]
        # All parts hold together: one that allows objects alone is enough.
        return any(said) if said else None

    def _target(self, ref: str) -> JsonValue:
        if ref == "#":
            return self._root
        named = self._root.get("$defs")
        return named.get(ref.removeprefix("#/$defs/")) if isinstance(named, dict) else None
