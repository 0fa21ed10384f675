"""Is what a run's folder holds still what it was when the run was made and scored?"""

from __future__ import annotations

from collections.abc import Iterator

from evalcore.errors import StorageError
from evalcore.formats.strict_json import sha256_hex, sha256_of
from evalcore.library.component import Case
from evalcore.runs.compression import REPLIES
from evalcore.runs.documents import attachment_of
from evalcore.runs.folder import PLAN, RunFolder
from evalcore.runs.plan import RunPlan
from evalcore.runs.record import RunRecord

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""Files that begin with one are hashed with it, and read without."""


def altered(folder: RunFolder, record: RunRecord | None) -> tuple[str, ...]:
    """Say of each file of a run that is not what it was, how that shows; nothing where all is as it was.

    `record` is the run as first scored. Records of before `replies_sha256` and `plan_sha256` show less:
    that a prompt, schema, policy or case is not the one that was hashed. Raises StorageError.
    """
    found = [f"{PLAN}: {what}" for what in _altered_parts(folder.plan, record)]
    found += [
        f"the document of case {case.name} is not there, or not the one that was hashed"
        for case in folder.plan.cases
        if case.is_sent_itself and not _has_document(folder, case)
    ]
    if record is not None:
        if record.plan_sha256 not in {None, folder.plan_sha256()}:
            # The hash of the whole file says least: only where no part of it shows what was changed.
            found = found or [f"{PLAN}: not the bytes that the record names"]
        if record.replies_sha256 not in {None, folder.replies_sha256()}:
            found.append(f"{REPLIES}: not the replies that the record names")
    return tuple(found)


def _altered_parts(plan: RunPlan, record: RunRecord | None) -> Iterator[str]:
    component = plan.component
    schema = None if component.schema is None else sha256_of(component.schema)
    policy = None if component.policy is None else sha256_hex(component.policy.encode())
    hashes = {
        "prompt": (sha256_hex(component.prompt.encode()), component.prompt_sha256),
        "schema": (schema, component.schema_sha256),
        "policy": (policy, component.policy_sha256),
    }
    scored = {} if record is None else _scored_with(record)
    for name, (contents, written) in hashes.items():
        if contents != written or scored.get(name, written) != written:
            yield f"the {name} is not the one that was hashed"
    for case in plan.cases:
        if not case.is_sent_itself and not _is_as_hashed(case.input.encode(), case):
            yield f"case {case.name} is not the one that was hashed"
    if record is not None and record.cases_sha256 != plan.cases_sha256:
        yield "the cases are not those of the record"


def _scored_with(record: RunRecord) -> dict[str, str | None]:
    return {
        "prompt": record.prompt_sha256,
        "schema": record.schema_sha256,
        "policy": record.policy_sha256,
    }


def _has_document(folder: RunFolder, case: Case) -> bool:
    try:
        return _is_as_hashed(attachment_of(folder.path, case).data, case)
    except StorageError:
        return False


def _is_as_hashed(given: bytes, case: Case) -> bool:
    expected = case.expected.encode()
    return case.sha256 in {
        sha256_hex(before + given + b"\0" + between + expected)
        # A plan holds the text without the mark; the hash is of the file's bytes.
        for before in (b"", BYTE_ORDER_MARK)
        for between in (b"", BYTE_ORDER_MARK)
    }
