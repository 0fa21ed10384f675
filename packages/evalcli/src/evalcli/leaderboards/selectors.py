"""Selectors: how the runs of one side of a comparison are named on the command line, and found."""

from __future__ import annotations

from pathlib import Path

import msgspec

from evalcli.leaderboards.files import leaderboard_files, leaderboard_path, read_leaderboard
from evalcli.leaderboards.places import RUNS_IN_LIBRARY
from evalcli.leaderboards.records import records_in
from evalcli.leaderboards.run_folders import find_run, is_id_beginning, refuse_several, split_selector
from evalcore.compare.pool import (
    Pool,
    pools_by_one_policy,
    pools_of_models,
    pools_of_run,
    pools_of_version,
)
from evalcore.compare.versions import evaluated_versions
from evalcore.errors import ConfigurationError
from evalcore.near_names import did_you_mean
from evalcore.runs.folder import read_plan
from evalcore.runs.leaderboard import Leaderboard, known_records
from evalcore.runs.record import RunRecord
from evalcore.runs.rescoring import first_run_id
from evalcore.structs import Frozen


class SelectedRuns(Frozen, frozen=True):
    """The runs that a selector names: one side of a comparison."""

    component: str
    label: str
    records: tuple[RunRecord, ...]
    """Every run of the leaderboard that it was found in."""
    version: str
    pools: tuple[Pool, ...]
    """Of a version, one for each model; of a run, one for each policy that it was scored by."""
    run: RunRecord | None = None
    """The run that was named, under its newest scoring."""


def find_runs(selector: str, prompt_library: Path) -> SelectedRuns:
    """Find the runs that a selector names: a component or leaderboard, a run's folder or id.

    Raises ConfigurationError where it names nothing or no complete run, LeaderboardError and
    StorageError where its file cannot be used.
    """
    path = Path(selector)
    # A component counts before a folder of its name in the working directory.
    if path.is_dir() and not _is_component(selector, prompt_library):
        return _of_folder(path, prompt_library)
    if is_id_beginning(selector) and not _is_component(selector, prompt_library):
        return _of_run_id(selector.lower(), prompt_library)
    # Last of those with a slash: SKILL@VERSION/MODEL, whose model mostly holds slashes of its own.
    if "/" in selector and not path.exists() and ".json" not in selector:
        return _of_model(selector, prompt_library)
    name, at, version = selector.rpartition("@")
    # A file's name may hold an `@`, and a component's never does.
    if not at or path.is_file():
        name, version = selector, ""
    file = Path(name) if name.endswith(".json") else leaderboard_path(prompt_library, name)
    leaderboard = read_leaderboard(file)
    return runs_of_version(leaderboard.component, known_records(leaderboard), version or None)


def split_version(source: str | None) -> tuple[str | None, str | None]:
    """Return what SKILL@VERSION names, and the version; None for it where none is named.

    A file's name may hold an `@`, and a component's never does.
    """
    if source is None or Path(source).is_file() or not (parts := source.rpartition("@"))[1]:
        return source, None
    return parts[0], parts[2]


def records_of_version(leaderboard: Leaderboard, version: str | None) -> list[RunRecord]:
    """Return a version's records, all where none is named; raises ConfigurationError where it has none."""
    records = known_records(leaderboard)
    found = [one for one in records if version in {None, one.component_version}]
    if version is not None and not found:
        there = ", ".join(dict.fromkeys(one.component_version for one in reversed(records))) or "none"
        raise ConfigurationError(
            f"there is no run of version {version:.60}",
            where=leaderboard.component,
            hint=f"there are {there:.200}",
        )
    return found


def pools_of_two_models(
    selector: str | None, one: str, other: str, prompt_library: Path
) -> dict[str, tuple[Pool, Pool]]:
    """Return `component version` -> a pool of each model, at the version that is named.

    Where none is named, it is the newest one that both have complete runs of; where no component is, each
    that has such a version. Raises ConfigurationError where the component that is named has none,
    LeaderboardError where a leaderboard cannot be used.
    """
    if selector is None:
        files = leaderboard_files(prompt_library)
        found = [_two_models(read_leaderboard(file), one, other, None) for file in files]
        return {name: pair for pairs in found for name, pair in pairs.items()}
    name, at, version = selector.rpartition("@")
    name, version = (name, version) if at else (selector, "")
    file = Path(name) if name.endswith(".json") else leaderboard_path(prompt_library, name)
    leaderboard = read_leaderboard(file)
    pairs = _two_models(leaderboard, one, other, version or None)
    if not pairs:
        raise _without_models(leaderboard, one, other, version)
    return pairs


def _two_models(
    leaderboard: Leaderboard, one: str, other: str, version: str | None
) -> dict[str, tuple[Pool, Pool]]:
    records = known_records(leaderboard)
    for wanted in [version] if version else evaluated_versions(records):
        pair = pools_of_models(records, one, other, wanted)
        if pair is not None:
            return {f"{leaderboard.component} {wanted}": pair}
    return {}


def _without_models(leaderboard: Leaderboard, one: str, other: str, version: str) -> ConfigurationError:
    known = sorted({record.model for record in known_records(leaderboard) if record.status == "complete"})
    absent = [model for model in (one, other) if model not in known]
    near = [said for model in absent if (said := did_you_mean(model, known))]
    at = f"version {version} has not" if version else "no version has"
    return ConfigurationError(
        f"{at} complete runs of both {one} and {other}",
        where=leaderboard.component,
        hint=" ".join(near) or f"models: {', '.join(known[:20]) or 'none'}",
    )


def runs_of_version(component: str, records: list[RunRecord], version: str | None) -> SelectedRuns:
    """Return a version's complete runs, the newest version's where none is named.

    Raises ConfigurationError where there are none.
    """
    known = evaluated_versions(records)
    wanted = version or (known[0] if known else "")
    found = pools_of_version(records, wanted)
    if not found:
        raise ConfigurationError(
            "there is no complete run" + (f" of version {wanted}" if wanted else ""),
            where=component,
            hint=f"versions with complete runs: {', '.join(known[:10])}" if known else "evaluate it first",
        )
    return SelectedRuns(component, f"{component} {wanted}", tuple(records), wanted, tuple(found))


def separate(before: SelectedRuns, after: SelectedRuns) -> tuple[SelectedRuns, SelectedRuns]:
    """Take of two runs the pools by one policy, where there are such; of one pool each its own replies."""
    if before.run is None or after.run is None:
        return before, after
    (one,), (other,) = pools_by_one_policy(before.pools, after.pools)
    # Two runs of one pool: compared as pools, each would be compared with itself. Their pools are not equal
    # where one of them is in no leaderboard.
    if {first_run_id(record) for record in one.records} & {first_run_id(record) for record in other.records}:
        one, other = _alone(one, before.run), _alone(other, after.run)
    return msgspec.structs.replace(before, pools=(one,)), msgspec.structs.replace(after, pools=(other,))


def _alone(pool: Pool, run: RunRecord) -> Pool:
    return Pool(records=tuple(one for one in pool.records if first_run_id(one) == first_run_id(run)))


def _is_component(text: str, prompt_library: Path) -> bool:
    return "/" not in text and leaderboard_path(prompt_library, text).exists()


def _of_folder(run_dir: Path, prompt_library: Path) -> SelectedRuns:
    """Return the run in a folder, with those of its component's leaderboard that are pooled with it."""
    slug = read_plan(run_dir).component.slug
    path = leaderboard_path(prompt_library, slug)
    beside = known_records(read_leaderboard(path)) if path.exists() else []
    known = {record.run_id for record in beside}
    own = records_in(run_dir)
    return _of_run(slug, [*beside, *(record for record in own if record.run_id not in known)], own[0].run_id)


def _of_run_id(text: str, prompt_library: Path) -> SelectedRuns:
    """Return the run of an id, or of its beginning: from a leaderboard, or from its folder in the library."""
    found: dict[str, tuple[str, list[RunRecord]]] = {}
    for path in leaderboard_files(prompt_library):
        leaderboard = read_leaderboard(path)
        records = known_records(leaderboard)
        # A run that was scored again has several ids, and is one run under all of them.
        found |= {
            first_run_id(record): (leaderboard.component, records)
            for record in records
            if record.run_id.startswith(text) or first_run_id(record).startswith(text)
        }
    if len(found) == 1:
        run_id, (component, records) = next(iter(found.items()))
        return _of_run(component, records, run_id)
    where = str(prompt_library / "components")
    if found:
        refuse_several(text, sorted(found), where)
    try:
        return _of_folder(find_run(text, prompt_library / RUNS_IN_LIBRARY), prompt_library)
    except ConfigurationError:
        what, hint = f"no leaderboard holds run {text}", "name its folder, or another --prompt-library"
        raise ConfigurationError(what, where=where, hint=hint) from None


def _of_model(selector: str, prompt_library: Path) -> SelectedRuns:
    """Return the newest complete run that SKILL@VERSION/MODEL names, with those that are pooled with it."""
    slug, version, model = split_selector(selector) or (selector, None, None)
    leaderboard = read_leaderboard(leaderboard_path(prompt_library, slug))
    records = known_records(leaderboard)
    complete = [record for record in records if record.status == "complete"]
    wanted = version or next(
        iter(evaluated_versions(record for record in complete if record.model == model)), None
    )
    runs = [one for one in complete if one.model == model and one.component_version == wanted]
    if runs:
        newest = max(runs, key=lambda record: record.finished_at)
        return _of_run(leaderboard.component, records, newest.run_id)
    names = dict.fromkeys(f"{slug}@{record.component_version}/{record.model}" for record in complete)
    raise ConfigurationError(
        f"there is no complete run {selector!r:.160}",
        where=leaderboard.component,
        hint=did_you_mean(selector, names) or f"there are {', '.join(list(names)[:10]) or 'none'}",
    )


def _of_run(component: str, records: list[RunRecord], run_id: str) -> SelectedRuns:
    found = pools_of_run(records, run_id)
    if not found:
        raise ConfigurationError(
            f"run {run_id} is partial, and its figures say nothing", where=component, hint="resume it"
        )
    origin = {first_run_id(record) for record in records if run_id in {record.run_id, record.rescored_from}}
    newest = found[-1]
    run = next(record for record in newest.records if first_run_id(record) in origin)
    label = f"{component} {newest.version} ({run.model})"
    return SelectedRuns(component, label, tuple(records), newest.version, tuple(found), run)
