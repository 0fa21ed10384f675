"""`evalcli evaluate`: call every model for every case, score, and add the runs to the leaderboard."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec
from click.core import ParameterSource

from evalcli.commands.arguments import DATA_SETS, PROMPT_LIBRARY, REPLICATES, SKILL_ARGUMENT
from evalcli.commands.verbosity import how_much_is_said
from evalcli.evaluation.batches import batches_path
from evalcli.evaluation.check import unversioned_change
from evalcli.evaluation.documents import document_source, with_reading_forecast
from evalcli.evaluation.dry_run import print_dry_run
from evalcli.evaluation.finish import FinishOptions, call_and_finish
from evalcli.evaluation.plan import Prepared, make_runs_dir, only_cases, prepare
from evalcli.evaluation.resume import find_job
from evalcli.evaluation.run import Evaluation
from evalcli.exits import Exit, refuse
from evalcli.leaderboards.files import existing_leaderboard, leaderboard_path
from evalcli.leaderboards.places import RUNS_IN_LIBRARY, SCRATCH, Sources
from evalcli.leaderboards.published_cases import PublishedCases, published_cases
from evalcli.leaderboards.run_folders import find_run
from evalcli.reports.gates import AccuracyGate
from evalcli.terminal.completion import completed_by
from evalcli.terminal.output import detail, warn
from evalcore.effects import real_effects
from evalcore.errors import CaseError, ConfigurationError
from evalcore.evaluation.finding import Finding
from evalcore.library.cases import NoUsableCase
from evalcore.library.models import NotConfigured, resolve_provider
from evalcore.runs.case_privacy import public_line
from evalcore.runs.leaderboard import known_records
from evalcore.runs.record import RunRecord

MAX_CONCURRENCY = 1000
# What the option is without a value; written out by the command that goes on, it is read as that again.
AS_FAIL_UNDER = "as --fail-under"
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
PLANNED = ("replicates", "case_names", "data_sets", "models", "runs_dir")
"""Options that a resumed run has in its plan already; `--model` is another."""
REPEATED = (
    "prompt_library",
    "concurrency",
    "no_wait",
    "max_cost",
    "is_batched",
    "no_leaderboard",
    "publish_report",
    "scratch",
    "allow_skipped",
    "fail_under",
    "fail_under_lower",
    "as_json",
)
"""Options that going on needs again."""


@click.command(name="evaluate")
@SKILL_ARGUMENT
@REPLICATES
@click.option(
    "--model",
    "named",
    multiple=True,
    metavar="ID",
    shell_complete=completed_by("models"),
    help="Only this model; may be repeated.",
)
@click.option(
    "--case",
    "case_names",
    multiple=True,
    metavar="NAME",
    shell_complete=completed_by("cases"),
    help="Only this case, as --scratch; may be repeated.",
)
@PROMPT_LIBRARY
@DATA_SETS
@click.option("--models", type=FILE, show_default=".evaluator/models.yaml", help="The models to evaluate.")
@click.option(
    "--runs-dir",
    type=click.Path(file_okay=False, path_type=Path),
    show_default=".evaluator/runs in the library",
    help="Where every reply is kept.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, MAX_CONCURRENCY),
    default=16,
    show_default=True,
    help="Calls in flight over all models.",
)
@click.option(
    "--resume",
    "resumed_run",
    metavar="RUN",
    shell_complete=completed_by("runs"),
    help="Go on with this run and the other unfinished runs of its job, as they were planned.",
)
@click.option(
    "--dry-run",
    "is_dry_run",
    is_flag=True,
    help="Show what would be called and what it will take by past runs; call nothing.",
)
@click.option(
    "--no-wait", is_flag=True, help="Leave a model that is not served now out at once, not after 45 s."
)
@click.option(
    "--batch",
    "is_batched",
    is_flag=True,
    help="Hand Anthropic's and OpenAI's calls over in batches: half the price, up to 24 h.",
)
@click.option(
    "--max-cost",
    type=click.FloatRange(min=0, min_open=True),
    metavar="USD",
    help="Begin no call that could bring the cost of this command above.",
)
@click.option("--no-leaderboard", is_flag=True, help="Leave the component's leaderboard.json alone.")
@click.option(
    "--publish-report", is_flag=True, help="Write a report of each run into the library, for publishing."
)
@click.option("--scratch", is_flag=True, help="Only look: keep the runs apart, and in no leaderboard.")
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 1),
    metavar="ACCURACY",
    help="Exit code 1 where a model's accuracy is below.",
)
@click.option(
    "--fail-under-lower",
    is_flag=False,
    flag_value=AS_FAIL_UNDER,
    metavar="[ACCURACY]",
    help="The same for the lower limit of its 95 % interval; without a value, that of --fail-under.",
)
@click.option(
    "--allow-skipped",
    is_flag=True,
    help="Exit code 0 although cases are broken and left out.",
)
@click.option("--json", "as_json", is_flag=True, help="The run records as a JSON array on standard output.")
@how_much_is_said
@click.pass_context
def command(
    context: click.Context,
    skill: str,
    replicates: int,
    named: tuple[str, ...],
    case_names: tuple[str, ...],
    prompt_library: Path,
    data_sets: Path | None,
    models: Path | None,
    runs_dir: Path | None,
    concurrency: int,
    resumed_run: str | None,
    max_cost: float | None,
    *,
    is_dry_run: bool,
    is_batched: bool,
    no_wait: bool,
    no_leaderboard: bool,
    publish_report: bool,
    scratch: bool,
    fail_under: float | None,
    fail_under_lower: str | None,
    allow_skipped: bool,
    as_json: bool,
) -> int:
    """Evaluate a component on every configured model whose key is present.

    SKILL is the name of a folder in components/. Every reply is kept; the runs are added to the
    component's leaderboard.json, partial ones included.
    """
    # Before anything is read: a wrong setting must not be found after a name has been shown.
    published = published_cases(os.environ, is_dry_run=is_dry_run)
    run_dir = None if resumed_run is None else _run_folder(resumed_run, prompt_library)
    # Whoever resumes a look need not say once more that it is one.
    is_scratch = scratch or bool(case_names) or (run_dir is not None and run_dir.parent.name == SCRATCH)
    options = FinishOptions(
        skill=skill,
        prompt_library=prompt_library,
        concurrency=concurrency,
        no_leaderboard=no_leaderboard,
        is_scratch=is_scratch,
        gate=_gate(fail_under, fail_under_lower),
        as_json=as_json,
        allow_skipped=allow_skipped,
        published=published,
        publish_report=publish_report,
        planned=_given(context, PLANNED),
        others=_given(context, REPEATED),
    )
    if publish_report and options.leaderboard is None:
        refuse("a look is not published", hint="leave --publish-report out, or what makes it one")
    if run_dir is not None:
        _refuse_planned(context)
        past = _past(prompt_library, skill) if max_cost is not None else []
        resumed = _resumed(
            skill, run_dir, past, is_awaited=not no_wait, is_batched=is_batched, max_cost=max_cost
        )
        return call_and_finish(resumed, options)
    sources = Sources(prompt_library, data_sets, models)
    prepared = _prepared(skill, sources, named, case_names, replicates, published)
    # Only where it is needed: a look is possible beside a leaderboard that is in conflict, say.
    is_read = is_dry_run or options.leaderboard is not None or max_cost is not None
    past = _past(prompt_library, skill) if is_read else []
    if is_scratch:
        prepared = msgspec.structs.replace(prepared, commit_warnings=())
    _say_what_was_read(prepared, list(unversioned_change(prompt_library, skill, past)), published)
    base = runs_dir or prompt_library / RUNS_IN_LIBRARY
    documents = document_source(prepared, base, os.environ)
    if is_dry_run:
        prepared, reading = with_reading_forecast(prepared)
        print_dry_run(prepared, past, reading, as_json=as_json)
        return Exit.DONE if prepared.job.models else Exit.NOTHING
    evaluation = Evaluation(
        job=prepared.job,
        endpoints=prepared.selection.endpoints,
        runs_dir=make_runs_dir(runs_dir, prompt_library, is_scratch=is_scratch),
        is_awaited=not no_wait,
        is_batched=is_batched,
        max_cost=max_cost,
        past=tuple(past),
        documents=documents,
    )
    return call_and_finish(evaluation, options)


def _prepared(
    skill: str,
    sources: Sources,
    named: tuple[str, ...],
    case_names: tuple[str, ...],
    replicates: int,
    published: PublishedCases,
) -> Prepared:
    """Plan a new job, of these cases alone where some are named; errors name only what may be shown."""
    job_id = real_effects().new_id()
    try:
        prepared = prepare(skill, sources, named, replicates, job_id=job_id, environ=os.environ)
    except NoUsableCase as error:
        raise CaseError(public_line(error, published.setting)) from error
    return only_cases(prepared, case_names) if case_names else prepared


def _say_what_was_read(prepared: Prepared, findings: Sequence[Finding], published: PublishedCases) -> None:
    """Warn of what its user should know before anything is called; -v says what was read from where."""
    shown = published.findings([*prepared.findings, *findings])
    texts = (finding.line for finding in shown)
    skipped = published.warnings(prepared.job.skipped_cases)
    for text in (*skipped, *prepared.warnings, *prepared.commit_warnings, *texts):
        warn(text)
    for text in prepared.details:
        detail(text)


def _run_folder(named: str, prompt_library: Path) -> Path:
    """Return a run's folder below the one where the other runs of its job are, which `.` would not name."""
    whole, here = find_run(named, prompt_library / RUNS_IN_LIBRARY).resolve(), Path.cwd()
    return whole.relative_to(here) if here in whole.parents else whole


def _past(prompt_library: Path, skill: str) -> list[RunRecord]:
    return known_records(existing_leaderboard(leaderboard_path(prompt_library, skill), skill))


def _gate(mean: float | None, lower: str | None) -> AccuracyGate:
    """Read the limits; --fail-under-lower alone makes --fail-under the lower limit's."""
    if lower is None:
        return AccuracyGate(mean=mean)
    if lower == AS_FAIL_UNDER:
        if mean is None:
            refuse("--fail-under-lower has no limit", hint="give it one, as in --fail-under-lower 0.9")
        return AccuracyGate(lower=mean)
    try:
        limit = float(lower)
    except ValueError:
        # Refused below, with numbers that are out of range (and with `nan`, which is below nothing).
        limit = -1.0
    if not 0 <= limit <= 1:
        refuse(f"--fail-under-lower {lower!r:.60} is no accuracy", hint="use a number from 0 to 1")
    return AccuracyGate(mean=mean, lower=limit)


def _refuse_planned(context: click.Context) -> None:
    given = [part for part in _given(context, (*PLANNED, "named", "is_dry_run")) if part.startswith("--")]
    if given:
        refuse(
            f"--resume goes on with a run as it was planned, so {given[0]} cannot change it",
            hint=f"leave out {', '.join(dict.fromkeys(given))}",
        )


def _given(context: click.Context, names: Sequence[str]) -> tuple[str, ...]:
    """Return those of the options that were given, as they would be given again."""
    parts: list[str] = []
    for parameter in context.command.params:
        name = parameter.name or ""
        if name not in names or context.get_parameter_source(name) is ParameterSource.DEFAULT:
            continue
        value = context.params[name]
        for item in value if isinstance(value, tuple) else (value,):
            parts += [parameter.opts[0]] if item is True else [parameter.opts[0], str(item)]
    return tuple(parts)


def _resumed(
    skill: str,
    run_dir: Path,
    past: Sequence[RunRecord],
    *,
    is_awaited: bool,
    is_batched: bool,
    max_cost: float | None,
) -> Evaluation:
    """Return what is left of a run's job; raises ConfigurationError where a provider is out of reach."""
    left = find_job(run_dir, skill)
    endpoints = {}
    for name, provider in left.job.providers.items():
        endpoint = resolve_provider(provider, os.environ)
        if isinstance(endpoint, NotConfigured):
            raise ConfigurationError(
                endpoint.reason, where=str(run_dir), hint="mend that to go on with the run"
            )
        endpoints[name] = endpoint
    # What was handed over is waited for: the same calls one by one would be paid again.
    has_batches = batches_path(run_dir.parent, left.job.job_id).exists()
    return Evaluation(
        job=left.job,
        endpoints=endpoints,
        runs_dir=run_dir.parent,
        resumed=left.run_dirs,
        finished=left.finished,
        is_awaited=is_awaited,
        is_batched=is_batched or has_batches,
        max_cost=max_cost,
        past=tuple(past),
    )
