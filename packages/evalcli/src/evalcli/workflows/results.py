"""Results to publish: run folders and files of records, put together by component and commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from evalcli.leaderboards.published_cases import PublishedCases
from evalcli.leaderboards.records import records_in
from evalcore.decoding import convert
from evalcore.errors import CheckoutError, ComponentError, LeaderboardError
from evalcore.formats.counts import counted, first_few
from evalcore.formats.strict_json import fingerprint, parse_carried_json
from evalcore.ids import is_plain_id
from evalcore.library.checkout import Checkout
from evalcore.library.component import Component
from evalcore.library.loader import COMPONENTS, list_components, make_component, read_prompt
from evalcore.runs.case_privacy import PUBLISHED_NAME
from evalcore.runs.folder import read_plan
from evalcore.runs.leaderboard import MAX_BYTES, leaderboard_of, parse_leaderboard
from evalcore.runs.plan import JobPlan
from evalcore.runs.record import RunRecord, record_object
from evalcore.structs import JsonObject, JsonValue

HOW: Final = "name a run's folder, or what `evalcli evaluate --json` wrote"


MOST_NAMED: Final = 5
"""Runs that are named of those that are published."""


class ReadRecord(NamedTuple):
    """A record as it may be published, and where it was read."""

    record: RunRecord
    slug: str | None
    """Its component, where that is said beside it."""
    where: str


class Group(NamedTuple):
    """All records of one version of a component at one commit; what one pull request brings."""

    prompt_commit: str
    version: str
    slug: str | None
    read: tuple[ReadRecord, ...]

    @property
    def name(self) -> str:
        """The component and its version; the version alone where the records do not say whose they are."""
        return f"{self.slug or 'version'} {self.version}"

    @property
    def records(self) -> tuple[RunRecord, ...]:
        """The records, each once; raises LeaderboardError where one id has two contents."""
        runs = leaderboard_of(self.slug or "the records", (one.record for one in self.read)).runs
        return tuple(convert(run, RunRecord) for run in runs)


def published_runs(group: Group) -> str:
    """Say which runs are published: a component's name stands for several."""
    runs = [f"{record.run_id} ({record.model})" for record in group.records]
    return f"{counted(len(runs), 'run')} of {group.name}: {first_few(runs, MOST_NAMED)}"


def read_results(paths: Iterable[Path], published: PublishedCases) -> list[ReadRecord]:
    """Read run folders and files of records.

    Raises StorageError for a folder and LeaderboardError for a file that cannot be used.
    """
    found: list[ReadRecord] = []
    for path in paths:
        found += _of_folder(path, published) if path.is_dir() else _of_file(path)
    return found


def groups(read: Iterable[ReadRecord]) -> list[Group]:
    """Put records together by component, commit and version; raises LeaderboardError for one of no commit."""
    found: dict[tuple[str, str, str], list[ReadRecord]] = {}
    for one in read:
        commit = one.record.prompt_commit
        if commit is None:
            # A run's folder is called by its id.
            run = "the run" if one.record.run_id in one.where else f"run {one.record.run_id}"
            what = f"{run} is of no commit, so nobody could tell what was evaluated"
            raise LeaderboardError(what, where=one.where, hint="evaluate a prompt that is committed")
        # Prompts tell components apart where nothing else does.
        found.setdefault((commit, one.record.component_version, one.record.prompt_sha256), []).append(one)
    return [
        Group(commit, version, slug, tuple(part))
        for (commit, version, _), of in sorted(found.items(), key=lambda item: item[0])
        for slug, part in _by_component(of)
    ]


def _by_component(read: Sequence[ReadRecord]) -> Iterator[tuple[str | None, list[ReadRecord]]]:
    """Yield the records of one prompt by component: of the only one that is named, or of each."""
    named = sorted({one.slug for one in read if one.slug is not None})
    if len(named) <= 1:
        yield next(iter(named), None), list(read)
        return
    for slug in (*named, None):
        part = [one for one in read if one.slug == slug]
        if part:
            yield slug, part


def plan_of(group: Group, library: Checkout, *, may_be_named: bool) -> JobPlan:
    """Return the plan of the job that these records are of; `library` is the evaluated commit.

    Raises ComponentError where the commit has no such prompt, LeaderboardError where a record names cases
    that are not the library's own and must not be named.
    """
    records = group.records
    component = _component(group, library)
    # Asked of git once: there may be thousands of records.
    own = set(library.folders(f"{COMPONENTS}/{component.slug}/evals/cases"))
    for one in group.read:
        if not may_be_named and _names_a_private_case(one.record, own):
            what = "a record names a case that is not the prompt library's own"
            hint = "publish the run's folder, so that the name is hashed, or say EVALHOOK_PUBLISH_CASES=names"
            raise LeaderboardError(what, where=one.where, hint=hint)
    skipped = {case.case: case for record in records for case in record.skipped_cases}
    return JobPlan(
        # The same records are of the same job, whoever publishes them again.
        job_id=min(record.job_id for record in records),
        origin=records[0].origin,
        component=component,
        cases=(),
        skipped_cases=tuple(skipped.values()),
        models=(),
        providers={},
        replicates=max(record.replicates for record in records),
        prompt_commit=group.prompt_commit,
        dataset_commit=None,
    )


def _of_folder(path: Path, published: PublishedCases) -> Iterator[ReadRecord]:
    plan = read_plan(path)
    for record in records_in(path):
        shown = published.record(record, plan, path.resolve().parent)
        yield ReadRecord(shown, plan.component.slug, str(path))


def _of_file(path: Path) -> Iterator[ReadRecord]:
    where = str(path)
    try:
        with path.open("rb") as file:
            # One byte more than is taken tells that there is more, without reading all of it.
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        what = f"cannot be read ({error.strerror or error})"
        raise LeaderboardError(what, where=where, hint=HOW) from error
    slug, objects = _objects(data, where)
    for value in objects:
        yield ReadRecord(_record(value, where), slug, where)


def _objects(data: bytes, where: str) -> tuple[str | None, Sequence[JsonValue]]:
    if len(data) > MAX_BYTES:
        raise LeaderboardError(f"is larger than {MAX_BYTES} bytes", where=where, hint=HOW)
    try:
        value = parse_carried_json(data.decode())
    except (ValueError, RecursionError) as error:
        raise LeaderboardError(f"is not valid JSON: {error}", where=where, hint=HOW) from None
    if isinstance(value, dict) and "runs" in value:
        leaderboard = parse_leaderboard(data, where)
        return leaderboard.component, leaderboard.runs
    return None, value if isinstance(value, list) else [value]


def _record(value: JsonValue, where: str) -> RunRecord:
    try:
        record = convert(value, RunRecord)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise LeaderboardError(f"holds what is no run record: {error}", where=where, hint=HOW) from None
    # Both go into paths, the branch's name and Markdown, and such a file may be anybody's.
    if not (is_plain_id(record.run_id) and is_plain_id(record.job_id)):
        what = "holds a record whose run_id or job_id is more than letters, digits, `.`, `_` and `-`"
        raise LeaderboardError(what, where=where, hint=HOW)
    # Written again by this version, a record would lose what it does not know, and be another one under its
    # id.
    if not isinstance(value, dict) or not _holds_all(record, value):
        what = f"run {record.run_id} has fields that this version does not know"
        raise LeaderboardError(what, where=where, hint="publish it with the evalcli that made it")
    return record


def _holds_all(record: RunRecord, value: JsonObject) -> bool:
    """Whether nothing of a record is lost when it is read; a field that it lacks is null."""
    known = record_object(record)
    lacking = {key: item for key, item in known.items() if key not in value}
    return fingerprint(value | lacking) == fingerprint(known)


def _component(group: Group, library: Checkout) -> Component:
    """Return the component by its prompt: what was evaluated is what stands at the commit."""
    wanted = group.read[0].record.prompt_sha256
    found = []
    for slug in list_components(library) if group.slug is None else (group.slug,):
        try:
            prompt = read_prompt(library, slug)
        except (CheckoutError, ComponentError):
            continue
        # Format and schema have no part in the prompt's checksum, by which it is recognised.
        component = make_component(slug, prompt, ("json", None), (None, None))
        if (component.prompt_sha256, component.version) == (wanted, group.version):
            found.append(component)
    if len(found) == 1:
        return found[0]
    which = group.slug or "a component"
    what = f"{which} has no such prompt there" if not found else f"{len(found)} components have this prompt"
    where = f"{COMPONENTS} at {group.prompt_commit[:12]}"
    raise ComponentError(what, where=where, hint="publish the run's folder, which names its component")


def _names_a_private_case(record: RunRecord, own: AbstractSet[str]) -> bool:
    """Whether the record names a case that is none of the prompt library's own."""
    names = [result.case for result in record.case_results] + [case.case for case in record.skipped_cases]
    return any(name not in own and not PUBLISHED_NAME.fullmatch(name) for name in names)
