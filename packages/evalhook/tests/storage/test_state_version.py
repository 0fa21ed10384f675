"""What a newer service has written is not touched; what an older one has written is taken over."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from evalcore.errors import ConfigurationError, StorageError
from evalhook.main import main
from evalhook.storage.state_version import (
    FILE,
    STATE_VERSION,
    UNVERSIONED,
    mark_state,
    require_readable_state,
)
from evalhook.storage.store import JobStore

Environment = Callable[..., dict[str, str]]
NEWER = STATE_VERSION + 1


@pytest.fixture
def newer_state(tmp_path: Path) -> Path:
    """What a service of the future has left, an unfinished file of a writer that was killed included."""
    state = tmp_path / "state"
    (state / "jobs").mkdir(parents=True)
    (state / "runs").mkdir()
    (state / FILE).write_text(f"{NEWER}\n")
    (state / "jobs" / "a.json").write_text('{"of": "the future"}')
    (state / "jobs" / ".a.json.x1y2.tmp").write_text("{")
    return state


def contents(folder: Path) -> dict[str, tuple[bytes | None, int]]:
    """Everything in a folder, with the time of its last change."""
    paths = [folder, *folder.rglob("*")]
    return {
        str(path.relative_to(folder)): (
            path.read_bytes() if path.is_file() else None,
            path.stat().st_mtime_ns,
        )
        for path in paths
    }


def test_a_new_state_directory_gets_the_version(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "state" / "jobs")
    store.open()
    store.close()
    assert (tmp_path / "state" / FILE).read_text() == f"{STATE_VERSION}\n"


def test_the_state_of_0_1_0_which_has_none_is_read_and_gets_it(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    assert require_readable_state(tmp_path) == UNVERSIONED
    store = JobStore(tmp_path / "jobs")
    store.open()
    store.close()
    assert require_readable_state(tmp_path) == STATE_VERSION


def test_it_is_written_once(tmp_path: Path) -> None:
    mark_state(tmp_path)
    written = (tmp_path / FILE).stat()
    mark_state(tmp_path)
    assert (tmp_path / FILE).stat().st_mtime_ns == written.st_mtime_ns
    assert (tmp_path / FILE).stat().st_ino == written.st_ino


@pytest.mark.parametrize("command", [["serve"], ["publish", "a"], ["rescore"]])
def test_newer_state_is_refused_in_one_sentence_and_nothing_is_touched(
    newer_state: Path,
    environment: Environment,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
) -> None:
    (tmp_path / "library").mkdir()
    settings = environment(EVALHOOK_STATE_DIR=str(newer_state), EVALHOOK_COMMIT_BACK="push")
    monkeypatch.setattr("os.environ", os.environ | settings | {"GITHUB_TOKEN": "t" * 40})
    monkeypatch.setattr("sys.argv", ["evalhook", *command])
    before = contents(newer_state)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said == (
        f"evalhook: EVALHOOK_STATE_DIR {newer_state}: its state is of version {NEWER}, written by a newer "
        f"service, and this one reads up to {STATE_VERSION}: nothing was touched; start the newer service "
        "again, or restore a backup that was made before it\n"
    )
    assert contents(newer_state) == before


@pytest.mark.parametrize("damage", [b"", b"one\n", b"-1", b"1.0", b"\xff\xfe", b"9" * 50, b"9" * 5000])
def test_a_version_that_is_none_is_refused_and_left_alone(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / FILE).write_bytes(damage)
    with pytest.raises(ConfigurationError, match=f"EVALHOOK_STATE_DIR {tmp_path}: {FILE}"):
        mark_state(tmp_path)
    assert (tmp_path / FILE).read_bytes() == damage


def test_a_link_or_a_pipe_is_no_version_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / FILE)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        require_readable_state(tmp_path)


def test_where_the_version_cannot_be_written_the_directory_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:  # noqa: ARG001 - as the one that it stands for
        raise StorageError("cannot be written (No space left on device)", where=str(path))

    store = JobStore(tmp_path / "jobs")
    with monkeypatch.context() as patched:
        patched.setattr("evalhook.storage.state_version.write_atomically", full)
        with pytest.raises(StorageError, match=FILE):
            store.open()
    store.open()
    store.close()
