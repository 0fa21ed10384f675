"""Rankings that were worked out before: stored where the user's cache is, and never in the way."""

from __future__ import annotations

import json
import os

import pytest

from evalcli.leaderboards.cache import FILE, MAX_BYTES, ranking_cache


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
    return tmp_path / "own" / FILE


def use(**entries):
    with ranking_cache() as cache:
        before = dict(cache)
        cache.update(entries)
    return before


def test_what_is_added_is_there_the_next_time(file):
    assert use(a=1) == {}
    assert use(b=[2]) == {"a": 1}
    assert json.loads(file.read_text()) == {"a": 1, "b": [2]}


def test_nothing_is_written_where_nothing_was_added(file):
    use()
    assert not file.exists()
    use(a=1)
    before = file.stat().st_mtime_ns
    use()
    assert file.stat().st_mtime_ns == before


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"7", b"x" * (MAX_BYTES + 1)])
def test_a_cache_that_cannot_be_read_is_begun_anew(file, data):
    file.parent.mkdir(parents=True)
    file.write_bytes(data)
    assert use(a=1) == {}
    assert use() == {"a": 1}


@pytest.mark.usefixtures("file")
def test_a_cache_that_has_grown_too_large_is_begun_anew():
    use(a="x" * (MAX_BYTES + 1))
    assert use() == {}


def test_a_cache_that_cannot_be_written_is_done_without(file):
    file.parent.parent.mkdir(parents=True)
    file.parent.write_text("a file stands in its way")
    assert use(a=1) == {}
    assert use() == {}


def test_an_error_of_the_command_is_not_swallowed_and_nothing_is_stored(file):
    def failing():
        with ranking_cache() as cache:
            cache["a"] = 1
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        failing()
    assert not file.exists()


@pytest.mark.parametrize("named", ["", "relative/folder"])
def test_without_an_absolute_folder_the_homes_is_used(tmp_path, monkeypatch, named):
    monkeypatch.setenv("XDG_CACHE_HOME", named)
    monkeypatch.setenv("HOME", str(tmp_path))
    use(a=1)
    assert (tmp_path / ".cache" / FILE).exists()


def test_no_home_at_all_is_no_error(monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", os.fspath(tmp_path / "\udcff"))
    assert use(a=1) == {}
