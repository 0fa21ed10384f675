"""Room on the disk: enough for a job's replies before it is taken, and folders that can be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalcore.errors import StorageError
from evalhook.errors import NotReady
from evalhook.storage.space import BYTES_PER_CALL, GB, FreeSpace, require_writable


@pytest.mark.parametrize(("calls", "is_enough"), [(0, True), (1, True), (2, False)])
def test_a_job_needs_the_reserve_and_room_for_its_calls(calls: int, is_enough: bool) -> None:  # noqa: FBT001
    space = FreeSpace(Path(), GB, free=lambda _: GB + BYTES_PER_CALL)
    if is_enough:
        space.require(calls)
    else:
        with pytest.raises(NotReady, match="EVALHOOK_MAX_STATE_GB"):
            space.require(calls)


def test_a_folder_that_can_be_written_is_left_empty(tmp_path: Path) -> None:
    require_writable([tmp_path])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as error:
        require_writable([tmp_path, tmp_path / "missing"])
    assert str(tmp_path / "missing") in error.value.line
