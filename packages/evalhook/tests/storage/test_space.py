"""Room on the disk: enough for a job's replies before it is taken, and folders that can be written."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from evalcore.errors import StorageError
from evalcore.library.component import Case, Document, ReaderName
from evalcore.library.reading import ReadingSettings
from evalhook.errors import NotReady
from evalhook.storage.space import (
    BYTES_PER_CALL,
    COPIES_OF_A_TEXT,
    GB,
    LARGEST_PART_READ,
    FreeSpace,
    bytes_of_documents,
    require_writable,
)
from evalsim.testing import SHA, make_case, make_job_plan


@pytest.mark.parametrize(("calls", "is_enough"), [(0, True), (1, True), (2, False)])
def test_a_job_needs_the_reserve_and_room_for_its_calls(calls: int, is_enough: bool) -> None:  # noqa: FBT001
    space = FreeSpace(Path(), GB, free=lambda _: GB + BYTES_PER_CALL)
    if is_enough:
        space.require(calls)
    else:
        with pytest.raises(NotReady, match="EVALHOOK_MAX_STATE_GB"):
            space.require(calls)


def paper(size: int) -> Case:
    document = Document("input.pdf", SHA, size, "one/input.pdf")
    return msgspec.structs.replace(make_case("one"), input="", document=document)


@pytest.mark.parametrize(
    ("reader", "size", "needed"),
    [
        ("mindrouter", 1000, COPIES_OF_A_TEXT * 1000),
        ("text", 40 * 10**6, COPIES_OF_A_TEXT * LARGEST_PART_READ),
        ("none", 40 * 10**6, 40 * 10**6),
    ],
)
def test_what_is_kept_of_documents_needs_room_too(reader: ReaderName, size: int, needed: int) -> None:
    plan = msgspec.structs.replace(
        make_job_plan(cases=[paper(size)]), reading=ReadingSettings(reader=reader, model="m")
    )
    assert bytes_of_documents(plan) == needed
    space = FreeSpace(Path(), GB, free=lambda _: GB + needed)
    space.require(0, needed)
    with pytest.raises(NotReady):
        space.require(0, needed + 1)


def test_texts_need_no_such_room() -> None:
    assert bytes_of_documents(make_job_plan()) == 0


def test_a_folder_that_can_be_written_is_left_empty(tmp_path: Path) -> None:
    require_writable([tmp_path])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as error:
        require_writable([tmp_path, tmp_path / "missing"])
    assert str(tmp_path / "missing") in error.value.line
