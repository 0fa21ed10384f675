"""A run's folder: `run.json` (the plan), `replies.jsonl` (append-only), `record.json` (at the end).

A reply is one `write` of one line, so a killed process leaves at most one torn last line; opening the
folder again drops it, and its call is made again. Only where each reply lies is held in memory.

What is written survives the process at once. For a power cut, `run.json` and `record.json` are synced
before they count, and replies at most SYNC_EVERY_S apart while they come in (by `sync`, which the
evaluation calls); what such a cut takes is called again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import msgspec
from msgspec import Meta

from evalcore.clients.dialect import UNREADABLE
from evalcore.clients.reply import Reply
from evalcore.decoding import decode_json, json_decoder
from evalcore.errors import StorageError
from evalcore.formats.strict_json import encode_canonical, sha256_hex
from evalcore.library.component import Case
from evalcore.runs.compression import COMPRESSED, REPLIES, open_compressed, stored_lines
from evalcore.runs.documents import discard_documents, keep_documents
from evalcore.runs.files import lock, open_regular, read_regular, sync_folder, write_atomically
from evalcore.runs.plan import RUN_SCHEMA_VERSION, RunPlan, call_order
from evalcore.runs.record import RunRecord, record_object
from evalcore.structs import Frozen, JsonObject

PLAN, RECORD = "run.json", "record.json"
SYNC_EVERY_S = 5.0
MAX_PLAN: Final = 1 << 30
"""Bytes of `run.json`, which holds all inputs and expected answers."""
MAX_RECORD: Final = 64 << 20
# Where the reply to each lies is held in memory, and a plan may be somebody else's.
MAX_CALLS: Final = 10_000_000
"""Calls of one run."""
_ABSENT = -1


class _ReplyKey(Frozen, frozen=True):
    """Which call a stored line is the reply to: all that opening a folder reads of it."""

    case: str
    replicate: Annotated[int, Meta(ge=0)]


class _PlanFormat(Frozen, frozen=True):
    """The one field of run.json by which a plan in a later format is known, whatever else is in it."""

    schema_version: int = RUN_SCHEMA_VERSION


class RunFolder:
    """One run's stored state: one process at a time adds to it, any may read it."""

    def __init__(self, path: Path, plan: RunPlan, *, is_read_only: bool = False) -> None:
        self.path = path
        self.plan = plan
        self._encoder = msgspec.json.Encoder()
        self._decoder = json_decoder(Reply)
        # Opening decodes the key of each line alone: a run's replies may be gigabytes, and scoring reads them
        # anyway.
        self._key_decoder = json_decoder(_ReplyKey)
        # An array, not a dict of calls: 8 bytes a call, whatever the number planned.
        self._offsets = {case.name: array("q", [_ABSENT]) * plan.replicates for case in plan.cases}
        self.kept = 0
        """How many replies are stored."""
        self._size = 0
        self._file, self._is_compressed = _open_replies(path, is_read_only=is_read_only)
        try:
            self._index()
            if not is_read_only:
                # What lies beyond is a torn last line: the next reply must begin a line of its own.
                os.ftruncate(self._file, self._size)
        except OSError as error:
            self.close()
            raise _storage_error(path / REPLIES, error) from error
        except StorageError:
            self.close()
            raise

    @classmethod
    def create(
        cls, runs_dir: Path, plan: RunPlan, originals: Callable[[Case], Path] | None = None
    ) -> RunFolder:
        """Make the folder of a new run; one without a plan is what a killed process left of this very step.

        `originals` says where a document lies that is sent as it is. Raises StorageError.
        """
        path = runs_dir / plan.run_id
        try:
            # A folder with a plan is another run's: two runs never share one.
            path.mkdir(parents=True, exist_ok=not (path / PLAN).exists())
            # A folder's name survives a power cut only once the folder above it is synced, too.
            sync_folder(runs_dir)
        except OSError as error:
            # Nothing of this run is there yet that could be gone on with.
            hint = "free space or mend the permissions; no call of it was made"
            what = f"no run's folder can be made ({error.strerror or error})"
            raise StorageError(what, where=str(path), hint=hint) from error
        # Before the plan, whose presence says that the folder has all that its calls need.
        keep_documents(path, plan.cases, originals)
        write_atomically(path / PLAN, encode_canonical(msgspec.to_builtins(plan)))
        return cls(path, plan)

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Open the folder of a run that was begun, to go on with it.

        Raises StorageError where it is no run folder, cannot be used, or another process is at work on it.
        """
        return cls(path, read_plan(path))

    @classmethod
    def open_to_read(cls, path: Path) -> RunFolder:
        """Open a run's folder to read its replies, of which nothing is changed: it may be under way.

        Raises StorageError where it is no run folder, or cannot be read.
        """
        return cls(path, read_plan(path), is_read_only=True)

    def close(self) -> None:
        """Close the file; what was appended is already with the operating system."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def discard(self) -> None:
        """Remove a run that has no reply, its folder and all; raises StorageError."""
        if self.kept:
            raise StorageError("has replies", where=str(self.path), hint="keep it")
        self.close()
        try:
            for name in (REPLIES, PLAN):
                (self.path / name).unlink(missing_ok=True)
            discard_documents(self.path)
            self.path.rmdir()
        except OSError as error:
            raise _storage_error(self.path, error) from error

    def sync(self) -> None:
        """Let the replies stored so far survive a power cut; blocking.

        Raises StorageError.
        """
        try:
            os.fsync(self._file)
        except OSError as error:
            raise _storage_error(self.path / REPLIES, error) from error

    def append(self, reply: Reply) -> None:
        """Store one reply. A second one for the same call is dropped: the first one counts.

        Raises StorageError, leaving no half-written line behind.
        """
        offsets = self._offsets[reply.case]
        if offsets[reply.replicate] != _ABSENT:
            return
        if self._is_compressed:
            what, hint = "nothing is added to compressed replies", f"unpack {COMPRESSED} with gunzip first"
            raise StorageError(what, where=str(self.path), hint=hint)
        line = self._encoder.encode(reply) + b"\n"
        try:
            if os.write(self._file, line) != len(line):
                raise OSError(28, "No space left on device")  # noqa: TRY301 - a short write is a full disk
        except OSError as error:
            # Where even this fails, the torn line is dropped when the folder is opened again.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise _storage_error(self.path / REPLIES, error) from error
        offsets[reply.replicate] = self._size
        self._size += len(line)
        self.kept += 1

    def pending(self) -> Iterator[tuple[int, Case]]:
        """Yield the (replicate, case) whose reply is not stored yet, replicate by replicate."""
        for replicate, index in call_order(len(self.plan.cases), self.plan.replicates):
            case = self.plan.cases[index]
            if self._offsets[case.name][replicate] == _ABSENT:
                yield replicate, case

    def replies_of(self, case: Case) -> list[Reply]:
        """Return a case's stored replies in the order of replicates.

        Raises StorageError.
        """
        try:
            with self._lines() as lines:
                return [self._read(lines, at) for at in self._offsets[case.name] if at != _ABSENT]
        except OSError as error:
            raise _storage_error(self.path / REPLIES, error) from error

    def with_hashes(self, record: RunRecord) -> RunRecord:
        """Return a record of these replies that says what plan and replies it was made of.

        Raises StorageError.
        """
        return msgspec.structs.replace(
            record, replies_sha256=self.replies_sha256(), plan_sha256=self.plan_sha256()
        )

    def replies_sha256(self) -> str:
        """Return the SHA-256 of the stored lines, in the order of the planned calls; raises StorageError."""
        # Not of the file: replies lie in the order in which they came, and a resumed run's otherwise than
        # another's.
        digest = hashlib.sha256()
        try:
            with self._lines() as lines:
                for replicate, index in call_order(len(self.plan.cases), self.plan.replicates):
                    offset = self._offsets[self.plan.cases[index].name][replicate]
                    if offset != _ABSENT:
                        lines.seek(offset)
                        digest.update(lines.readline())
        except OSError as error:
            raise _storage_error(self.path / REPLIES, error) from error
        return digest.hexdigest()

    def plan_sha256(self) -> str:
        """Return the SHA-256 of `run.json`; raises StorageError."""
        try:
            return sha256_hex(read_regular(self.path / PLAN, MAX_PLAN))
        except OSError as error:
            raise _storage_error(self.path / PLAN, error) from error

    def write_record(self, record: RunRecord) -> JsonObject:
        """Make the replies durable, then write `record.json` with its hashes; return it as it is written.

        Raises StorageError.
        """
        value = record_object(self.with_hashes(record))
        # The record must not survive a power cut that takes replies it was made of.
        self.sync()
        write_atomically(self.path / RECORD, encode_canonical(value))
        return value

    @property
    def is_recorded(self) -> bool:
        """Whether the run has its record."""
        return (self.path / RECORD).exists()

    def _lines(self) -> BinaryIO:
        # Of the open file, for compressed replies are unpacked into one that has no name.
        return os.fdopen(os.dup(self._file), "rb")

    def _read(self, lines: BinaryIO, offset: int) -> Reply:
        lines.seek(offset)
        try:
            return self._decoder.decode(lines.readline())
        except UNREADABLE as error:
            raise self._no_reply(offset, error) from error

    def _no_reply(self, offset: int, error: Exception) -> StorageError:
        return StorageError(
            f"a line is no reply of this run: {error}",
            where=f"{self.path / REPLIES} (byte {offset})",
            hint="restore the file, or start the run anew",
        )

    def _index(self) -> None:
        with self._lines() as lines:
            lines.seek(0)
            for line in stored_lines(lines, self.path / REPLIES):
                if not line.endswith(b"\n"):
                    # Cut by the end of its process, or not yet whole in a run that is under way.
                    break
                self._index_line(line)

    def _index_line(self, line: bytes) -> None:
        try:
            key = self._key_decoder.decode(line)
            offsets = self._offsets[key.case]
            # The first one counts, as in `append`.
            if offsets[key.replicate] == _ABSENT:
                offsets[key.replicate] = self._size
                self.kept += 1
        except (*UNREADABLE, KeyError, IndexError) as error:
            raise self._no_reply(self._size, error) from error
        self._size += len(line)


def _open_replies(path: Path, *, is_read_only: bool) -> tuple[int, bool]:
    """Return the descriptor of a run's replies, and whether they are compressed; raises StorageError."""
    try:
        if (unpacked := open_compressed(path)) is not None:
            return unpacked, True
        # O_APPEND: each line lands at the end, even where something else has added to the file.
        flags = os.O_RDONLY if is_read_only else os.O_RDWR | os.O_CREAT | os.O_APPEND
        descriptor = open_regular(path / REPLIES, flags)
        if not is_read_only:
            try:
                lock(descriptor, is_awaited=False)
            except OSError:
                os.close(descriptor)
                raise
    except BlockingIOError:
        what = "another process is at work on this run"
        raise StorageError(what, where=str(path), hint="let it end first") from None
    except OSError as error:
        raise _storage_error(path / REPLIES, error) from error
    return descriptor, False


def read_plan(path: Path) -> RunPlan:
    """Read a run folder's plan.

    Raises StorageError, for what a later version of the evaluator planned in another format, too.
    """
    data = b""
    try:
        data = read_regular(path / PLAN, MAX_PLAN)
        plan = decode_json(data, RunPlan)
    except FileNotFoundError as error:
        raise StorageError(
            f"it holds no {PLAN}, so it is no run's folder", where=str(path), hint="name a run's folder"
        ) from error
    except OSError as error:
        raise _storage_error(path / PLAN, error) from error
    except UNREADABLE as error:
        _require_known_format(path, _format_of(data))
        raise StorageError(
            f"it is no plan of a run: {error}", where=str(path / PLAN), hint="name a run's folder"
        ) from error
    _require_known_format(path, plan.schema_version)
    if plan.calls > MAX_CALLS:
        what = f"it plans {plan.calls:,} calls, over {MAX_CALLS:,}"
        raise StorageError(what, where=str(path / PLAN), hint="restore it, or start the run anew")
    return plan


def _format_of(data: bytes) -> int:
    """Return the number of a plan's format; today's where it says none."""
    try:
        return decode_json(data, _PlanFormat).schema_version
    except UNREADABLE:
        return RUN_SCHEMA_VERSION


def _require_known_format(path: Path, schema_version: int) -> None:
    if schema_version > RUN_SCHEMA_VERSION:
        known = f"this one reads up to {RUN_SCHEMA_VERSION}"
        what = f"its format is {schema_version}, of a newer evaluator; {known}"
        raise StorageError(what, where=str(path / PLAN), hint="use the newer one; nothing was changed")


def read_record(path: Path, name: str = RECORD) -> RunRecord:
    """Read a run folder's record, or that of a later scoring by its file's name.

    Raises StorageError.
    """
    file = path / name
    try:
        return decode_json(read_regular(file, MAX_RECORD), RunRecord)
    except OSError as error:
        raise _storage_error(file, error) from error
    except UNREADABLE as error:
        raise StorageError(
            f"it is no record: {error}", where=str(file), hint="remove it, and rescore the run"
        ) from error


def _storage_error(path: Path, error: OSError) -> StorageError:
    return StorageError(
        error.strerror or "it cannot be used",
        where=str(path),
        hint="free space or mend the permissions; what was kept stays and the run can be resumed",
    )
