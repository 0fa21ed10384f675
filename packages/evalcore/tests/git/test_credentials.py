"""The token reaches the remote and nobody else: no argument, environment, file, configuration or error."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from evalcore.git import errors
from evalcore.git.clone import Clone
from evalcore.git.commits import push
from evalcore.git.credentials import ASKPASS, Credentials, handover
from evalsim.github import Fault, SimulatedGitHub
from evalsim.serving import running
from evalsim.testing import commit_file

# One worker, and a token that no other test has: one looks at every process of the machine, and a refusal
# that quotes the token is in the environment of the simulated GitHub's hook in another.
pytestmark = pytest.mark.xdist_group("every-process")
CANARY = "ghp_canary_of_gitops_2c4d5e6f708192a3b4c5d6e7"
NAME = "acme/prompt-library"
PROC = Path("/proc")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[SimulatedGitHub, str, Clone]]:
    seed = tmp_path / "seed"
    seed.mkdir()
    (seed / "README.md").write_text("hello\n")
    app = SimulatedGitHub(tmp_path / "github", token=CANARY)
    app.state.add_repository(NAME, seed)
    with running(app) as url:
        clone = make_clone(tmp_path, url, url)
        clone.ensure()
        yield app, url, clone


def make_clone(folder: Path, url: str, origin: str | None, token: str = CANARY) -> Clone:
    remote = f"{url}/{NAME}.git"
    return Clone(
        folder / "clone", work=folder / "work", url=remote, credentials=Credentials(origin, lambda: token)
    )


def results(clone: Clone) -> str:
    return commit_file(clone, clone.fast_forward(), "components/a/leaderboard.json", b"{}\n", "Results")


def what_others_see() -> dict[str, bytes]:
    """The arguments and the environment of every process that this one has started.

    Of no others: a simulated GitHub of another test, beside this one, is told what to say by its environment.
    """
    seen: dict[str, bytes] = {}
    found = [str(os.getpid())]
    while found:
        number = found.pop()
        for task in _listed(PROC / number / "task"):
            found += _read(task / "children").decode().split()
        if number != str(os.getpid()):
            seen |= {f"{number} {kind}": _read(PROC / number / kind) for kind in ("cmdline", "environ")}
    return seen


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []  # It has ended.


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""  # It has ended.


@pytest.mark.skipif(not PROC.is_dir(), reason="looks at processes through /proc")
def test_token_is_in_no_process_while_it_is_pushed_with(world: tuple[SimulatedGitHub, str, Clone]) -> None:
    app, _, clone = world
    commit = results(clone)
    app.state.faults.add(Fault(on="push", delay=0.4))
    pushing = threading.Thread(target=push, args=(clone, commit, "eval-results/a"))
    pushing.start()
    programs, told = set(), []
    while pushing.is_alive():
        for where, text in what_others_see().items():
            programs.add(text.split(b"\0")[0].rpartition(b"/")[2] if where.endswith("cmdline") else b"")
            told += [(where, part) for part in text.split(b"\0") if CANARY.encode() in part]
    pushing.join()
    assert app.state.repositories[NAME].bare.branch("eval-results/a") == commit
    assert b"git-remote-http" in programs  # or nothing was looked at
    assert told == []


def test_token_is_in_no_file_after_it_was_used(
    world: tuple[SimulatedGitHub, str, Clone], tmp_path: Path
) -> None:
    _, _, clone = world
    push(clone, results(clone), "eval-results/a")
    files = [
        file for folder in ("clone", "work") for file in (tmp_path / folder).rglob("*") if file.is_file()
    ]
    assert len(files) > 10
    assert [file for file in files if CANARY.encode() in file.read_bytes()] == []


def test_token_that_a_remote_repeats_is_in_no_error(world: tuple[SimulatedGitHub, str, Clone]) -> None:
    app, _, clone = world
    app.state.faults.add(Fault(on="push", message=f"your token {CANARY} may not do that"))
    with pytest.raises(errors.PushRefused, match=r"your token \[token\] may not do that") as caught:
        push(clone, results(clone), "eval-results/a")
    assert CANARY not in repr(caught.value)


def test_wrong_token_is_told_and_not_shown(world: tuple[SimulatedGitHub, str, Clone], tmp_path: Path) -> None:
    _, url, _ = world
    clone = make_clone(tmp_path, url, url, "ghp_wrong_canary_0123456789")
    with pytest.raises(errors.RemoteRefused, match="does not let the service in") as caught:
        clone.fast_forward()
    assert "wrong_canary" not in repr(caught.value)


@pytest.mark.parametrize("origin", ["https://github.com", "http://localhost:1", "https://127.0.0.1"])
def test_token_is_not_for_another_origin(
    world: tuple[SimulatedGitHub, str, Clone], tmp_path: Path, origin: str
) -> None:
    _, url, _ = world
    with pytest.raises(errors.RemoteRefused):
        make_clone(tmp_path, url, origin).fast_forward()


def test_token_with_no_origin_is_for_the_clones_own_remote(
    world: tuple[SimulatedGitHub, str, Clone], tmp_path: Path
) -> None:
    app, url, _ = world
    assert make_clone(tmp_path, url, None).fast_forward() == app.state.repositories[NAME].bare.branch("main")


def ask(prompt: str, origin: str = "https://git.example") -> subprocess.CompletedProcess[str]:
    credentials = Credentials(origin, lambda: CANARY)
    with handover(credentials, f"{origin}/{NAME}.git") as means:
        environment = {"PATH": os.environ["PATH"], **means.environment}
        assert CANARY not in "".join(environment.values())
        return subprocess.run(
            [ASKPASS, prompt],
            env=environment,
            pass_fds=means.descriptors,
            capture_output=True,
            text=True,
            check=False,
        )


def test_askpass_answers_for_its_remote_again_and_again() -> None:
    assert ask("Username for 'https://git.example': ").stdout.strip() == "x-access-token"
    assert ask("Password for 'https://x-access-token@git.example': ").stdout.strip() == CANARY


@pytest.mark.parametrize(
    "prompt",
    [
        "Password for 'https://x-access-token@evil.example': ",
        "Password for 'https://git.example.evil.example': ",
        "Password for 'http://x-access-token@git.example': ",
        "Password for 'https://x-access-token@git.example:8443': ",
        "Password for 'https://other@git.example': ",
        "Enter passphrase for key: ",
        "",
        "*",
    ],
)
def test_askpass_is_silent_for_any_other(prompt: str) -> None:
    answer = ask(prompt)
    assert (answer.returncode, answer.stdout, answer.stderr) == (1, "", "")


def test_secrets_are_not_in_what_is_printed_of_objects() -> None:
    credentials = Credentials("https://git.example", lambda: CANARY)
    with handover(credentials, "https://git.example/a/b.git") as means:
        assert CANARY not in f"{credentials!r} {means!r} {credentials} {means}"
