"""Git is run in a clean environment, by fixed settings, within bounds, with nothing left behind."""

from __future__ import annotations

import os
import stat
import threading

import pytest

from evalcore.git import command
from evalcore.git.command import ERROR_LIMIT, read_git, read_git_as_user, run_git, start_reading
from evalcore.git.errors import GitFailed, GitTimedOut
from evalsim.testing import git


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "a.txt").write_text("a\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def with_git(tmp_path, monkeypatch, script):
    """Put a program of ours in git's place."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "git"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_a_command_gives_its_status_its_output_and_its_errors(repository):
    done = run_git(repository, "rev-parse", "HEAD")
    assert (done.status, done.text) == (0, git(repository, "rev-parse", "HEAD"))
    assert done.output == f"{done.text}\n".encode()
    failed = run_git(repository, "rev-parse", "--verify", "nowhere")
    assert failed.status == 128
    assert "fatal:" in failed.errors


def test_what_is_fed_arrives(repository):
    blob = run_git(repository, "hash-object", "-w", "--stdin", stdin=b"x" * 200_000).text
    assert run_git(repository, "cat-file", "-s", blob).text == "200000"


def test_a_command_that_reads_nothing_is_fed_all_the_same(repository):
    assert run_git(repository, "rev-parse", "HEAD", stdin=b"x" * 2_000_000).status == 0


def test_output_that_is_no_text_is_kept_and_shown_as_far_as_can_be(repository):
    blob = run_git(repository, "hash-object", "-w", "--stdin", stdin=b"\xff\xfe").text
    shown = run_git(repository, "cat-file", "blob", blob)
    assert (shown.output, shown.text) == (b"\xff\xfe", "\ufffd\ufffd")


@pytest.mark.parametrize("run", [run_git, read_git])
def test_nobodys_configuration_counts(repository, tmp_path, monkeypatch, run):
    (tmp_path / "config").write_text("[alias]\n\tx = !echo ran\n[user]\n\tname = Mallory\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'user.name=Mallory'")
    assert run(repository, "config", "user.name").output == b""
    assert run(repository, "rev-parse", "HEAD").status == 0


def test_no_hook_of_a_repository_is_run(repository, tmp_path):
    hook = repository / ".git" / "hooks" / "reference-transaction"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    assert run_git(repository, "update-ref", "refs/heads/other", "HEAD").status == 0
    assert not (tmp_path / "ran").exists()
    git(repository, "update-ref", "refs/heads/third", "HEAD")
    assert (tmp_path / "ran").exists()  # it would have been


def test_no_transport_is_allowed_unless_it_is_named(repository, tmp_path):
    refused = run_git(tmp_path, "clone", "-q", f"file://{repository}", "copy")
    assert refused.status != 0
    assert "transport 'file' not allowed" in refused.errors
    assert run_git(tmp_path, "clone", "-q", f"file://{repository}", "copy", protocols="file").status == 0
    assert "not allowed" in run_git(tmp_path, "clone", "ext::sh -c id", "x", protocols="file").errors


def test_a_path_is_no_pattern(repository):
    (repository / "[a].txt").write_text("x")
    listed = run_git(repository, "ls-files", "--others", "--", "*.txt")
    assert listed.output == b""


def test_another_environment_may_be_given(repository, tmp_path):
    index = {"GIT_INDEX_FILE": str(tmp_path / "index")}
    assert run_git(repository, "read-tree", "HEAD", environment=index).status == 0
    assert (tmp_path / "index").exists()


def test_the_users_own_configuration_counts_where_a_users_files_are_compared(
    repository, tmp_path, monkeypatch
):
    (tmp_path / "config").write_text("[user]\n\tname = Me\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".gitconfig").write_text("[user]\n\tname = Me\n")
    assert read_git_as_user(repository, "config", "user.name", environment={}).text == "Me"


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(GitFailed) as caught:
        run_git(tmp_path / "nowhere", "status")
    assert caught.value.where == f"{tmp_path}/nowhere"
    assert caught.value.what == "git cannot be run: No such file or directory"
    assert caught.value.hint


def test_git_that_is_not_there_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitFailed, match="git cannot be run"):
        run_git(tmp_path, "status")


def test_a_command_that_does_not_end_is_ended_with_its_children(tmp_path, monkeypatch):
    pids = tmp_path / "pids"
    with_git(tmp_path, monkeypatch, f"sleep 600 & echo $! $$ > {pids}; wait")
    with pytest.raises(GitTimedOut) as caught:
        run_git(tmp_path, "fetch", timeout=1)
    assert caught.value.what == "git fetch did not end within 1 s"
    assert caught.value.hint
    for pid in pids.read_text().split():
        assert not _lives(int(pid))


def _lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_one_that_heeds_no_signal_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "GRACE", 0.2)
    with_git(tmp_path, monkeypatch, "trap '' TERM; while :; do sleep 0.05; done")
    with pytest.raises(GitTimedOut):
        run_git(tmp_path, "fetch", timeout=0.5)


def test_a_remote_that_never_stops_talking_fills_no_memory(tmp_path, monkeypatch):
    with_git(tmp_path, monkeypatch, "head -c 1000000 /dev/zero | tr '\\0' e >&2")
    assert len(run_git(tmp_path, "fetch").errors) == ERROR_LIMIT


def test_output_is_bounded_and_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "OUTPUT_LIMIT", 1000)
    with_git(tmp_path, monkeypatch, "head -c 5000000 /dev/zero | tr '\\0' o")
    done = run_git(tmp_path, "cat-file")
    assert (done.status, done.output) == (0, b"o" * 1000)


def test_no_thread_is_left_behind(repository):
    run_git(repository, "rev-parse", "HEAD", stdin=b"x")
    before = threading.active_count()
    for _ in range(5):
        run_git(repository, "rev-parse", "HEAD", stdin=b"x")
    assert threading.active_count() <= before


def test_a_command_may_be_asked_again_and_again(repository):
    process = start_reading(repository, "cat-file", "--batch-check")
    with process:
        for _ in range(3):
            process.stdin.write(b"HEAD\n")
            process.stdin.flush()
            assert b"commit" in process.stdout.readline()
        process.stdin.close()
    assert process.returncode == 0
