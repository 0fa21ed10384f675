"""evaluate-pull-request.yml: its script, run as the runner does, against a simulated GitHub and a service."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from evalsim.github import SimulatedGitHub
from evalsim.serving import running
from evalsim.testing import REPOSITORY, git, write_component

TEMPLATE = "packages/evalcli/src/evalcli/workflows/templates/evaluate-pull-request.yml"
GH_TOKEN, TOKEN = "ghs_canary_of_the_job_1234567890", "canary-of-the-service-0123456789abcdef"
PLACES = {
    "github.token": GH_TOKEN,
    "secrets.MINDROUTER_EVAL_WEBHOOK_TOKEN": TOKEN,
    "inputs.replicates || 10": "3",
}


class Service:
    """Answers each request with one status, and keeps what it was sent."""

    def __init__(self) -> None:
        self.status, self.answer = 202, b"{}"
        self.requests: list[dict[str, Any]] = []
        self.tokens: set[str] = set()


@pytest.fixture
def service() -> Iterator[tuple[Service, str]]:
    state = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            state.tokens.add(self.headers["Authorization"])
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(state.answer)))
            self.end_headers()
            self.wfile.write(state.answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


class Library:
    """A prompt library on a simulated GitHub, with pull requests."""

    def __init__(self, app: SimulatedGitHub, url: str, folder: Path) -> None:
        self.app, self.url, self.folder = app, url, folder
        for slug in ("memo", "other"):
            write_component(folder / "seed", slug)
        app.state.add_repository(REPOSITORY, folder / "seed")
        app.state.add_token(GH_TOKEN, permissions={"contents": "read", "pull_requests": "read"})

    def pull(self, *changed: str, of: str = REPOSITORY) -> str:
        """Open a pull request that changes these files; give its head."""
        bare = self.app.state.repositories[of].bare
        clone = self.folder / f"clone-{of.partition('/')[0]}"
        git(self.folder, "clone", "-q", str(bare.path), str(clone))
        for path in changed:
            (clone / path).parent.mkdir(parents=True, exist_ok=True)
            (clone / path).write_text("changed\n")
        git(clone, "checkout", "-q", "-b", "change")
        git(clone, "add", "--all")
        git(clone, "commit", "-q", "-m", "Change")
        git(clone, "push", "-q", "origin", "change")
        self.app.state.add_token("ghp_author")
        head = "change" if of == REPOSITORY else f"{of.partition('/')[0]}:change"
        answer = httpx.post(
            f"{self.url}/api/v3/repos/{REPOSITORY}/pulls",
            headers={"Authorization": "Bearer ghp_author"},
            json={"title": "Change", "head": head, "base": "main"},
        )
        assert answer.status_code == 201, answer.text
        return git(clone, "rev-parse", "HEAD")


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    app = SimulatedGitHub(tmp_path / "github")
    with running(app) as url:
        yield Library(app, url, tmp_path)


@pytest.fixture
def dispatch(
    project_root: Path, tmp_path: Path, library: Library, service: tuple[Service, str]
) -> Callable[..., tuple[int, str]]:
    """Run the step for a pull request's number; give its exit code and all that it wrote."""
    if not all(map(shutil.which, ("bash", "curl", "jq"))):
        if os.environ.get("EVALUATOR_REQUIRE") == "all":
            pytest.fail("bash, curl and jq are required here")
        pytest.skip("needs bash, curl and jq")
    workflow = YAML(typ="safe").load(project_root / TEMPLATE)
    (step,) = workflow["jobs"]["evaluate"]["steps"]
    tools, seen = tmp_path / "tools", tmp_path / "arguments"
    tools.mkdir()
    for name in ("curl", "jq"):
        shim = tools / name
        shim.write_text(f'#!/bin/bash\nprintf "%s\\n" "$@" >>{seen}\nexec {shutil.which(name)} "$@"\n')
        shim.chmod(0o755)

    def run(number: str = "1") -> tuple[int, str]:
        places = PLACES | {
            "vars.EVAL_WEBHOOK_URL": service[1],
            "github.event.pull_request.number || inputs.number": number,
        }
        summary = tmp_path / "summary.md"
        environment = {
            name: places[value.removeprefix("${{ ").removesuffix(" }}")]
            for name, value in step["env"].items()
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            env={
                "PATH": f"{tools}:{os.environ['PATH']}",
                "TMPDIR": str(tmp_path),
                "GITHUB_STEP_SUMMARY": str(summary),
                "GITHUB_REPOSITORY": REPOSITORY,
                "GITHUB_API_URL": f"{library.url}/api/v3",
                **environment,
            },
            cwd=tmp_path,
            capture_output=True,
            check=False,
            timeout=60,
        )
        said = (done.stdout + done.stderr).decode() + (summary.read_text() if summary.exists() else "")
        shown = said + (seen.read_text() if seen.exists() else "")
        assert GH_TOKEN not in shown
        assert TOKEN not in shown
        return done.returncode, said

    return run


def test_each_component_that_the_pull_request_changes_is_asked_for_at_its_head(
    library: Library, service: tuple[Service, str], dispatch: Callable[..., tuple[int, str]]
) -> None:
    head = library.pull(
        "components/memo/prompt.md", "components/other/evals/x", "README.md", "components/lone"
    )
    code, said = dispatch()
    assert code == 0, said
    wanted = {"replicates": 3, "git_sha": head}
    assert service[0].requests == [{"skill_name": "memo", **wanted}, {"skill_name": "other", **wanted}]
    assert service[0].tokens == {f"Bearer {TOKEN}"}
    assert "- `memo`: accepted" in said


def test_a_forks_pull_request_is_never_sent(
    library: Library, service: tuple[Service, str], dispatch: Callable[..., tuple[int, str]]
) -> None:
    bare = library.app.state.repositories[REPOSITORY].bare.path
    library.app.state.add_repository("mallory/prompt-library", bare)
    library.pull("components/memo/prompt.md", of="mallory/prompt-library")
    code, said = dispatch()
    assert (code, service[0].requests) == (1, [])
    assert "is a fork's" in said


def test_one_that_changes_no_component_and_one_that_is_not_there_are_red(
    library: Library, service: tuple[Service, str], dispatch: Callable[..., tuple[int, str]]
) -> None:
    library.pull("README.md")
    for number, words in (
        ("1", "changes no component"),
        ("9", "Not Found"),
        ("1; touch pwned", "Name the number"),
    ):
        code, said = dispatch(number)
        assert (code, words in said) == (1, True), said
    assert service[0].requests == []
    assert not list(library.folder.glob("**/pwned"))


def test_names_of_files_and_the_services_words_are_text(
    library: Library, service: tuple[Service, str], dispatch: Callable[..., tuple[int, str]]
) -> None:
    library.pull("components/memo/prompt.md", "components/$(touch pwned)/x", "components/a\n::error::b/x")
    service[0].status, service[0].answer = 422, b"no\n::add-mask::x $(touch pwned)"
    code, said = dispatch()
    assert code == 1
    assert [request["skill_name"] for request in service[0].requests] == ["memo"]
    assert not [line for line in said.splitlines() if line.startswith(("::add-mask", "::error::b"))]
    assert not list(library.folder.glob("**/pwned"))


def test_it_begins_for_no_fork_and_no_other_label(project_root: Path) -> None:
    (job,) = YAML(typ="safe").load(project_root / TEMPLATE)["jobs"].values()
    assert "github.event.pull_request.head.repo.full_name == github.repository" in job["if"]
    assert "github.event.label.name == 'evaluate'" in job["if"]
