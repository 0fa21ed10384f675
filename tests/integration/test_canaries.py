"""Planted secrets and confidential cases, looked for everywhere during and after a real job and failures."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from msgspec import structs

from evalsim.demo.processes import free_port
from evalsim.github.app import API, SimulatedGitHub
from evalsim.library import as_git, write_sample_data_sets, write_sample_library
from evalsim.mindrouter import AnswerBook, SimulatedMindRouter, default_config
from evalsim.serving import running

pytestmark = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks at processes in /proc")

SKILL = "award-notice-terms"
LIBRARY, DATA_SETS = "owner/prompt-library", "owner/data-sets"
PRIVATE = "Zebra-Canary-Merger"
"""In the name, the input and the expected answer of a case of the data sets."""
PATIENCE = 60.0


class Stage:
    """The service as a process, the outside simulated, and everything that was seen of it."""

    def __init__(self, folder: Path, *, is_app: bool = False, launcher: str = "") -> None:
        self.folder = folder
        self.secrets = {
            name: f"canary-{name}-{secrets.token_hex(24)}" for name in ("token", "next", "key", "github")
        }
        self.is_app = is_app
        self.launcher = launcher
        """A program that makes the service crash somewhere; empty for the service as it is."""
        if is_app:
            private = rsa.generate_private_key(65537, 2048)
            self.secrets["github"] = private.private_bytes(
                Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
            ).decode()
            public = private.public_key()
            self.public_pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        self.answers: list[str] = []
        self.processes: set[str] = set()
        self.log = folder / "service.log"
        self.port = free_port()
        self._over = threading.Event()

    def start(self, stack: ExitStack) -> None:
        library, data_sets = self.folder / "library", self.folder / "data-sets"
        write_sample_library(library)
        write_sample_data_sets(data_sets)
        self._plant_case(data_sets)
        as_git(library)
        as_git(data_sets)
        self.github = SimulatedGitHub(self.folder / "github")
        if self.is_app:
            self.github.state.add_app("4711", self.public_pem)
        else:
            self.github.state.add_token(self.secrets["github"])
        self.github.state.add_repository(LIBRARY, library)
        self.github.state.add_repository(DATA_SETS, data_sets)
        book = AnswerBook.from_folders([library, data_sets])
        router = SimulatedMindRouter(structs.replace(default_config(), keys=(self.secrets["key"],)), book)
        self.github_url = stack.enter_context(running(self.github))
        environment = self._environment(stack.enter_context(running(router)))
        command = [str(Path(sys.executable).parent / "evalhook"), "serve"]
        if self.launcher:
            command = [sys.executable, "-c", self.launcher, "serve"]
        log = stack.enter_context(self.log.open("wb"))
        self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        stack.callback(self.process.wait, PATIENCE)
        stack.callback(self.process.terminate)
        watcher = threading.Thread(target=self._watch_processes)
        watcher.start()
        stack.callback(watcher.join)
        stack.callback(self._over.set)
        self.until(lambda: self.ask("GET", "/health", token="") == 200)

    def _plant_case(self, data_sets: Path) -> None:
        pattern = next(path for path in sorted((data_sets / SKILL).rglob("expected.json"))).parent
        planted = data_sets / SKILL / PRIVATE.lower()
        planted.mkdir()
        expected = json.loads((pattern / "expected.json").read_text())
        (planted / "input.md").write_text(f"{PRIVATE} is to be paid.")
        (planted / "expected.json").write_text(json.dumps({**expected, PRIVATE: PRIVATE}))
        broken = data_sets / SKILL / f"{PRIVATE.lower()}-broken"
        broken.mkdir()
        (broken / "input.md").write_text(PRIVATE)
        (broken / "expected.json").write_text(f'{{"{PRIVATE}": 1, "{PRIVATE}": 2}}')

    def _environment(self, mindrouter_url: str) -> dict[str, str]:
        files = {
            "MINDROUTER_EVAL_WEBHOOK_TOKEN": "token",
            "MINDROUTER_EVAL_WEBHOOK_TOKEN_NEXT": "next",
            "MINDROUTER_API_KEY": "key",
            "EVALHOOK_GITHUB_APP_PRIVATE_KEY" if self.is_app else "GITHUB_TOKEN": "github",
        }
        kept = self.folder / "secrets"
        kept.mkdir()
        for name in files.values():
            (kept / name).write_text(self.secrets[name])
        return {
            "PATH": os.environ["PATH"],
            **{f"{setting}_FILE": str(kept / name) for setting, name in files.items()},
            **({"EVALHOOK_GITHUB_APP_ID": "4711"} if self.is_app else {}),
            "MINDROUTER_BASE_URL": mindrouter_url,
            "EVALHOOK_PROMPT_LIBRARY": str(self.folder / "clones" / "library"),
            "EVALHOOK_PROMPT_LIBRARY_URL": f"{self.github_url}/{LIBRARY}.git",
            "EVALHOOK_DATA_SETS": str(self.folder / "clones" / "data-sets"),
            "EVALHOOK_DATA_SETS_URL": f"{self.github_url}/{DATA_SETS}.git",
            "EVALHOOK_STATE_DIR": str(self.folder / "state"),
            "EVALHOOK_GITHUB_REPO": LIBRARY,
            "EVALHOOK_GITHUB_API_URL": f"{self.github_url}{API}",
            "EVALHOOK_BIND": f"127.0.0.1:{self.port}",
        }

    def _watch_processes(self) -> None:
        while not self._over.wait(0.005):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.processes.add(path.read_bytes().decode("utf-8", "replace"))
                except OSError:
                    continue  # it has ended meanwhile

    def ask(self, method: str, path: str, *, token: str | None = None, **more: Any) -> int:
        shown = self.secrets["token"] if token is None else token
        headers = {"Authorization": f"Bearer {shown}"} if shown else {}
        try:
            answer = httpx.request(
                method, f"http://127.0.0.1:{self.port}{path}", headers=headers, timeout=45, **more
            )
        except httpx.TransportError:
            return 0
        self.answers.append(f"{answer.headers} {answer.text}")
        self.last = answer
        return answer.status_code

    def evaluate(self) -> dict[str, Any]:
        assert self.ask("POST", "/evaluate", json={"skill_name": SKILL, "replicates": 1}) == 202, (
            self.last.text
        )
        path = self.last.headers["location"]

        def is_ended() -> bool:
            self.ask("GET", path)
            job = self.last.json()
            return job["status"] not in {"queued", "running"}

        self.until(is_ended)
        job: dict[str, Any] = self.last.json()
        return job

    @staticmethod
    def until(is_so: Any) -> None:
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            assert time.monotonic() < deadline
            time.sleep(0.02)  # another process is awaited

    def pulls(self) -> str:
        self.github.state.add_token("the test's own")
        headers = {"Authorization": "Bearer the test's own"}
        return httpx.get(f"{self.github_url}{API}/repos/{LIBRARY}/pulls", headers=headers).text

    def files(self, *folders: str) -> dict[str, bytes]:
        roots = [self.folder / name for name in folders]
        return {str(path): path.read_bytes() for root in roots for path in root.rglob("*") if path.is_file()}

    def places(self, *public: str) -> dict[str, str]:
        """All that was written, answered and shown anywhere."""
        return {
            "log": self.log.read_text(),
            "answers": "\n".join(self.answers),
            "processes": "\n".join(self.processes),
            "published": "\n".join(public),
            **{name: data.decode("latin-1") for name, data in self.files("state", "clones").items()},
        }

    def found(self, places: dict[str, str]) -> set[tuple[str, str]]:
        """Where which secret is: the planted ones, of a key each of its lines, and tokens that were made."""
        planted = {
            name: [line for line in value.splitlines() if "-----" not in line]
            for name, value in self.secrets.items()
        }
        planted["minted"] = [token for token in self.github.state.tokens if token.startswith("ghs_")]
        return {
            (name, place)
            for name, lines in planted.items()
            for place, text in places.items()
            if any(line in text for line in lines)
        }


@contextmanager
def staged(folder: Path, **options: Any) -> Iterator[Stage]:
    stage = Stage(folder, **options)
    with ExitStack() as stack:
        stage.start(stack)
        yield stage


@pytest.mark.parametrize("is_app", [False, True], ids=["token", "app"])
def test_no_secret_and_nothing_confidential_is_anywhere(tmp_path: Path, *, is_app: bool) -> None:
    with staged(tmp_path, is_app=is_app) as stage:
        job = stage.evaluate()
        assert job["status"] == "completed", job
        branch = job["result"]["branch"]
        bare = stage.github.state.repositories[LIBRARY].bare.path
        published = subprocess.run(
            ["git", "log", "-1", "-p", f"refs/heads/{branch}"],
            cwd=bare,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        public = [published, stage.pulls(), *stage.answers]
        assert is_app == any(token.startswith("ghs_") for token in stage.github.state.tokens)

        # What goes wrong: tokens that are not ours, requests of every wrong kind, rotations that fail.
        for token in ("wrong-" + "w" * 40, stage.secrets["next"][:-1], "a.b.c"):
            assert stage.ask("GET", "/jobs", token=token) == 401
        assert stage.ask("GET", "/jobs", token=stage.secrets["next"]) == 200
        stage.ask("POST", "/evaluate", content=b'{"skill_name": "' + stage.secrets["token"].encode())
        stage.ask("GET", f"/jobs/{stage.secrets['key']}")
        made = dict(stage.github.state.tokens)
        stage.github.state.tokens.clear()
        stage.github.state.apps.clear()
        assert stage.ask("POST", "/evaluate", json={"skill_name": SKILL}) == 503, stage.last.text
        stage.github.state.tokens.update(made)
        (stage.folder / "secrets" / "token").write_text("short")
        assert stage.ask("GET", "/jobs?limit=100") == 200

        places = stage.places(*public)
        assert any("git\0" in line and "push" in line for line in stage.processes), "a push was seen"
        assert stage.found(places) == set()
        told = {place: places[place] for place in ("log", "answers", "published", "processes")}
        assert [place for place, text in told.items() if PRIVATE.lower() in text.lower()] == []
        assert "case-" in published, "the cases are there, by their hashes"


CRASHING = """
import os, threading
from pathlib import Path
from evalcore.publishing import messages
from evalhook import main
from evalhook.commands import serve as start
from evalhook.security import auth
from evalhook.worker import service

def crash(*_arguments, **_named):
    everything = [Path(value).read_text() for name, value in os.environ.items() if name.endswith("_FILE")]
    try:
        raise ValueError(everything)
    except ValueError as error:
        raise RuntimeError("CRASH HERE with " + " and ".join(everything)) from error

def in_a_thread(*_arguments):
    threading.Thread(target=crash).start()
    raise KeyError("CRASH HERE too")

def check(self, shown, former=auth.Authenticator.check):
    return crash() if shown == b"crash" else former(self, shown)

former = start.serve
{what}
main.main()
"""
CRASHES = {
    "a handler": "service.Service.newest = crash",
    "what stands before the handlers": "auth.Authenticator.check = check",
    "a thread": "service.Service.newest = in_a_thread",
    "publishing": "messages.pull_request_body = crash",
    "the end": "start.serve = lambda app, settings, stopping: (former(app, settings, stopping), crash())",
}


@pytest.mark.parametrize("what", CRASHES.values(), ids=CRASHES)
def test_no_secret_is_in_what_a_real_crash_leaves(tmp_path: Path, what: str) -> None:
    launcher = CRASHING.replace("{what}", what)
    with staged(tmp_path, is_app=True, launcher=launcher) as stage:
        if "messages." in what:
            assert stage.evaluate()["error"]["code"] == "internal"
        elif "start." in what:
            stage.process.terminate()
        else:
            token = "crash" if "auth." in what else None
            assert stage.ask("GET", "/jobs", token=token) == 500
            assert "CRASH" not in stage.last.text
        stage.until(lambda: "CRASH HERE" in stage.log.read_text())
        places = stage.places()
        assert stage.found(places) == set()
        assert "[secret]" in places["log"] or "in_a_thread" in what
        assert all(line.startswith("{") for line in places["log"].splitlines()), "one JSON object a line"
