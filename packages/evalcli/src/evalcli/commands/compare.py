"""`evalcli compare`: two sets of runs, model by model."""

from __future__ import annotations

import uuid
from pathlib import Path

import click

from evalcli.exits import Exit
from evalcli.leaderboard_files import leaderboard_path, read_leaderboard, records_in
from evalcli.reports.comparison import comparison_lines, comparison_object
from evalcli.terminal.output import print_bytes, print_lines, say
from evalcore.compare.pool import Pool, pool_of_run, pools, pools_of_version
from evalcore.compare.verdict import Outcome, compare_pools, compare_two
from evalcore.compare.versions import evaluated_versions, previous_version, stale_cases
from evalcore.errors import ConfigurationError
from evalcore.formats.strict_json import encode_canonical
from evalcore.runs.folder import read_plan
from evalcore.runs.leaderboard import known_records
from evalcore.runs.record import RunRecord
from evalcore.runs.rescoring import origin_of
from evalcore.stats.power import DEFAULT_MARGIN
from evalcore.structs import Frozen


@click.command(name="compare")
@click.argument("before", metavar="[BEFORE]")
@click.argument("after", metavar="AFTER", required=False)
@click.option(
    "--prompt-library",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    show_default="the working directory",
    help="The prompt library whose leaderboards are read.",
)
@click.option(
    "--margin",
    type=click.FloatRange(0, 1),
    default=DEFAULT_MARGIN,
    show_default=True,
    help="The change of accuracy that is of no interest.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(before: str, after: str | None, prompt_library: Path, margin: float, *, as_json: bool) -> int:
    """Say whether accuracy has changed from BEFORE to AFTER, model by model.

    \b
    Each is one of:
      SKILL          a component's newest version that has complete runs
      SKILL@1.2.0    one of its versions
      LEADERBOARD    a leaderboard.json, with @VERSION or without
      RUN_DIR        a run's folder
      RUN_ID         a run, looked for in the library's leaderboards

    One alone is AFTER, and a version's BEFORE is then the version that precedes it.

    All complete runs of one version that were asked and scored alike count together. Only cases with the
    same input and expected answer are compared, under the same scoring version and policy. A regression or
    improvement is a change beyond the margin that chance would hardly give; "no evidence" comes with
    the smallest change that could have been shown.
    """  # noqa: D301 - click takes the character for "do not rewrap"
    sides = _sides(before, after, prompt_library)
    if isinstance(sides, str):
        say(sides)
        return Exit.NOTHING
    old, new = run_by_run(*sides)
    outcomes = _compare(old, new, margin)
    if as_json:
        print_bytes(encode_canonical(comparison_object(old.label, new.label, outcomes)))
        return Exit.DONE
    stale = stale_cases(record for pool in new.pools for record in pool.records)
    print_lines(comparison_lines(f"{old.label} -> {new.label}", outcomes, stale))
    return Exit.DONE


def _sides(before: str, after: str | None, prompt_library: Path) -> tuple[Operand, Operand] | str:
    """Return both sides, or why there is nothing to compare."""
    named = find_operand(before, prompt_library)
    if after is not None:
        return named, find_operand(after, prompt_library)
    previous = previous_version(named.records, named.version)
    if previous is None:
        return f"{named.label}: no earlier version has a complete run, so there is nothing to compare it with"
    return of_version(named.component, list(named.records), previous), named


def _compare(old: Operand, new: Operand, margin: float) -> list[Outcome]:
    if old.run is not None and new.run is not None:
        return [compare_two(old.pools[0], new.pools[0], margin)]
    # Beside one run only its own model is of interest.
    models = {side.run.model for side in (old, new) if side.run is not None}
    chosen = [[pool for pool in side.pools if not models or pool.model in models] for side in (old, new)]
    return compare_pools(chosen[0], chosen[1], margin)


class Operand(Frozen, frozen=True):
    """One side of a comparison."""

    component: str
    label: str
    records: tuple[RunRecord, ...]
    """All of the leaderboard that it was found in."""
    version: str
    pools: tuple[Pool, ...]
    """Of a version, one for each model; of a run, the one that it counts in."""
    run: RunRecord | None = None
    """The run that was named, under its newest scoring."""


def find_operand(text: str, prompt_library: Path) -> Operand:
    """Find what an operand means.

    Raises ConfigurationError where it means nothing or has no complete run, LeaderboardError and
    StorageError where its file cannot be used.
    """
    path = Path(text)
    if path.is_dir() and not _is_component(text, prompt_library):
        return _of_folder(path, prompt_library)
    if _is_run_id(text):
        return _of_run_id(text, prompt_library)
    name, at, version = text.rpartition("@")
    if not at or path.is_file():
        name, version = text, ""
    file = Path(name) if name.endswith(".json") else leaderboard_path(prompt_library, name)
    leaderboard = read_leaderboard(file)
    return of_version(leaderboard.component, known_records(leaderboard), version or None)


def of_version(component: str, records: list[RunRecord], version: str | None) -> Operand:
    """Return a version's runs, the newest version's where none is named."""
    known = evaluated_versions(records)
    wanted = version or (known[0] if known else "")
    found = pools_of_version(records, wanted)
    if not found:
        raise ConfigurationError(
            "there is no complete run" + (f" of version {wanted}" if wanted else ""),
            where=component,
            hint=f"versions with complete runs: {', '.join(known[:10])}" if known else "evaluate it first",
        )
    return Operand(component, f"{component} {wanted}", tuple(records), wanted, tuple(found))


def run_by_run(before: Operand, after: Operand) -> tuple[Operand, Operand]:
    """Leave each of two runs that count together on its own: there is nothing else to compare them by."""
    if before.run is None or after.run is None or before.pools != after.pools:
        return before, after
    return _alone(before, before.run), _alone(after, after.run)


def _alone(operand: Operand, run: RunRecord) -> Operand:
    return Operand(
        operand.component, operand.label, operand.records, operand.version, tuple(pools([run])), run
    )


def _is_component(text: str, prompt_library: Path) -> bool:
    return "/" not in text and leaderboard_path(prompt_library, text).exists()


def _is_run_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _of_folder(run_dir: Path, prompt_library: Path) -> Operand:
    """Return the run in a folder, with those of its component's leaderboard that count with it."""
    slug = read_plan(run_dir).component.slug
    path = leaderboard_path(prompt_library, slug)
    beside = known_records(read_leaderboard(path)) if path.exists() else []
    known = {record.run_id for record in beside}
    own = records_in(run_dir)
    return _of_run(slug, [*beside, *(record for record in own if record.run_id not in known)], own[0].run_id)


def _of_run_id(run_id: str, prompt_library: Path) -> Operand:
    for path in sorted(prompt_library.glob("components/*/leaderboard.json")):
        leaderboard = read_leaderboard(path)
        records = known_records(leaderboard)
        if any(run_id in {record.run_id, record.rescored_from} for record in records):
            return _of_run(leaderboard.component, records, run_id)
    raise ConfigurationError(
        f"no leaderboard holds run {run_id}",
        where=str(prompt_library / "components"),
        hint="name its folder, or another --prompt-library",
    )


def _of_run(component: str, records: list[RunRecord], run_id: str) -> Operand:
    pool = pool_of_run(records, run_id)
    if pool is None:
        raise ConfigurationError(
            f"run {run_id} is partial, and its figures say nothing", where=component, hint="resume it"
        )
    origin = {origin_of(record) for record in records if run_id in {record.run_id, record.rescored_from}}
    run = next(record for record in pool.records if origin_of(record) in origin)
    return Operand(
        component, f"{component} {pool.version} ({run.model})", tuple(records), pool.version, (pool,), run
    )
