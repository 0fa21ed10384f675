"""EVALHOOK_PUBLISH_CASES: what of a case leaves the machine (names, hashes of them, or nothing).

The records in the runs' folders stay whole; this is what pull requests, leaderboards and answers
get. Of a case that is not published by its name:

- name and checksum become HMACs under a key that never leaves the state directory: a bare hash of a name
  that can be guessed, or of a document that somebody has, would confirm the guess. The same case keeps
  its hash from run to run, so that results can still be compared case by case;
- the reason why it is skipped, which names files and may quote them, becomes one fixed sentence;
- of why a run is partial the failure's code stays, and not the server's words, which may quote the request;
- `validated_against_version` stays where it is a version, and nothing else;
- of the figures by field those stay whose path the component's schema names, for that is public with the
  library; other paths are keys of expected answers. Without a schema none stays.

`cases_sha256` stays: it shows only somebody who has every byte of every case that these were used, and
without it runs of the VM and of Actions could not be compared.
"""

from __future__ import annotations

import base64
import hmac
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, TypeVar

import msgspec

from evalcore.errors import ConfigurationError, EvaluatorError, StorageError
from evalcore.library.cases import NoUsableCase
from evalcore.library.component import Case, CaseSource, Component, SkippedCase
from evalcore.library.schema_view import SchemaView
from evalcore.runs.plan import JobPlan
from evalcore.runs.record import Accuracy, CaseResult, ReadDocument, Reproducibility, RunRecord

PublishCases = Literal["names", "hashed", "none"]
KEY_BYTES: Final = 32
# 80 bits distinguish any number of cases.
HASH_DIGITS: Final = 20
"""Of a name's hash."""
PAIRED: Final = "case"
# Such a hash pairs with none of another run: the same case would else be taken for two, or two for one.
UNPAIRED: Final = "unpaired"
"""Begins the name of a case that was hashed under a key that other runs lack."""
PUBLISHED_NAME: Final = re.compile(rf"({PAIRED}|{UNPAIRED})-[0-9a-f]{{{HASH_DIGITS}}}")
VERSION: Final = re.compile(r"\d{1,9}\.\d{1,9}\.\d{1,9}([-+][0-9A-Za-z.+-]{1,40})?")
WHY: Final = "why is told by `evalcli evaluate --dry-run` beside the data sets"
UNTOLD: Final = f"cannot be used; {WHY}"
UNQUOTED: Final = "the server's words, which may quote a case, stay in the run's record.json"
# The code is a word of ours; what stands between it and the count of unscored replies is the server's.
_NEVER_ANSWERED: Final = re.compile(
    r"(?P<calls>\d+ of \d+ calls were never answered: \w+), .*?(?P<unscored>; \d+ of \d+ replies [a-z ]+)?",
    re.DOTALL,
)
_UNSCORED: Final = re.compile(r"\d+ of \d+ replies [a-z ]+")
Figures = TypeVar("Figures", Accuracy, Reproducibility)


class CasePrivacy:
    """Takes out of plans and records what is not to be published."""

    def __init__(self, setting: PublishCases | None, key: bytes, *, is_paired: bool = True) -> None:
        self._setting = setting
        self._key = key
        self._mark = PAIRED if is_paired else UNPAIRED

    def published(self, plan: JobPlan, records: Sequence[RunRecord]) -> tuple[JobPlan, tuple[RunRecord, ...]]:
        """Return a job's plan and records as they may be published; the plan has no cases any more."""
        shown = tuple(self.record(record, plan.component, plan.cases) for record in records)
        skipped = self._skipped(plan.component.slug, plan.skipped_cases)
        return msgspec.structs.replace(plan, cases=(), skipped_cases=skipped), shown

    def record(self, record: RunRecord, component: Component, cases: Sequence[Case]) -> RunRecord:
        """Return a run's record as it may be published; `cases` are all that were asked."""
        sources = {case.name: case.source for case in cases}
        # A case that the plan does not name is taken for a confidential one.
        results = (
            self._case(result, component.slug, sources.get(result.case, "data_sets"))
            for result in record.case_results
        )
        # A path may come from any case's expected answer: one that is private makes all of them so.
        is_private = any(self.mode(source) != "names" for source in sources.values())
        return msgspec.structs.replace(
            record,
            skipped_cases=self._skipped(component.slug, record.skipped_cases),
            reason=public_reason(record.reason, cases, self._setting),
            case_results=tuple(result for result in results if result is not None),
            documents=self._documents(record, component.slug, sources),
            accuracy=_known_fields(record.accuracy, component) if is_private else record.accuracy,
            reproducibility=(
                _known_fields(record.reproducibility, component) if is_private else record.reproducibility
            ),
        )

    def case_name(self, slug: str, case: Case) -> str | None:
        """Return what a case is called where others read it; None where it is not named at all."""
        mode = self.mode(case.source)
        if mode == "hashed":
            return self._hashed_name(slug, case.name)
        return case.name if mode == "names" else None

    def mode(self, source: CaseSource) -> PublishCases:
        """Say what is published of cases that come from there."""
        return _mode(self._setting, source)

    def _case(self, result: CaseResult, slug: str, source: CaseSource) -> CaseResult | None:
        mode = self.mode(source)
        if mode != "hashed":
            return result if mode == "names" else None
        version = result.validated_against_version
        return msgspec.structs.replace(
            result,
            case=self._hashed_name(slug, result.case),
            sha256=self._hmac("contents", result.sha256),
            validated_against_version=version if VERSION.fullmatch(version or "") else None,
        )

    def _documents(
        self, record: RunRecord, slug: str, sources: Mapping[str, CaseSource]
    ) -> tuple[ReadDocument, ...] | None:
        if record.documents is None:
            return None
        shown = []
        for document in record.documents:
            mode = self.mode(sources.get(document.case, "data_sets"))
            if mode == "hashed":
                shown.append(
                    msgspec.structs.replace(
                        document,
                        case=self._hashed_name(slug, document.case),
                        sha256=self._hmac("document", document.sha256),
                    )
                )
            elif mode == "names":
                shown.append(document)
        return tuple(shown)

    def _skipped(self, slug: str, skipped: Sequence[SkippedCase]) -> tuple[SkippedCase, ...]:
        return tuple(
            case
            if self.mode(case.source) == "names"
            else SkippedCase(self._hashed_name(slug, case.case), UNTOLD, case.broken)
            for case in skipped
            if self.mode(case.source) != "none"
        )

    def _hashed_name(self, slug: str, name: str) -> str:
        return f"{self._mark}-{self._hmac('name', slug, name)[:HASH_DIGITS]}"

    def _hmac(self, *parts: str) -> str:
        # No name and no hash holds a NUL, so that two lists of parts never make the same bytes.
        return hmac.new(self._key, "\0".join(parts).encode(), "sha256").hexdigest()


def public_line(error: EvaluatorError, setting: PublishCases | None) -> str:
    """Return an error's line as callers may see it: not what is wrong in which case of the data sets."""
    is_private = isinstance(error, NoUsableCase) and any(case.source == "data_sets" for case in error.skipped)
    if not is_private or setting == "names":
        return error.line
    return f"{error.where}: none of its cases can be used; {WHY}"


def public_reason(reason: str | None, cases: Sequence[Case], setting: PublishCases | None) -> str | None:
    """Return why a run is partial as others may see it: without a server's words where a case is private."""
    if reason is None or all(_mode(setting, case.source) == "names" for case in cases):
        return reason
    return without_words(reason)


def without_words(reason: str) -> str:
    """Take a server's words out of why a run is partial: they may quote what was sent."""
    if _UNSCORED.fullmatch(reason):
        return reason
    found = _NEVER_ANSWERED.fullmatch(reason)
    return f"{found['calls']} ({UNQUOTED}){found['unscored'] or ''}" if found else UNQUOTED


def _mode(setting: PublishCases | None, source: CaseSource) -> PublishCases:
    return setting or ("hashed" if source == "data_sets" else "names")


def read_key(path: Path) -> bytes:
    """Read the key of the hashes, made the first time; raises StorageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            # O_EXCL: of two processes one makes the key and the other reads it, so that a case has one name.
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return _checked(path.read_bytes(), path)
        with os.fdopen(descriptor, "wb") as file:
            key = secrets.token_bytes(KEY_BYTES)
            file.write(key)
            file.flush()
            # A key that a power cut took would give each case another hash, and nothing published before
            # would pair.
            os.fsync(file.fileno())
    except OSError as error:
        what = f"the key of the hashed case names cannot be used ({error.strerror})"
        raise StorageError(what, where=str(path), hint="mend the state directory") from error
    return key


def key_of(text: str, where: str) -> bytes:
    """Return the key that is written as 64 hexadecimal digits or in base64; raises ConfigurationError."""
    written = "".join(text.split())
    try:
        key = (
            bytes.fromhex(written)
            if len(written) == 2 * KEY_BYTES
            else base64.b64decode(written, validate=True)
        )
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        hint = "set it to what `base64 -w 0 case-names.key` prints in the service's state directory"
        raise ConfigurationError(f"is no key of {KEY_BYTES} bytes in base64", where=where, hint=hint)
    return key


def _checked(key: bytes, path: Path) -> bytes:
    if len(key) != KEY_BYTES:
        what, hint = "the key of the hashed case names is damaged", "restore it from a backup, or delete it"
        raise StorageError(what, where=str(path), hint=hint)
    return key


def _known_fields(figures: Figures, component: Component) -> Figures:
    view = SchemaView(component.schema)
    # By name, so that figures by field which are added later are not published by oversight.
    known = {}
    for field in figures.__struct_fields__:
        value = getattr(figures, field)
        if field.endswith("by_field") and isinstance(value, dict):
            known[field] = {path: share for path, share in value.items() if _knows(view, path)}
    return msgspec.structs.replace(figures, **known)


def _knows(view: SchemaView, path: str) -> bool:
    """Whether the schema itself names every field of a path."""
    place = view.place
    for part in path.removeprefix(".").split("."):
        name = part.rstrip("[]")
        if name:
            if name not in view.names(place):
                return False
            place = view.field(place, name)
        for _ in range(part.count("[]")):
            if not view.has_items(place):
                return False
            place = view.item(place)
    return bool(place.alternatives)
