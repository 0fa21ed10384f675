"""`evalcli compare`: two sets of runs, model by model."""

from __future__ import annotations

from pathlib import Path

import click

from evalcli.commands.arguments import SELECTOR, prompt_library_option
from evalcli.exits import PROGRAM, Exit, refuse
from evalcli.leaderboards.files import leaderboard_files, read_leaderboard
from evalcli.leaderboards.selectors import (
    SelectedRuns,
    find_runs,
    pools_of_two_models,
    runs_of_version,
    separate,
)
from evalcli.reports.comparison import ComparedRuns, comparison_lines, comparison_object
from evalcli.reports.gates import unmet_regressions
from evalcli.terminal.completion import completed_by
from evalcli.terminal.output import print_bytes, say
from evalcli.terminal.tables import print_lines
from evalcore.compare.pool import Pool, pools, pools_by_one_policy
from evalcore.compare.verdict import Outcome, compare_models, compare_pools, compare_two
from evalcore.compare.versions import previous_version, stale_cases
from evalcore.errors import InputError
from evalcore.formats.counts import counted
from evalcore.formats.strict_json import encode_canonical
from evalcore.formats.versions import version_order
from evalcore.library.checkout import FolderCheckout
from evalcore.library.loader import read_prompt
from evalcore.near_names import did_you_mean
from evalcore.runs.leaderboard import known_records
from evalcore.runs.rescoring import first_run_id
from evalcore.stats.power import DEFAULT_MARGIN


@click.command(name="compare")
@click.argument(
    "before", metavar="[BEFORE]", required=False, type=SELECTOR, shell_complete=completed_by("versions")
)
@click.argument(
    "after", metavar="AFTER", required=False, type=SELECTOR, shell_complete=completed_by("versions")
)
@click.option(
    "--models",
    "two_models",
    nargs=2,
    metavar="A B",
    shell_complete=completed_by("models"),
    help="Compare model B with model A, of SKILL, SKILL@VERSION, or of every component.",
)
@prompt_library_option("The prompt library whose leaderboards are read.")
@click.option(
    "--margin",
    type=click.FloatRange(0, 1),
    default=DEFAULT_MARGIN,
    show_default=True,
    help="The change of accuracy that is of no interest.",
)
@click.option("--fail-on-regression", is_flag=True, help="Exit code 1 where there is a regression.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(
    before: str | None,
    after: str | None,
    two_models: tuple[str, str] | None,
    prompt_library: Path,
    margin: float,
    *,
    fail_on_regression: bool,
    as_json: bool,
) -> int:
    """Say whether accuracy has changed from BEFORE to AFTER, model by model.

    \b
    Each is one of:
      SKILL          a component's newest version that has complete runs
      SKILL@1.2.0    one of its versions
      LEADERBOARD    a leaderboard.json, with @VERSION or without
      RUN_DIR        a run's folder
      RUN_ID         a run of the library, by its id or the beginning of it
      SKILL@1.2.0/MODEL    the newest such run; the version may be left out

    One alone is AFTER, and a version's BEFORE is then the version that precedes it.

    All complete runs of one version that were asked and scored alike count together. Only cases with the
    same input and expected answer are compared, under the same scoring version and policy. A regression or
    improvement is a change beyond the margin that chance would hardly give; "no evidence" comes with
    the smallest change that would be found four times in five.

    With --models, a regression is that model B is worse than model A, paired by case.
    """  # noqa: D301 - click takes the character for "do not rewrap"
    if two_models is not None:
        if after is not None:
            refuse("--models compares at one version", hint="name one SKILL or SKILL@VERSION, or none")
        compared = _compared_models(before, *two_models, prompt_library, margin)
    else:
        compared = _compared_versions(before, after, prompt_library, margin)
    if isinstance(compared, str):
        say(compared)
        return Exit.NOTHING
    if as_json:
        print_bytes(encode_canonical(comparison_object(compared.before, compared.after, compared.outcomes)))
    else:
        print_lines(comparison_lines(compared))
    unmet = unmet_regressions(compared.outcomes) if fail_on_regression else None
    if unmet is not None:
        say(unmet)
    return Exit.DONE if unmet is None else Exit.INCOMPLETE


def _compared_versions(
    before: str | None, after: str | None, prompt_library: Path, margin: float
) -> ComparedRuns | str:
    """Compare what two selectors name, or say why there is nothing to compare."""
    if before is None:
        refuse("there is nothing to compare", hint="name a SKILL, or see `evalcli compare --help`")
    sides = _sides(before, after, prompt_library)
    if isinstance(sides, str):
        return sides
    old, new = separate(*sides)
    return ComparedRuns(
        before=old.label,
        after=new.label,
        outcomes=tuple(_compare(old, new, margin)),
        stale=stale_cases(record for pool in new.pools for record in pool.records),
        pooled=tuple(said for side in (old, new) if (said := _pooled(side))),
    )


def _pooled(side: SelectedRuns) -> str:
    """Say of a run that was named that its figures are those of more runs; empty where they are its own."""
    if side.run is None or (count := len(side.pools[-1].records)) == 1:
        return ""
    run_id = first_run_id(side.run)
    return f"Run {run_id} counts together with all that were asked and scored alike, {counted(count, 'run')}."


def _compared_models(
    selector: str | None, one: str, other: str, prompt_library: Path, margin: float
) -> ComparedRuns | str:
    """Compare two models at a version of a component, or at the newest one that both have of each."""
    if one == other:
        refuse(f"--models names {one} twice", hint="name two models")
    found = pools_of_two_models(selector, one, other, prompt_library)
    if not found:
        return _without_both(one, other, prompt_library)
    return ComparedRuns(
        before=one,
        after=other,
        outcomes=tuple(compare_models(found, margin)),
        stale=stale_cases(record for pair in found.values() for record in pair[1].records),
        sides=(one, other),
    )


def _without_both(one: str, other: str, prompt_library: Path) -> str:
    """Say that two models have no version of a component in common, and what may have been meant."""
    leaderboards = map(read_leaderboard, leaderboard_files(prompt_library))
    known = {record.model for leaderboard in leaderboards for record in known_records(leaderboard)}
    near = [said for model in (one, other) if model not in known and (said := did_you_mean(model, known))]
    hint = " ".join(near) or f"`{PROGRAM} leaderboard show` shows which has"
    return f"no version of a component has complete runs of both {one} and {other}; {hint}"


def _sides(before: str, after: str | None, prompt_library: Path) -> tuple[SelectedRuns, SelectedRuns] | str:
    """Return both sides, or why there is nothing to compare."""
    named = find_runs(before, prompt_library)
    if after is not None:
        return named, find_runs(after, prompt_library)
    previous = previous_version(named.records, named.version)
    if previous is None:
        what = "no earlier version has a complete run, so there is nothing to compare it with"
        return f"{named.label}: {what}{_yet_to_come(named, prompt_library)}"
    return runs_of_version(named.component, list(named.records), previous), named


def _yet_to_come(named: SelectedRuns, prompt_library: Path) -> str:
    """Say that the prompt has a later version without a run: it may be the one that is meant."""
    try:
        version = read_prompt(FolderCheckout(prompt_library), named.component).version
    except InputError:
        return ""
    if version_order(version) <= version_order(named.version):
        return ""
    return f"; the prompt is {version} now, and has none yet: `{PROGRAM} evaluate {named.component}`"


def _compare(old: SelectedRuns, new: SelectedRuns, margin: float) -> list[Outcome]:
    if old.run is not None and new.run is not None:
        return [compare_two(old.pools[0], new.pools[0], margin)]
    # Beside one run only its own model is of interest.
    models = {side.run.model for side in (old, new) if side.run is not None}
    if not models:
        return compare_pools(*pools_by_one_policy(_all_pools(old), _all_pools(new)), margin)
    before, after = ([pool for pool in _all_pools(side) if pool.model in models] for side in (old, new))
    return compare_pools(*pools_by_one_policy(before, after), margin)


def _all_pools(side: SelectedRuns) -> list[Pool]:
    if side.run is not None:
        return list(side.pools)
    # All pools of the version, not the newest of each model: which of them pair is known only beside the
    # other side.
    return [pool for pool in pools(side.records) if pool.version == side.version]
