"""`leaderboard.json`: read, merge, write. The same run twice changes nothing; order never matters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NoReturn

import msgspec

from evalcore.decoding import convert
from evalcore.errors import LeaderboardError
from evalcore.formats.conflicts import holds_conflict
from evalcore.formats.strict_json import (
    MAX_DEPTH,
    encode_canonical,
    fingerprint,
    is_too_deep,
    parse_carried_json,
)
from evalcore.formats.versions import Version, version_order
from evalcore.runs.record import RunRecord, record_object
from evalcore.structs import Frozen, JsonObject, JsonValue

SCHEMA_VERSION: Final = 1
MAX_BYTES: Final = 64 * 1024 * 1024
TOO_DEEP: Final = f"the leaderboard is nested over {MAX_DEPTH} deep"


class Leaderboard(Frozen, frozen=True):
    """All run records of one component.

    Records stay JSON objects: those that another evaluator wrote are carried through as they stand,
    unknown fields included. So are unknown fields beside `runs` (`extra`).
    """

    component: str
    runs: tuple[JsonObject, ...] = ()
    extra: JsonObject = msgspec.field(default_factory=dict)


def leaderboard_of(slug: str, records: Iterable[RunRecord | JsonObject]) -> Leaderboard:
    """Make the leaderboard that holds these records and no others.

    Raises LeaderboardError where two different records have one id.
    """
    objects = [record_object(item) if isinstance(item, RunRecord) else item for item in records]
    return Leaderboard(component=slug, runs=_union(objects, where=slug))


def parse_leaderboard(data: bytes, where: str) -> Leaderboard:
    """Read a leaderboard.

    Raises LeaderboardError where it is not valid; such a file must never be overwritten.
    """
    value = _parse_json(data, where)
    if not isinstance(value, dict):
        _fail("the leaderboard is not a JSON object", where)
    version, component, runs = value.get("schema_version"), value.get("component"), value.get("runs")
    # In Python, True == 1.
    if version != SCHEMA_VERSION or isinstance(version, bool):
        if version is None:
            _fail("it has no schema_version, so it is no leaderboard", where)
        what = f"schema_version is {version!r:.40}, not {SCHEMA_VERSION}"
        if isinstance(version, int) and version > SCHEMA_VERSION:
            hint = "a newer evaluator wrote it: use that one; it is left as it stands"
            raise LeaderboardError(what, where=where, hint=hint)
        _fail(what, where)
    if not isinstance(component, str) or not component:
        _fail("component is not the name of a component", where)
    if not isinstance(runs, list):
        _fail("runs is not a list", where)
    extra = {key: item for key, item in value.items() if key not in {"schema_version", "component", "runs"}}
    return Leaderboard(
        component=component,
        runs=_union((_check_record(run, index, where) for index, run in enumerate(runs)), where),
        extra=extra,
    )


def merge_leaderboards(left: Leaderboard, right: Leaderboard) -> Leaderboard:
    """Unite two leaderboards by run id: commutative, associative, idempotent.

    Raises LeaderboardError where they are of two components, or one id has two contents.
    """
    if left.component != right.component:
        what = f"{left.component} and {right.component} are two components"
        raise LeaderboardError(what, hint="name leaderboards of one")
    extra = left.extra | right.extra
    for key in left.extra.keys() & right.extra.keys():
        if fingerprint(left.extra[key]) != fingerprint(right.extra[key]):
            _fail(f"the two leaderboards differ in {key!r:.60}", left.component)
        # As of two equal records: whichever side it is on.
        extra[key] = min(left.extra[key], right.extra[key], key=encode_canonical)
    return Leaderboard(
        component=left.component,
        runs=_union((*left.runs, *right.runs), left.component),
        extra=extra,
    )


def encode_leaderboard(leaderboard: Leaderboard) -> bytes:
    """Write a leaderboard: byte-identical for identical contents."""
    runs: list[JsonValue] = list(leaderboard.runs)
    head: JsonObject = {"schema_version": SCHEMA_VERSION, "component": leaderboard.component, "runs": runs}
    # Sorted, so that the order of unknown fields does not depend on which side of a merge they came from.
    return encode_canonical(head | dict(sorted(leaderboard.extra.items())))


def known_records(leaderboard: Leaderboard) -> list[RunRecord]:
    """Return the records that this program can read; others are carried through but not shown."""
    records = []
    for run in leaderboard.runs:
        try:
            records.append(convert(run, RunRecord))
        except (msgspec.ValidationError, UnicodeEncodeError):
            continue  # the latter of half a surrogate pair, where msgspec compares keys and fixed words
    return records


def leaderboard_schema() -> JsonObject:
    """Return the JSON Schema (2020-12) of leaderboard.json."""
    (run,), definitions = msgspec.json.schema_components([RunRecord], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "leaderboard.json",
        "description": "Every run of one component, sorted by version, model, time and id.",
        "type": "object",
        "required": ["schema_version", "component", "runs"],
        "properties": {
            "schema_version": {"const": SCHEMA_VERSION},
            "component": {"type": "string", "minLength": 1},
            "runs": {"type": "array", "items": run},
        },
        "$defs": definitions,
    }


def _union(records: Iterable[JsonObject], where: str) -> tuple[JsonObject, ...]:
    by_id: dict[str, JsonObject] = {}
    for record in records:
        run_id = str(record["run_id"])
        known = by_id.setdefault(run_id, record)
        if known is record:
            continue
        if fingerprint(known) != fingerprint(record):
            _fail(f"run {run_id} is there with two different contents", where)
        # The same contents with keys in another order: one of the two, whichever came first.
        by_id[run_id] = min(known, record, key=encode_canonical)
    return tuple(sorted(by_id.values(), key=_sort_key))


def _sort_key(record: JsonObject) -> tuple[bool, Version, str, str, str]:
    # One that is no semver was not made by this program: after all others, by its text.
    is_semver, version, text = version_order(str(record.get("component_version")))
    model, finished = str(record.get("model")), str(record.get("finished_at"))
    return (not is_semver, version, text + model, finished, str(record["run_id"]))


def _check_record(run: JsonValue, index: int, where: str) -> JsonObject:
    if not isinstance(run, dict):
        _fail(f"runs[{index}] is not an object", where)
    run_id = run.get("run_id")
    if not isinstance(run_id, str) or not run_id:
        _fail(f"runs[{index}] has no run_id", where)
    return run


def _parse_json(data: bytes, where: str) -> JsonValue:
    # Before it is decoded: a file of somebody else's must not fill the memory.
    if len(data) > MAX_BYTES:
        _fail(f"the leaderboard is larger than {MAX_BYTES} bytes", where)
    try:
        value = parse_carried_json(data.decode())
    except RecursionError:
        _fail(TOO_DEEP, where)
    except ValueError as error:
        if holds_conflict(data):
            hint = f"`evalcli leaderboard resolve {_component_at(where)}` unites both sides"
            raise LeaderboardError("an unresolved merge", where=where, hint=hint) from error
        _fail(f"the leaderboard is not valid JSON: {error}", where)
    if is_too_deep(value):
        # Some Pythons read deeper values than they can write.
        _fail(TOO_DEEP, where)
    return value


def _component_at(where: str) -> str:
    """Return the component whose leaderboard lies there; the path where it lies elsewhere."""
    found = re.search(r"(?:^|/)components/([^/]+)/leaderboard\.json", where)
    return found[1] if found else where


def _fail(what: str, where: str) -> NoReturn:
    raise LeaderboardError(what, where=where, hint="mend it by hand; it is left as it stands")
