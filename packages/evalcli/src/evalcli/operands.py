"""What `compare` compares: an operand as it is typed -> the runs it means.

An operand is a component (`memo`, its newest version), one of its versions (`memo@1.2.0`), a
leaderboard (`path/leaderboard.json`, with `@1.2.0` or without), a run's folder, or a run's id.
"""

from __future__ import annotations

import uuid
from pathlib import Path

from evalcli.leaderboard_files import leaderboard_path, read_leaderboard
from evalcli.rescoring_files import records_in
from evalcore.compare.pool import Pool, pool_of_run, pools, pools_of_version
from evalcore.compare.versions import evaluated_versions
from evalcore.errors import ConfigurationError
from evalcore.leaderboard import known_records
from evalcore.record import RunRecord
from evalcore.rescoring import origin_of
from evalcore.run_folder import read_plan
from evalcore.structs import Frozen


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
