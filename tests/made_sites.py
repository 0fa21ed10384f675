"""Sites of the dashboard to be looked at: small, large, empty, hostile, partial, old, tied. Deterministic."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from random import Random

from evalcore.reports.dashboard.build import build_site
from evalcore.reports.dashboard.component import component_digest
from evalcore.reports.dashboard.facts import ComponentFacts, LibraryFacts, ModelFacts
from evalcore.reports.dashboard.site import FieldCount, Report, ReportExample, Site
from evalcore.runs.leaderboard import leaderboard_of
from evalcore.runs.record import RunRecord
from evalsim.testing import make_record

HOSTILE = (
    '<script>alert("model")</script>',
    "]](javascript:alert(1)) `x` | **b** --8<-- 'x'",
    '" onmouseover="alert(1)" x="',
    "{{ 7 * 7 }} {% raw %} &lt;b&gt;",
    "evil\u202egpj.exe\x1b[31m\x00\ud800",
    "../../etc/passwd",
    "-" * 400,
)
MODELS = (
    "openai/gpt-oss-120b",
    "qwen/qwen3.5-122b-a10b",
    "anthropic/claude-opus-4-6",
    "google/gemini-3-pro",
    "mistralai/Mistral-Small-3.2-24B-Instruct-2506",
    "ibm/granite-4-tiny",
)
FIELDS = (
    "award_number",
    "award_title",
    "award_date",
    "total_amount",
    "budget_categories[].amount",
    "contacts[].email",
)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def names(count: int) -> tuple[str, ...]:
    return (*MODELS, *(f"vendor-{n % 7}/model-{n}-instruct" for n in range(count)))[:count]


def made_run(
    number: int,
    model: str,
    scores: Sequence[Sequence[float]],
    cases: Sequence[str],
    version: str,
    **changes: object,
) -> RunRecord:
    """Make the record of a run with these scores, one row for each case."""
    means = [sum(row) / len(row) for row in scores]
    mean = sum(means) / len(means)
    replies = sum(map(len, scores))
    random = Random(number)
    moment = f"2026-{1 + number // 28 % 12:02d}-{1 + number % 28:02d}T09:{number % 60:02d}:00Z"
    values: dict[str, object] = {
        "model": model,
        "component_version": version,
        "prompt_commit": digest(version)[:40],
        "prompt_sha256": digest(f"prompt {version}"),
        "cases_sha256": digest("\0".join(cases)),
        "scoring_version": 3,
        "replicates": len(scores[0]),
        "cases": len(cases),
        "case_results": [
            {
                "case": case,
                "sha256": digest(case),
                "validated_against_version": "1.0.0",
                "scores": row,
                "reproducibility": max(0.0, 1 - 2 * (max(row) - min(row))),
            }
            for case, row in zip(cases, scores, strict=True)
        ],
        "started_at": moment,
        "finished_at": moment,
        "calls": {"total": replies, "ok": replies, "api_error": 0, "parse_error": 0, "truncated": 0},
        "accuracy": {
            "mean": mean,
            "ci95": [max(0.0, mean - 0.03), min(1.0, mean + 0.025)],
            "anls_star": mean,
            "by_field": {field: min(1.0, mean * (0.8 + 0.3 * random.random())) for field in FIELDS},
        },
        "reproducibility": {
            "mean": min(1.0, mean + 0.04),
            "ci95": None,
            "identical_rate": 0.5,
            "by_field": {},
        },
        "schema_valid_rate": 0.98,
        "latency_ms": {"p50": 2100.0 + 300 * random.random(), "p95": 9000.0},
        "tokens": {"prompt": 3000 * replies, "completion": 800 * replies},
        "cost_usd": round(0.002 * replies * random.random(), 6),
    }
    return make_record(number, mean=mean, **values | changes)


def history_of(
    models: Sequence[str],
    cases: Sequence[str],
    versions: Sequence[str],
    *,
    replicates: int = 3,
    tie: bool = False,
) -> list[RunRecord]:
    """Make one run for each model and version; abilities differ by model, unless all are tied."""
    records = []
    for at, version in enumerate(versions):
        for place, model in enumerate(models):
            number = 1 + at * len(models) + place
            random = Random(0 if tie else number)
            ability = 0.93 if tie else 0.95 - 0.06 * place % 0.7 + 0.012 * at
            rows = [
                [
                    min(1.0, max(0.0, ability - (0.05 * (n % 5)) + random.gauss(0, 0.03)))
                    for _ in range(replicates)
                ]
                for n in range(len(cases))
            ]
            records.append(made_run(number, model, rows, cases, version))
    return records


def site_of(
    components: dict[str, Sequence[RunRecord]], *, models: Sequence[str] = MODELS, url: bool = True
) -> Site:
    """Make the site of components with these records; the library is at version 1.2.0 of each."""
    library = LibraryFacts(
        name="prompt-library",
        url="https://github.com/acme/prompt-library" if url else None,
        repository="acme/prompt-library" if url else None,
        commit="0" * 40,
        workflows=("evaluate-local.yml", "evaluate-cloud.yml"),
        models=tuple(ModelFacts(model, "mindrouter" if "/" in model else "openai") for model in models),
    )
    found = []
    for slug, records in components.items():
        facts = ComponentFacts(
            slug=slug,
            name=slug.replace("-", " ").capitalize(),
            description=f"Reads what {slug} is about, and answers as its schema says.",
            category="extraction",
            version="1.2.0",
            prompt_sha256=digest("prompt 1.2.0"),
            reports=(report_of(records[-1]),) if records else (),
        )
        leaderboard = leaderboard_of(slug, records) if records else None
        found.append(component_digest(facts, leaderboard, library, {}))
    return build_site(library, found)


def report_of(record: RunRecord) -> Report:
    return Report(
        name="2026-04-20-report",
        path="components/x/evals/reports/2026-04-20-report",
        url="https://github.com/acme/prompt-library/blob/HEAD/components/x/evals/reports/2026-04-20-report/REPORT.md",
        run_id=record.run_id,
        model=record.model,
        component_version=record.component_version,
        generated_at="2026-04-20T10:00:00Z",
        replies=140,
        missed=(FieldCount("award_number", 31), FieldCount("linked_awards", 4)),
        invented=(FieldCount("awardNumber", 31),),
        examples=(
            ReportExample(
                field="award_number", case="award-01", status="missed", expected="2301234", answered=""
            ),
            ReportExample(
                field="award_title", case="award-02", status="wrong", expected="A title", answered=HOSTILE[0]
            ),
        ),
    )


CASES = tuple(f"award-{n:02d}" for n in range(12))
VERSIONS = ("1.0.0", "1.1.0", "1.2.0")


def small() -> Site:
    """A library of four components: one well known, one outdated, one with a single model, one never run."""
    outdated = history_of(MODELS[:3], CASES[:5], VERSIONS[:2])
    return site_of(
        {
            "award-notice-terms": [*history_of(MODELS, CASES, VERSIONS), partial(900)],
            "budget-justification": outdated,
            "document-classifier": history_of(MODELS[:1], CASES[:1], VERSIONS[2:], replicates=1),
            "never-run": [],
        }
    )


def partial(number: int = 1, version: str = "1.2.0") -> RunRecord:
    """Make a run that was cut short."""
    calls = {"total": 36, "ok": 20, "api_error": 14, "parse_error": 2, "truncated": 1}
    rows = [[0.5, 0.6, 0.4] for _ in CASES]
    return made_run(
        number, MODELS[0], rows, CASES, version, status="partial", reason="timeout: 14 calls", calls=calls
    )


def empty() -> Site:
    """No component at all."""
    return site_of({}, models=())


def large() -> Site:
    """Fifty models at one component, with many cases and versions."""
    models = names(50)
    cases = tuple(f"case-{n:03d}-of-a-longer-name" for n in range(24))
    versions = tuple(f"1.{n}.0" for n in range(3))
    return site_of({"large": history_of(models, cases, versions)}, models=models)


def tied() -> Site:
    """Models that are the same in everything but their names."""
    return site_of({"tied": history_of(names(12), CASES, VERSIONS[2:], tie=True)})


def hostile() -> Site:
    """Names of models and cases that would run, break out or turn around."""
    models = [name.replace("\ud800", "") for name in HOSTILE]
    cases = [name.replace("\ud800", "") for name in HOSTILE]
    return site_of({"hostile": [*history_of(models, cases, VERSIONS), partial(900)]}, models=models)


def partial_only() -> Site:
    """Nothing but runs that were cut short."""
    return site_of({"partial": [partial(1), partial(2)]})


def old() -> Site:
    """Records of scoring versions 1 to 3, the older without intervals and without what came later."""
    records: list[RunRecord] = []
    for scoring in (1, 2, 3):
        for record in history_of(MODELS[:3], CASES[:4], VERSIONS[2:]):
            number = 100 * scoring + len(records)
            accuracy: dict[str, object] = {"mean": 0.8, "ci95": None, "anls_star": 0.8, "by_field": {}}
            older: dict[str, object] = {"accuracy": accuracy, "latency_ms": {"p50": None, "p95": None}}
            records.append(
                made_run(
                    number,
                    record.model,
                    [[0.8, 0.8, 0.8]] * 4,
                    CASES[:4],
                    "1.2.0",
                    scoring_version=scoring,
                    **(older if scoring < 3 else {}),
                )
            )
    return site_of({"old": records})


def one_model() -> Site:
    """A single model everywhere."""
    return site_of({"alone": history_of(MODELS[:1], CASES, VERSIONS)}, models=MODELS[:1])


SITES = {made.__name__: made for made in (small, large, empty, hostile, partial_only, old, one_model, tied)}
