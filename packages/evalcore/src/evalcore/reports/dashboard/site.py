"""All that the dashboard shows, as `index.json` has it: the pages are drawn from these Structs alone.

Every figure is one of a run record, or what a function of evalcore makes of records. Names and texts are
those of the library, of its models and of whoever wrote a record: a page escapes them. Shares and
accuracies are from 0 to 1, times in UTC (RFC 3339), money in USD.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from evalcore.compare.verdict import Verdict
from evalcore.library.models import StructuredOutput
from evalcore.runs.plan import Origin, Server
from evalcore.runs.record import RunStatus
from evalcore.structs import Frozen, JsonObject

SITE_SCHEMA_VERSION: Final = 1
"""Raised where a field goes or means something else; a new field does not raise it."""

Interval = tuple[float, float]
RankRange = Annotated[
    tuple[int, int], Meta(description="the best and the worst rank that the replies leave open")
]
Freshness = Literal["current", "patch", "changed", "outdated", "partial", "never"]
GapKind = Literal["component", "version", "model"]


class Links(Frozen, frozen=True):
    """Where a run can be looked up; null where that is not known."""

    commit: Annotated[str | None, Meta(description="the evaluated commit, on GitHub")] = None
    pull_request: Annotated[
        str | None, Meta(description="GitHub's search for the pull request that names the job")
    ] = None
    report: Annotated[str | None, Meta(description="the published report, on GitHub")] = None
    report_path: Annotated[str | None, Meta(description="the report's folder, from the library's root")] = (
        None
    )


class FieldCount(Frozen, frozen=True):
    """A field, and in how many replies."""

    field: str
    count: int


class ReportExample(Frozen, frozen=True):
    """A wrong value beside the expected one, as a report publishes it: of the library's own cases alone."""

    field: str
    case: str
    status: Literal["wrong", "missed", "invented", "nearly"]
    expected: str
    answered: str


class Report(Frozen, frozen=True, kw_only=True):
    """A report that the library publishes under `evals/reports/`."""

    name: Annotated[str, Meta(description="of its folder")]
    path: Annotated[str, Meta(description="of its folder, from the library's root")]
    url: Annotated[str | None, Meta(description="its REPORT.md on GitHub")]
    run_id: Annotated[str | None, Meta(description="of the run it is about; null where it does not say")]
    model: str | None
    component_version: str | None
    generated_at: str | None
    replies: Annotated[int | None, Meta(description="how many the report is over")]
    missed: Annotated[tuple[FieldCount, ...], Meta(description="keys the schema wants and replies lack")]
    invented: Annotated[tuple[FieldCount, ...], Meta(description="keys of replies that no schema declares")]
    examples: tuple[ReportExample, ...] = ()
    problem: Annotated[str | None, Meta(description="why its summary.json cannot be read")] = None


class CallOutcomes(Frozen, frozen=True):
    """How the calls of all runs of a row ended."""

    total: int
    ok: int
    api_error: int
    parse_error: int
    truncated: int


class RankingRow(Frozen, frozen=True, kw_only=True):
    """One row of a ranking: the runs of a model that count together; or one partial run, not ranked."""

    label: Annotated[str, Meta(description="the model, and what sets this row apart from its others")]
    model: str
    page: Annotated[str, Meta(description="the model's page, from the site's root")]
    provider: str
    params: Annotated[JsonObject, Meta(description="without the seed")]
    structured_output: StructuredOutput
    server: Server
    status: RunStatus
    reason: Annotated[str | None, Meta(description="why it is partial")]
    rank: Annotated[RankRange | None, Meta(description="for these cases; null of a partial run")]
    rank_like_cases: Annotated[
        RankRange | None, Meta(description="for cases like these; null below ten cases")
    ]
    is_superseded: Annotated[
        bool,
        Meta(description="the same model was run later on another server: this is of one that is gone"),
    ]
    is_level_with_best: Annotated[bool, Meta(description="whether its range of ranks begins at 1")]
    accuracy: float | None
    ci95: Interval | None
    exact_rate: float | None
    all_right_rate: float | None
    reproducibility: float | None
    by_chance: Annotated[
        float | None, Meta(description="agreement of replies to different cases, mean over the runs")
    ]
    schema_valid_rate: Annotated[float | None, Meta(description="mean over the runs that have it")]
    replies: int
    calls: CallOutcomes
    cost_usd_per_1000_replies: Annotated[
        float | None, Meta(description="null where a run of it has no price")
    ]
    cost_usd_per_run: Annotated[
        float | None, Meta(description="mean over the runs: what one more evaluation costs")
    ]
    latency_p50_ms: Annotated[float | None, Meta(description="of the newest run")]
    latency_p95_ms: Annotated[float | None, Meta(description="of the newest run")]
    prompt_tokens: Annotated[
        float | None, Meta(description="per reply, over the runs; null where one lacks them")
    ]
    completion_tokens: Annotated[
        float | None, Meta(description="per reply, over the runs; null where one lacks them")
    ]
    drifting: Annotated[bool, Meta(description="a run's scores trend with time: its interval is too narrow")]
    hardly_reads_its_input: bool
    run_ids: Annotated[tuple[str, ...], Meta(description="the oldest first")]
    finished_at: Annotated[str, Meta(description="of the newest run")]
    links: Annotated[Links, Meta(description="of the newest run")]


class RankingView(Frozen, frozen=True, kw_only=True):
    """How the models stand at one version, with one set of cases, policy and scoring."""

    id: Annotated[str, Meta(description="unique in its component, and stable: for links")]
    component_version: str
    scoring_version: int
    prompt_sha256: str
    schema_sha256: str | None
    policy_sha256: str | None
    cases_sha256: str
    cases: int
    are_cases_shared: Annotated[
        bool, Meta(description="whether this is over the cases that several sets of them have in common")
    ]
    all_right_of: Annotated[int, Meta(description="replies to a case that `all_right_rate` is about")]
    is_current_version: Annotated[bool, Meta(description="of the version that the library has now")]
    is_current_prompt: Annotated[bool, Meta(description="of the prompt's text as it is now")]
    is_current_policy: Annotated[
        bool | None,
        Meta(
            description="by the policy as it is now; null where that cannot be told: it is not the "
            "library's, and the data sets, which may have one of their own, are not at hand"
        ),
    ]
    measures: Annotated[
        Literal["correctness", "wording"],
        Meta(description="what accuracy means here: `wording` is overlap of words, not correctness"),
    ]
    sentence: Annotated[str, Meta(description="what the ranking comes to")]
    notes: Annotated[tuple[str, ...], Meta(description="what a reader must know besides")]
    rows: Annotated[tuple[RankingRow, ...], Meta(description="by rank; partial runs last")]


class VerdictView(Frozen, frozen=True, kw_only=True):
    """What a comparison with earlier runs of the model says, as `evalcli compare` does."""

    against_version: str
    against_run_ids: tuple[str, ...]
    verdict: Annotated[Verdict | None, Meta(description="null where the two are not comparable")]
    reason: Annotated[str, Meta(description="why so, or why they are not comparable")]
    change: Annotated[float | None, Meta(description="of mean accuracy, over the cases that both have")]
    p: Annotated[
        float | None,
        Meta(description="of a regression or an improvement, adjusted for the number of models; null else"),
    ]
    is_significant: Annotated[bool, Meta(description="whether it is a regression or an improvement")]


class RunView(Frozen, frozen=True, kw_only=True):
    """One run of a point: figures of its record."""

    run_id: str
    job_id: str
    origin: Origin
    finished_at: str
    accuracy: float | None
    ci95: Interval | None
    reproducibility: float | None
    drifting: bool
    is_rescored: bool
    links: Links


class HistoryPoint(Frozen, frozen=True, kw_only=True):
    """A model at one version: runs that count together, or one partial run."""

    component_version: str
    status: RunStatus
    scoring_version: int
    first_at: Annotated[str, Meta(description="when the oldest run ended")]
    last_at: Annotated[str, Meta(description="when the newest run ended")]
    accuracy: float | None
    ci95: Interval | None
    reproducibility: float | None
    replies: int
    server_changed: Annotated[
        tuple[str, ...],
        Meta(
            description="what the server says differently than in the point before: version, quantization, "
            "context_length"
        ),
    ]
    also_changed: Annotated[
        tuple[str, ...],
        Meta(description="what else is not as in the point before: schema, params, cases, policy, scoring"),
    ]
    drifting: bool
    verdict: Annotated[
        VerdictView | None, Meta(description="against the version before; null where there is none")
    ]
    since_server_changed: Annotated[
        VerdictView | None,
        Meta(description="against the runs before on another server, of the same version; null else"),
    ]
    runs: Annotated[tuple[RunView, ...], Meta(description="the oldest first")]


class History(Frozen, frozen=True):
    """One model over versions and time."""

    model: str
    page: str
    provider: str
    points: Annotated[tuple[HistoryPoint, ...], Meta(description="by version, then time")]


class VersionChange(Frozen, frozen=True):
    """A version against the one before, over all models, in a sentence."""

    component_version: str
    previous: str
    sentence: str


class CaseCell(Frozen, frozen=True):
    """A model at one case."""

    accuracy: Annotated[float | None, Meta(description="mean over its replies; null where none came")]
    spread: Annotated[float | None, Meta(description="standard deviation of one reply; null below two")]
    lowest: float | None
    highest: float | None
    replies: int


class CaseLine(Frozen, frozen=True, kw_only=True):
    """One case of a ranking, over its models."""

    case: Annotated[str, Meta(description="as the leaderboard names it: hashed where names are private")]
    sha256: str
    validated_against_version: str | None
    is_stale: Annotated[bool, Meta(description="last checked by people with an older version")]
    accuracy: Annotated[float | None, Meta(description="mean over the models")]
    noise: Annotated[
        float | None,
        Meta(description="standard deviation of one reply about its model's mean, over all models"),
    ]
    cells: Annotated[tuple[CaseCell, ...], Meta(description="in the order of `columns`")]


class FieldCell(Frozen, frozen=True):
    """A model at one field: figures of records, mean over the runs of its row; null where they lack them."""

    accuracy: float | None
    missed: Annotated[float | None, Meta(description="of what was expected, the share missed or wrong")]
    invented: Annotated[float | None, Meta(description="of what was answered, the share invented or wrong")]
    reproducibility: float | None


class FieldLine(Frozen, frozen=True):
    """One field of the answer, over the models of a ranking."""

    field: str
    accuracy: Annotated[float | None, Meta(description="mean over the models that have it")]
    cells: Annotated[tuple[FieldCell, ...], Meta(description="in the order of `columns`")]


class Column(Frozen, frozen=True):
    """A column of the matrices: a row of the ranking."""

    label: str
    model: str
    page: str


class Failures(Frozen, frozen=True):
    """Where the models of the component's first ranking fail."""

    ranking_id: str
    columns: tuple[Column, ...]
    cases: Annotated[tuple[CaseLine, ...], Meta(description="the worst first")]
    fields: Annotated[tuple[FieldLine, ...], Meta(description="the worst first")]
    fields_left_out: Annotated[int, Meta(description="how many more fields there are than are shown")]


class VersionView(Frozen, frozen=True, kw_only=True):
    """One version that is known of a component."""

    component_version: str
    is_current: bool
    runs: int
    complete_models: int
    partial_runs: int
    first_at: str | None
    last_at: str | None


class Start(Frozen, frozen=True):
    """How an evaluation is started."""

    command: Annotated[str, Meta(description="for a shell, in the library's folder")]
    link: Annotated[str | None, Meta(description="the workflow on GitHub that does it on demand")]


class Gap(Frozen, frozen=True, kw_only=True):
    """What has no complete run: a component, its present version, or a model of models.yaml there."""

    kind: GapKind
    component: str
    component_page: str
    component_version: Annotated[str | None, Meta(description="the version that the library has now")]
    model: Annotated[str | None, Meta(description="null of a component and a version")]
    sentence: str
    starts: tuple[Start, ...]


class ComponentView(Frozen, frozen=True, kw_only=True):
    """One component of the library."""

    slug: str
    page: Annotated[str, Meta(description="from the site's root")]
    name: str
    description: Annotated[str | None, Meta(description="the catalog's summary")]
    category: str | None
    version: Annotated[str | None, Meta(description="that the library has now; null where unreadable")]
    source: Annotated[str | None, Meta(description="its folder on GitHub")]
    problem: Annotated[str | None, Meta(description="why its prompt or policy cannot be read")]
    leaderboard_problem: Annotated[
        str | None, Meta(description="why its leaderboard cannot be read: then nothing is shown of it")
    ]
    foreign_runs: Annotated[int, Meta(description="runs of other evaluators, which are not shown")]
    runs: Annotated[int, Meta(description="that are shown, each scoring of one counted once")]
    policy_path: Annotated[str | None, Meta(description="of the scoring policy as it is now")]
    versions: Annotated[tuple[VersionView, ...], Meta(description="the newest first")]
    rankings: Annotated[
        tuple[RankingView, ...],
        Meta(description="newest version first; the first of all is the one to go by"),
    ]
    changes: Annotated[tuple[VersionChange, ...], Meta(description="the newest version first")]
    history: Annotated[tuple[History, ...], Meta(description="by model")]
    failures: Failures | None
    reports: Annotated[tuple[Report, ...], Meta(description="the newest first")]
    gaps: tuple[Gap, ...]
    start: Annotated[tuple[Start, ...], Meta(description="how it is evaluated again")]


class ModelInComponent(Frozen, frozen=True, kw_only=True):
    """How a model does at one component; figures of its best-placed row in its newest version's ranking."""

    component: str
    component_page: str
    component_version: Annotated[str | None, Meta(description="that the library has now")]
    validated_at: Annotated[str | None, Meta(description="the newest version with a complete run")]
    freshness: Freshness
    sentence: Annotated[str, Meta(description="the freshness in words")]
    ranking_id: str | None
    rank: RankRange | None
    of: Annotated[int, Meta(description="how many rows are ranked beside it, itself included")]
    accuracy: float | None
    ci95: Interval | None
    reproducibility: float | None
    cost_usd_per_1000_replies: float | None
    latency_p50_ms: float | None
    drifting: bool
    verdict: Annotated[VerdictView | None, Meta(description="of its newest point")]
    finished_at: str | None
    starts: Annotated[tuple[Start, ...], Meta(description="how it is evaluated there (again)")]


class ModelView(Frozen, frozen=True, kw_only=True):
    """One model over the whole library."""

    id: str
    page: Annotated[str, Meta(description="from the site's root")]
    provider: str
    is_configured: Annotated[bool, Meta(description="whether models.yaml has it now")]
    is_local: Annotated[bool, Meta(description="whether the service on the VM evaluates it")]
    first_places: Annotated[int, Meta(description="components at whose present version its rank begins at 1")]
    sentence: str
    components: Annotated[tuple[ModelInComponent, ...], Meta(description="by component, all of the library")]


class LibraryView(Frozen, frozen=True):
    """The prompt library that the site is of."""

    name: str
    repository: Annotated[str | None, Meta(description="owner/name on GitHub")]
    url: str | None
    commit: Annotated[str | None, Meta(description="that it was read at; null outside git")]
    models_problem: Annotated[str | None, Meta(description="why models.yaml cannot be read")]


class Totals(Frozen, frozen=True):
    """How much there is."""

    components: int
    evaluated_components: Annotated[int, Meta(description="with a complete run of the present version")]
    models: int
    runs: int
    replies: int


class Site(Frozen, frozen=True, kw_only=True):
    """`index.json`: all that the dashboard shows."""

    schema_version: int = SITE_SCHEMA_VERSION
    evaluator_version: str
    library: LibraryView
    newest_run_at: Annotated[str | None, Meta(description="when the newest run ended that is shown")]
    totals: Totals
    components: Annotated[tuple[ComponentView, ...], Meta(description="by slug")]
    models: Annotated[tuple[ModelView, ...], Meta(description="by id")]
    never_evaluated: Annotated[
        tuple[Gap, ...], Meta(description="components first, then versions, then models")
    ]


def site_schema() -> JsonObject:
    """Return the JSON Schema (2020-12) of `index.json`."""
    (root,), definitions = msgspec.json.schema_components([Site], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "index.json",
        **root,
        "$defs": definitions,
    }
