"""What was handed over stands in a file; one that cannot be read stops the job before it pays again."""

from __future__ import annotations

import pytest

from evalcli.evaluation.batches import BatchFile, batches_path
from evalcore.errors import StorageError


def test_without_a_file_nothing_was_handed_over(tmp_path) -> None:
    assert BatchFile(batches_path(tmp_path, "job")).batches("anthropic") == ()


@pytest.mark.parametrize("data", [b'{"anthropic"', b'{"anthropic": 1}', b'{"\xff": []}', b"[" * 100_000])
def test_a_damaged_file_is_one_line_that_says_what_it_is_for(tmp_path, data: bytes) -> None:
    path = batches_path(tmp_path, "job")
    path.write_bytes(data)
    with pytest.raises(StorageError, match="paid again"):
        BatchFile(path).batches("anthropic")
