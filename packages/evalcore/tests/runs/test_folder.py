"""What is kept survives: one line per call, the first one counts, a torn last line is dropped."""

import errno
import gzip
import json
import os
from pathlib import Path

import pytest

from evalcore.clients.reply import CallError
from evalcore.errors import StorageError
from evalcore.formats.strict_json import encode_canonical
from evalcore.runs import compression
from evalcore.runs.compression import COMPRESSED
from evalcore.runs.folder import PLAN, RECORD, REPLIES, RunFolder, read_plan, read_record


@pytest.fixture
def folder(tmp_path, run_plan):
    folder = RunFolder.create(tmp_path, run_plan)
    yield folder
    folder.close()


def reopened(folder):
    folder.close()
    return RunFolder.open(folder.path)


def pending(folder):
    return [(replicate, case.name) for replicate, case in folder.pending()]


def test_the_plan_reads_back_equal(folder, run_plan):
    assert read_plan(folder.path) == run_plan


@pytest.mark.parametrize("is_alike", [True, False])
def test_a_plan_in_a_later_format_is_refused_and_left_as_it_is(folder, is_alike):
    later = json.loads((folder.path / PLAN).read_bytes()) | {"schema_version": 2}
    if not is_alike:
        later = {"schema_version": 2, "calls": "planned in another way"}
    data = json.dumps(later).encode()
    (folder.path / PLAN).write_bytes(data)
    with pytest.raises(StorageError) as refused:
        RunFolder.open(folder.path)
    assert refused.value.line == (
        f"{folder.path / PLAN}: its format is 2, of a newer evaluator; this one reads up to 1; "
        "use the newer one; nothing was changed"
    )
    assert (folder.path / PLAN).read_bytes() == data


def test_a_new_run_has_every_call_pending_replicate_by_replicate(folder):
    assert pending(folder) == [(0, "a"), (0, "b"), (1, "a"), (1, "b")]


def test_a_kept_reply_is_read_back_and_no_longer_pending(folder, run_plan, make_reply):
    failed = make_reply("b", 1, None, CallError("infrastructure", "http_500", "the gateway failed"))
    folder.append(make_reply("a", 1, "näïve 😀"))
    folder.append(failed)
    again = reopened(folder)
    assert pending(again) == [(0, "a"), (0, "b")]
    assert again.replies_of(run_plan.cases[1]) == [failed]
    assert again.kept == 2
    again.close()


def test_replies_come_in_the_order_of_replicates_whatever_order_they_arrived_in(folder, run_plan, make_reply):
    folder.append(make_reply("a", 1, "second"))
    folder.append(make_reply("a", 0, "first"))
    assert [kept.text for kept in folder.replies_of(run_plan.cases[0])] == ["first", "second"]


def test_the_first_reply_to_a_call_counts(folder, run_plan, make_reply):
    folder.append(make_reply(text="first"))
    folder.append(make_reply(text="second"))
    assert [kept.text for kept in folder.replies_of(run_plan.cases[0])] == ["first"]
    assert folder.kept == 1


def test_a_torn_last_line_is_dropped_and_its_call_is_pending_again(folder, make_reply):
    folder.append(make_reply("a", 0))
    folder.append(make_reply("b", 0))
    replies = folder.path / REPLIES
    folder.close()
    for cut in range(1, 40, 13):
        os.truncate(replies, replies.stat().st_size - cut)
        again = RunFolder.open(folder.path)
        assert pending(again) == [(0, "b"), (1, "a"), (1, "b")]
        again.append(make_reply("b", 0))
        again.close()
    assert len(replies.read_bytes().splitlines()) == 2


def test_reading_changes_nothing_of_a_run_that_is_under_way(folder, run_plan, make_reply):
    folder.append(make_reply("a", 0, "kept"))
    replies = folder.path / REPLIES
    # As a reader sees it whose glance falls into a write.
    replies.write_bytes(replies.read_bytes() + b'{"case":"b",')
    before = replies.read_bytes()
    reader = RunFolder.open_to_read(folder.path)
    assert [reply.text for reply in reader.replies_of(run_plan.cases[0])] == ["kept"]
    reader.close()
    assert replies.read_bytes() == before


def test_reading_makes_no_file_where_there_are_no_replies(folder):
    (folder.path / REPLIES).unlink()
    with pytest.raises(StorageError, match=r"replies\.jsonl"):
        RunFolder.open_to_read(folder.path)
    assert not (folder.path / REPLIES).exists()


def test_only_one_process_at_a_time_goes_on_with_a_run(folder, make_reply):
    folder.append(make_reply("a", 0))
    with pytest.raises(StorageError, match="another process is at work on this run"):
        RunFolder.open(folder.path)
    reopened(folder).close()


def test_replies_that_cannot_be_locked_are_an_error_that_leaves_no_file_open(folder, monkeypatch):
    def failing(_descriptor, **_how):
        raise OSError(errno.EIO, "Input/output error")

    folder.close()
    monkeypatch.setattr("evalcore.runs.folder.lock", failing)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(StorageError, match="Input/output error"):
        RunFolder.open(folder.path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_line_that_is_no_reply_of_the_run_is_an_error_that_names_the_file(folder):
    folder.close()
    (folder.path / REPLIES).write_bytes(b'{"case": "zzz"}\n')
    with pytest.raises(StorageError, match=r"replies\.jsonl \(byte 0\)"):
        RunFolder.open(folder.path)
    # Whoever mends it and tries again finds it free.
    (folder.path / REPLIES).write_bytes(b"")
    RunFolder.open(folder.path).close()


def test_a_folder_without_a_plan_is_an_error_that_names_it(tmp_path):
    with pytest.raises(StorageError, match=r"run\.json"):
        RunFolder.open(tmp_path)
    (tmp_path / PLAN).write_bytes(encode_canonical({"schema_version": 1}))
    with pytest.raises(StorageError, match="no plan of a run"):
        RunFolder.open(tmp_path)


def test_a_full_disk_leaves_no_half_written_line(folder, make_reply):
    folder.append(make_reply("a", 0))
    before = (folder.path / REPLIES).read_bytes()
    os.close(folder._file)
    folder._file = os.open("/dev/full", os.O_RDWR)
    with pytest.raises(StorageError, match=r"(?i)no space left"):
        folder.append(make_reply("b", 0))
    assert (folder.path / REPLIES).read_bytes() == before
    assert pending(folder) == [(0, "b"), (1, "a"), (1, "b")]


@pytest.mark.parametrize("name", [PLAN, REPLIES, RECORD])
def test_a_link_in_a_run_folder_is_not_followed(folder, tmp_path, name):
    # Followed, what has no line's end would be taken for a torn line, and cut from somebody's file.
    folder.close()
    target = tmp_path / "precious"
    target.write_text("not to be cut")
    (folder.path / name).unlink(missing_ok=True)
    (folder.path / name).symlink_to(target)
    with pytest.raises(StorageError):
        read_record(folder.path) if name == RECORD else RunFolder.open(folder.path)
    assert target.read_text() == "not to be cut"


@pytest.mark.parametrize("name", [PLAN, REPLIES, RECORD, COMPRESSED])
def test_a_pipe_in_a_run_folder_is_refused_without_waiting_for_its_writer(folder, name):
    folder.close()
    (folder.path / (REPLIES if name == COMPRESSED else name)).unlink(missing_ok=True)
    os.mkfifo(folder.path / name)
    with pytest.raises(StorageError):
        read_record(folder.path) if name == RECORD else RunFolder.open_to_read(folder.path)


@pytest.mark.parametrize("name", [PLAN, RECORD])
def test_a_plan_or_record_without_end_is_not_read(folder, name):
    folder.close()
    _sparse(folder.path / name, 1 << 40)
    with pytest.raises(StorageError, match="larger than"):
        read_record(folder.path) if name == RECORD else read_plan(folder.path)


def _sparse(path, size):
    with path.open("wb") as file:
        file.truncate(size)


def test_a_line_without_end_is_read_no_further_than_a_reply_can_be(folder, monkeypatch):
    folder.close()
    monkeypatch.setattr(compression, "MAX_LINE", 1 << 20)
    _sparse(folder.path / REPLIES, 1 << 40)
    with pytest.raises(StorageError, match="a line is longer than 1 MiB"):
        RunFolder.open_to_read(folder.path)


def test_compressed_replies_are_unpacked_no_further_than_replies_can_be(folder, monkeypatch):
    folder.close()
    monkeypatch.setattr(compression, "MAX_LINE", 1 << 20)
    monkeypatch.setattr(compression, "MAX_UNPACKED", 3 << 20)
    (folder.path / REPLIES).unlink()
    for text, why in ((bytes(4 << 20), "a line is longer"), (b"{}\n" * (2 << 20), "unpacks to more than")):
        (folder.path / COMPRESSED).write_bytes(gzip.compress(text))
        with pytest.raises(StorageError, match=why):
            RunFolder.open_to_read(folder.path)


@pytest.mark.parametrize("replicates", [10**9, 10**13])
def test_a_plan_of_more_calls_than_can_be_is_refused(folder, replicates):
    folder.close()
    plan = json.loads((folder.path / PLAN).read_bytes()) | {"replicates": replicates}
    (folder.path / PLAN).write_text(json.dumps(plan))
    with pytest.raises(StorageError, match="over 10,000,000"):
        RunFolder.open_to_read(folder.path)


def test_a_reply_counted_from_the_end_is_none_of_the_run(folder):
    folder.close()
    (folder.path / REPLIES).write_bytes(b'{"case": "a", "replicate": -1}\n')
    with pytest.raises(StorageError, match="a line is no reply"):
        RunFolder.open_to_read(folder.path)


def test_of_a_run_whose_folder_cannot_be_made_nothing_is_said_to_be_kept(tmp_path, run_plan):
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(StorageError, match="no run's folder can be made") as refused:
        RunFolder.create(tmp_path / "runs", run_plan)
    assert refused.value.hint == "free space or mend the permissions; no call of it was made"
