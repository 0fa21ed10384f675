"""Compressed replies are read as the plain ones were, and at every moment one whole file is there."""

import gzip

import pytest

from evalcore.errors import StorageError
from evalcore.runs.compression import compress_replies
from evalcore.runs.folder import RunFolder


@pytest.fixture
def run_dir(tmp_path, run_plan, make_reply):
    """A run with all its replies."""
    folder = RunFolder.create(tmp_path, run_plan)
    for replicate in range(run_plan.replicates):
        for case in run_plan.cases:
            folder.append(make_reply(case.name, replicate, f"{case.name} {replicate} " + "word " * 100))
    folder.close()
    return folder.path


def texts(run_dir, run_plan):
    folder = RunFolder.open(run_dir)
    try:
        return [[reply.text for reply in folder.replies_of(case)] for case in run_plan.cases]
    finally:
        folder.close()


def test_compressed_replies_are_read_as_before(run_dir, run_plan):
    before, size = texts(run_dir, run_plan), (run_dir / "replies.jsonl").stat().st_size
    saved = compress_replies(run_dir)
    assert not (run_dir / "replies.jsonl").exists()
    assert saved == size - (run_dir / "replies.jsonl.gz").stat().st_size > 0
    assert texts(run_dir, run_plan) == before
    assert not (run_dir / "replies.jsonl").exists()


def test_compressing_twice_does_nothing_more(run_dir):
    compress_replies(run_dir)
    packed = (run_dir / "replies.jsonl.gz").read_bytes()
    assert compress_replies(run_dir) == 0
    assert (run_dir / "replies.jsonl.gz").read_bytes() == packed


def test_the_plain_file_counts_where_a_crash_left_both(run_dir, run_plan):
    before = texts(run_dir, run_plan)
    (run_dir / "replies.jsonl.gz").write_bytes(b"torn")
    assert texts(run_dir, run_plan) == before
    compress_replies(run_dir)
    assert texts(run_dir, run_plan) == before


@pytest.mark.parametrize("damage", [b"", b"no gzip", None])
def test_damaged_replies_are_told_and_left_alone(run_dir, damage):
    compress_replies(run_dir)
    packed = run_dir / "replies.jsonl.gz"
    data = packed.read_bytes()[:-9] if damage is None else damage
    packed.write_bytes(data)
    with pytest.raises(StorageError, match="damaged"):
        RunFolder.open(run_dir)
    assert packed.read_bytes() == data


def test_nothing_is_added_to_compressed_replies(run_dir, make_reply):
    lines = (run_dir / "replies.jsonl").read_bytes().splitlines(keepends=True)
    (run_dir / "replies.jsonl").write_bytes(b"".join(lines[:-1]))
    compress_replies(run_dir)
    folder = RunFolder.open(run_dir)
    (replicate, case), *_ = folder.pending()
    with pytest.raises(StorageError, match="compressed"):
        folder.append(make_reply(case.name, replicate, "late"))
    folder.close()
    assert gzip.decompress((run_dir / "replies.jsonl.gz").read_bytes()) == b"".join(lines[:-1])
