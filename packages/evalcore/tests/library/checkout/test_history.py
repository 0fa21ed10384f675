"""What a file was in earlier commits."""

from __future__ import annotations

import pytest

from evalcore.library.checkout.history import MOST_COMMITS, earlier_texts
from evalsim.testing import git


@pytest.fixture
def repository(tmp_path):
    git(tmp_path, "init", "-q", "-b", "main")
    return tmp_path


def commit(repository, data, name="prompt.md"):
    (repository / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "--allow-empty", "-m", "change")
    return git(repository, "rev-parse", "HEAD")


def test_outside_git_a_file_has_no_history(tmp_path):
    (tmp_path / "prompt.md").write_text("text")
    assert list(earlier_texts(tmp_path, "prompt.md")) == []


def test_a_file_that_no_commit_has_has_no_history(repository):
    commit(repository, "text")
    assert list(earlier_texts(repository, "other.md")) == []


def test_each_commit_that_changed_it_is_named_with_its_text_the_newest_first(repository):
    first = commit(repository, "one")
    commit(repository, "beside", "other.md")
    second = commit(repository, "two")
    assert list(earlier_texts(repository, "prompt.md")) == [(second, "two"), (first, "one")]


def test_it_ends_where_the_text_is_no_utf_8(repository):
    commit(repository, "one")
    commit(repository, b"\xff\xfe")
    newest = commit(repository, "three")
    assert list(earlier_texts(repository, "prompt.md")) == [(newest, "three")]


def test_it_ends_where_the_file_was_gone(repository):
    commit(repository, "one")
    (repository / "prompt.md").unlink()
    git(repository, "commit", "-q", "-am", "remove")
    newest = commit(repository, "back")
    assert list(earlier_texts(repository, "prompt.md")) == [(newest, "back")]


def test_a_byte_order_mark_is_no_part_of_the_text(repository):
    commit(repository, b"\xef\xbb\xbftext")
    assert [text for _, text in earlier_texts(repository, "prompt.md")] == ["text"]


def test_a_path_is_read_from_the_folder_that_is_asked_about(repository):
    (repository / "inner").mkdir()
    commit(repository, "inner text", "inner/prompt.md")
    assert [text for _, text in earlier_texts(repository / "inner", "prompt.md")] == ["inner text"]


def test_a_long_history_is_looked_at_as_far_as_is_bearable(repository):
    blobs = "blob\nmark :1\ndata 1\na\nblob\nmark :2\ndata 1\nb\n"
    commits = [
        f"commit refs/heads/main\nmark :{at + 10}\ncommitter t <t@example.edu> {at} +0000\ndata 1\nx\n"
        + (f"from :{at + 9}\n" if at else "")
        + f"M 100644 :{at % 2 + 1} prompt.md\n"
        for at in range(MOST_COMMITS + 5)
    ]
    git(repository, "fast-import", "--quiet", stdin="".join([blobs, *commits]).encode())
    assert len(list(earlier_texts(repository, "prompt.md"))) == MOST_COMMITS
