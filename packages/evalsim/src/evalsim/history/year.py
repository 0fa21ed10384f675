"""A component's year, week by week: which models were run when, and the records that came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from evalcore.formats.strict_json import sha256_hex
from evalcore.ids import RANDOM_BYTES, uuid7
from evalcore.library.models import LOCAL_PROVIDER
from evalcore.runs.record import Calls, CaseResult, Latency, RunRecord, Tokens
from evalcore.stats.sampling import Uniform, seeded_uniform
from evalcore.version import SCORING_VERSION, __version__
from evalsim.history.answers import (
    MISSED,
    Answers,
    accuracy_of,
    answer_case,
    case_result,
    reproducibility_of,
    unparsed,
)
from evalsim.history.world import WEEKS, Release, SimComponent, SimModel

BEGIN: Final = datetime(2025, 12, 1, 9, tzinfo=UTC)
AGAIN_AFTER: Final = 6
"""Weeks after which a version is run again, on some of the models."""
HALF: Final = WEEKS // 2
_AGAIN: Final = 0.45
_DRIFT: Final = 0.03
_UNANSWERED: Final = 0.25
"""Of a partial run's calls."""
_FEWEST_ANSWERED: Final = 0.9
"""Of a complete run's calls."""
_PROMPT_TOKENS: Final = 5200


def year_of(component: SimComponent, models: Sequence[SimModel]) -> list[RunRecord]:
    """Return all records of a component's year, in the order of time. The same every time."""
    return [record for week in range(WEEKS) for record in _week(component, models, week)]


def cases_of(component: SimComponent, week: int) -> list[tuple[str, str]]:
    """Return the cases that a run of a week has: name, and SHA-256."""
    count = component.cases + (component.cases_later if week >= HALF else 0)
    hashes = [sha256_hex(f"{component.slug}\0{at}".encode()) for at in range(count)]
    return [
        (component.own_cases[at] if at < len(component.own_cases) else f"case-{digest[:20]}", digest)
        for at, digest in enumerate(hashes)
    ]


def prompt_sha256(component: SimComponent, version: str) -> str:
    """Return the hash of the prompt at a version: that of the text in the library for the present one."""
    # The present one's is the real hash, by which the dashboard knows whether figures are of the library's
    # text.
    text = component.prompt if version == component.present else f"{component.prompt}\n\n{version}"
    return sha256_hex(text.encode())


def _week(component: SimComponent, models: Sequence[SimModel], week: int) -> Iterator[RunRecord]:
    released = [release for release in component.releases if release.week <= week]
    if not released:
        return
    release = released[-1]
    since = week - release.week
    chance = seeded_uniform("week", component.slug, str(week))
    for model in models:
        # Drawn for every model, there or not: one that comes late changes nothing of the others.
        is_again = chance() < _AGAIN
        is_there = model.from_week <= week < model.until_week and model.id not in component.absent
        is_run = since == 0 or week == model.from_week or (since % AGAIN_AFTER == 0 and is_again)
        if is_there and is_run:
            yield _run(component, release, model, week)


def _run(component: SimComponent, release: Release, model: SimModel, week: int) -> RunRecord:
    chance = seeded_uniform("run", component.slug, release.version, model.id, str(week))
    is_partial = chance() < model.unanswered
    cases = cases_of(component, week)
    ability = model.ability_in(week) + release.effect
    answers = [
        Answers(
            case=name,
            sha256=digest,
            replies=tuple(
                None
                if is_partial and chance() < _UNANSWERED
                else _reply(component, model, ability, digest, chance)
                for _ in range(component.replicates)
            ),
        )
        for name, digest in cases
    ]
    return _record(component, release, model, week, answers, chance)


def _reply(
    component: SimComponent, model: SimModel, ability: float, case_sha256: str, chance: Uniform
) -> tuple[str, ...]:
    if chance() < model.unparsed:
        return (MISSED,) * len(component.fields)
    seed = (component.slug, model.id, case_sha256)
    ability -= _difficulty(case_sha256)
    return answer_case(seed, ability, model.steadiness, len(component.fields), chance)


def _difficulty(case_sha256: str) -> float:
    """Return what a case takes off every model's ability: most of them little, some a quarter."""
    # The fourth power leaves most cases easy and a few hard, which tells models apart.
    return 0.25 * seeded_uniform("difficulty", case_sha256)() ** 4


def _record(
    component: SimComponent,
    release: Release,
    model: SimModel,
    week: int,
    answers: Sequence[Answers],
    chance: Uniform,
) -> RunRecord:
    is_local = model.provider == LOCAL_PROVIDER
    ended = BEGIN + timedelta(weeks=week, minutes=int(60 * chance()), milliseconds=int(1000 * chance()))
    total = len(answers) * component.replicates
    came = sum(len(one.came) for one in answers)
    unread = sum(unparsed(reply) for one in answers for reply in one.came)
    is_partial = came < _FEWEST_ANSWERED * total
    lines = sorted(f"{one.case}\0{one.sha256}\n" for one in answers)
    cases_sha256 = sha256_hex("".join(lines).encode())
    prompt_tokens, completion = _PROMPT_TOKENS * came, int(model.tokens * came * (0.9 + 0.2 * chance()))
    job = sha256_hex(f"job {component.slug} {release.version} {week} {is_local}".encode())
    run = sha256_hex(f"run {component.slug} {release.version} {week} {model.id}".encode())
    milliseconds = int(ended.timestamp() * 1000)
    return RunRecord(
        # Of the moment at which the run ended, so that ids stand in the order of time as real ones do.
        run_id=uuid7(milliseconds, bytes.fromhex(run)[:RANDOM_BYTES]),
        job_id=uuid7(
            int((BEGIN + timedelta(weeks=week)).timestamp() * 1000), bytes.fromhex(job)[:RANDOM_BYTES]
        ),
        origin="vm" if is_local else "actions",
        component_version=release.version,
        prompt_commit=sha256_hex(f"commit {component.slug} {release.version}".encode())[:40],
        prompt_sha256=prompt_sha256(component, release.version),
        dataset_commit=sha256_hex(f"data sets {week >= HALF}".encode())[:40],
        schema_sha256=sha256_hex(f"schema {component.slug}".encode()),
        policy_sha256=None,
        cases_sha256=cases_sha256,
        model=model.id,
        provider=model.provider,
        params={"temperature": 0.1, "max_tokens": 16_384},
        structured_output="json_schema",
        server=model.server(week),
        evaluator_version=__version__,
        scoring_version=SCORING_VERSION,
        replicates=component.replicates,
        cases=len(answers),
        skipped_cases=(),
        case_results=tuple(_result(one, component) for one in answers),
        started_at=_time(ended - timedelta(seconds=model.seconds * total / 4)),
        finished_at=_time(ended),
        status="partial" if is_partial else "complete",
        reason=(
            f"{total - came} of {total} calls were never answered: timeout, the gateway gave none in time"
            if is_partial
            else None
        ),
        calls=Calls(
            total=total,
            ok=came - unread,
            api_error=total - came,
            parse_error=unread,
            truncated=unread // 2,
            unscored=0,
        ),
        unstreamed=0,
        drifting=chance() < _DRIFT,
        accuracy=accuracy_of(answers, component.fields, component.category, cases_sha256),
        reproducibility=reproducibility_of(answers, component.fields, cases_sha256),
        schema_valid_rate=round(1 - (1 - model.ability) * 0.3 * chance(), 4),
        latency_ms=Latency(
            p50=round(1000 * model.seconds * (0.9 + 0.2 * chance()), 1),
            p95=round(1000 * model.seconds * (1.8 + 0.6 * chance()), 1),
        ),
        tokens=Tokens(prompt=prompt_tokens, completion=completion),
        cost_usd=None if model.price is None else round(model.price.of(prompt_tokens, completion), 6),
    )


def _result(answers: Answers, component: SimComponent) -> CaseResult:
    return case_result(answers, component.releases[0].version)


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
