"""The workflow's own script, taken from its YAML and run by bash against a service over real HTTP."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from ruamel.yaml import YAML

from evalsim.demo.processes import free_port, running, wait_until_answering
from evalsim.library import as_git, write_sample_library
from evalsim.mindrouter.app import SimulatedMindRouter
from evalsim.mindrouter.config import SimConfig, SimModel
from evalsim.oidc import SigningKey, SimulatedIssuer
from evalsim.oidc.app import REQUEST_TOKEN
from evalsim.serving import running as running_app

TOKEN = "t0ken-" + "x" * 32
COMMIT = "a" * 40
ACCEPTED = {
    "job_id": "0199f3a0-0000-7000-8000-000000000001",
    "status": "running",
    "skill_name": "rfp-extraction",
    "replicates": 10,
    "prompt_commit": COMMIT,
    "calls": 120,
    "status_url": "/jobs/0199f3a0-0000-7000-8000-000000000001",
}
HOSTILE = [
    "$(touch {marker})",
    "`touch {marker}`",
    '"; touch {marker}; "',
    "'; touch {marker}; '",
    "x\ntouch {marker}\n",
    "x\r\n::set-output name=a::b",
    '", "replicates": 100, "x": "',
    "%0A::error::forged",
    "-o{marker}",
    "@{marker}",
    "naïve-κόσμος-🙂",
    "a" * 20_000,
]


@dataclass
class Service:
    """What the service will answer next, and the requests it has had."""

    status: int = 202
    body: bytes = field(default_factory=lambda: json.dumps(ACCEPTED).encode())
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    def answers(self, status: int, body: object) -> None:
        self.status = status
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()


@pytest.fixture
def service() -> Iterator[Service]:
    state = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.requests.append((self.path, dict(self.headers), body))
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(state.body)))
            self.end_headers()
            self.wfile.write(state.body)

        def log_message(self, *_: object) -> None:
            """Say nothing: the tests read what was recorded."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass(frozen=True)
class Outcome:
    code: int
    output: str
    summary: str
    arguments: str


@pytest.fixture
def step(project_root: Path) -> dict[str, Any]:
    workflow = YAML(typ="safe").load(project_root / ".github/workflows/evaluate-local.yml")
    (only,) = workflow["jobs"]["evaluate"]["steps"]
    return dict(only)


@pytest.fixture
def programs() -> dict[str, str]:
    """What an image of a runner has besides, by name; required in CI, skipped elsewhere."""
    found = {name: shutil.which(name) for name in ("bash", "curl", "jq")}
    lacking = [name for name, program in found.items() if program is None]
    if lacking and os.environ.get("EVALUATOR_REQUIRE") == "all":
        pytest.fail(f"{', '.join(lacking)} required here (EVALUATOR_REQUIRE=all) and not there")
    if lacking:
        pytest.skip(f"needs {', '.join(lacking)}")
    return {name: program for name, program in found.items() if program is not None}


@pytest.fixture
def dispatch(step: dict[str, Any], tmp_path: Path, programs: dict[str, str]) -> Any:
    """Run the step as the runner does, with these inputs; curl's and jq's arguments are kept."""
    tools = tmp_path / "tools"
    tools.mkdir()
    seen = tmp_path / "arguments"
    for name in ("curl", "jq"):
        shim = tools / name
        keeping = f'printf "%s\\n" "$@" >>{seen}'
        shim.write_text(f'#!{programs["bash"]}\n{keeping}\nexec {programs[name]} "$@"\n')
        shim.chmod(0o755)

    def run(
        url: str, skill: str = "rfp-extraction", replicates: str = "10", sha: str = "", **over: Any
    ) -> Outcome:
        meant = {
            "vars.EVAL_WEBHOOK_URL": url,
            "secrets.MINDROUTER_EVAL_WEBHOOK_TOKEN": over.get("token", TOKEN),
            "inputs.skill_name": skill,
            "inputs.replicates": replicates,
            "inputs.git_sha || github.sha": sha or COMMIT,
            "needs.bumps.outputs.skills": over.get("skills", ""),
        }
        summary = tmp_path / "summary.md"
        summary.write_text(over.get("summary", ""))
        environment = {
            name: meant[value.removeprefix("${{ ").removesuffix(" }}")] for name, value in step["env"].items()
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            env={
                "PATH": f"{tools}:{os.environ['PATH']}",
                "GITHUB_STEP_SUMMARY": str(summary),
                "TMPDIR": str(tmp_path),
                **over.get("runner", {}),
                **environment,
            },
            cwd=tmp_path,
            capture_output=True,
            check=False,
            timeout=30,
        )
        output = (done.stdout + done.stderr).decode()
        return Outcome(
            done.returncode, output, summary.read_text(), seen.read_text() if seen.exists() else ""
        )

    return run


def commands(output: str) -> list[str]:
    """The lines the runner would obey."""
    return [line for line in output.splitlines() if line.lstrip().startswith("::") or "##[" in line]


def test_request_is_what_the_service_expects(service: Service, dispatch: Any) -> None:
    outcome = dispatch(f"http://127.0.0.1:{service.port}", replicates="3")
    assert outcome.code == 0, outcome.output
    ((path, headers, body),) = service.requests
    assert path == "/evaluate"
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body) == {"skill_name": "rfp-extraction", "replicates": 3, "git_sha": COMMIT}


def test_job_is_named_in_log_and_summary(service: Service, dispatch: Any) -> None:
    outcome = dispatch(f"http://127.0.0.1:{service.port}/")
    for text in (outcome.output, outcome.summary):
        assert f"http://127.0.0.1:{service.port}{ACCEPTED['status_url']}\n" in text


def test_asked_for_commit_goes_before_the_triggering_one(service: Service, dispatch: Any) -> None:
    dispatch(f"http://127.0.0.1:{service.port}/evaluate", sha="b" * 12)
    ((path, _, body),) = service.requests
    assert path == "/evaluate"
    assert json.loads(body)["git_sha"] == "b" * 12


def test_token_is_in_no_argument_and_no_output(service: Service, dispatch: Any) -> None:
    outcome = dispatch(f"http://127.0.0.1:{service.port}", token=TOKEN + "\n")
    assert service.requests[0][1]["Authorization"] == f"Bearer {TOKEN}"
    assert "/evaluate" in outcome.arguments
    assert TOKEN not in outcome.arguments + outcome.output + outcome.summary


@pytest.fixture
def issuer() -> Iterator[SimulatedIssuer]:
    simulated = SimulatedIssuer(SigningKey("first"), repository="org/library")
    with running_app(simulated) as url:
        simulated.url = url
        yield simulated


def runner(issuer: SimulatedIssuer, request_token: str = REQUEST_TOKEN) -> dict[str, str]:
    """What GitHub's runner gives a job that may ask for a token."""
    return {
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{issuer.url}/token?api-version=2.0",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": request_token,
    }


def test_without_a_secret_githubs_own_token_is_shown(
    service: Service, dispatch: Any, issuer: SimulatedIssuer
) -> None:
    url = f"http://127.0.0.1:{service.port}"
    outcome = dispatch(f"{url}/", token="", runner=runner(issuer))
    assert outcome.code == 0, outcome.output
    token = service.requests[0][1]["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["aud"], claims["repository"]) == (url, "org/library")
    assert f"::add-mask::{token}" in outcome.output
    assert token not in outcome.arguments + outcome.output.replace(f"::add-mask::{token}", "")
    assert REQUEST_TOKEN not in outcome.arguments + outcome.output


def test_the_secret_goes_before_githubs_token(
    service: Service, dispatch: Any, issuer: SimulatedIssuer
) -> None:
    dispatch(f"http://127.0.0.1:{service.port}", runner=runner(issuer))
    assert service.requests[0][1]["Authorization"] == f"Bearer {TOKEN}"
    assert issuer.asked == []


def test_a_token_that_github_does_not_give_is_said(
    service: Service, dispatch: Any, issuer: SimulatedIssuer
) -> None:
    outcome = dispatch(f"http://127.0.0.1:{service.port}", token="", runner=runner(issuer, "wrong"))
    assert outcome.code == 1
    assert "GitHub gave no token" in outcome.output
    assert service.requests == []


@pytest.mark.parametrize("which", ["skill", "sha"])
@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_input_is_data(
    service: Service, dispatch: Any, tmp_path: Path, hostile: str, which: str
) -> None:
    marker = tmp_path / "marker"
    value = hostile.format(marker=marker)
    service.answers(400, {"error": {"code": "invalid_request", "message": f"not so: {value}"}})
    outcome = dispatch(f"http://127.0.0.1:{service.port}", **{which: value})
    assert outcome.code == 1
    assert not marker.exists()
    ((_, _, body),) = service.requests
    assert json.loads(body)[{"skill": "skill_name", "sha": "git_sha"}[which]] == value
    assert len(commands(outcome.output)) == 1
    assert "invalid_request: not so" in outcome.output


@pytest.mark.parametrize(
    "wrong",
    ["ten", "1e2", "-1", "10; touch marker", "$(touch marker)", "a[$(touch marker)]", "1\n2", "\uff11"],
)
def test_replicates_that_is_no_number_is_refused_before_any_call(
    service: Service, dispatch: Any, tmp_path: Path, wrong: str
) -> None:
    outcome = dispatch(f"http://127.0.0.1:{service.port}", replicates=wrong)
    assert outcome.code == 1
    assert "replicates must be a whole number" in outcome.output
    assert len(commands(outcome.output)) == 1
    assert service.requests == []
    assert not (tmp_path / "marker").exists()


def test_after_a_push_each_component_is_asked_for_with_the_pushed_commit(
    service: Service, dispatch: Any
) -> None:
    skills = [f"c-{number}" for number in range(300)]
    outcome = dispatch(f"http://127.0.0.1:{service.port}", "", "", skills=json.dumps(skills[:20]))
    assert outcome.code == 0, outcome.output
    bodies = [json.loads(body) for _, _, body in service.requests]
    assert bodies == [{"skill_name": skill, "replicates": 10, "git_sha": COMMIT} for skill in skills[:20]]
    assert outcome.summary.count("### Evaluation started") == 20


def test_after_a_busy_answer_the_rest_is_left_to_the_sweep(service: Service, dispatch: Any) -> None:
    busy = {
        "busy": True,
        "current_job": {"job_id": "j", "skill": "other", "started_at": "2026-01-01T00:00:00Z"},
    }
    service.answers(409, busy)
    skills = [f"c-{number}" for number in range(300)]
    outcome = dispatch(f"http://127.0.0.1:{service.port}", "", "", skills=json.dumps(skills))
    assert outcome.code == 1
    assert len(service.requests) == 1
    assert "busy: job j has been evaluating other" in outcome.output
    assert "\n".join(skills) in outcome.summary.partition("Left to the sweep")[2]


def test_any_other_refusal_is_red_and_the_next_is_asked_for(service: Service, dispatch: Any) -> None:
    service.answers(422, {"error": {"code": "unusable_component", "message": "no case"}})
    outcome = dispatch(f"http://127.0.0.1:{service.port}", "", "", skills='["a","b"]')
    assert outcome.code == 1
    assert len(service.requests) == 2
    assert "Left to the sweep" not in outcome.summary
    assert len(commands(outcome.output)) == 2


def test_the_summary_stays_below_what_github_takes(service: Service, dispatch: Any) -> None:
    service.answers(422, {"error": {"code": "unusable_component", "message": "'" * 5000}})
    full = "x" * 899_999
    outcome = dispatch(f"http://127.0.0.1:{service.port}", "", "", skills='["a","b","c"]', summary=full)
    assert outcome.summary.count("### Not started") == 1
    assert len(commands(outcome.output)) == 3
    assert len(outcome.summary) < 1024 * 1024 - 110_000  # the names that are left to the sweep still fit


def test_a_service_that_is_not_there_is_asked_once(service: Service, dispatch: Any) -> None:
    outcome = dispatch("http://127.0.0.1:1", "", "", skills='["a","b"]')
    assert outcome.code == 1
    assert service.requests == []
    assert len(commands(outcome.output)) == 1
    assert "a\nb\n" in outcome.summary.partition("Left to the sweep")[2]


REFUSALS = [
    (401, {"error": {"code": "unauthorized", "message": "no valid token"}}, "unauthorized: no valid token"),
    (
        409,
        {
            "busy": True,
            "current_job": {"job_id": "j-1", "skill": "other", "started_at": "2026-01-01T00:00:00Z"},
        },
        "busy: job j-1 has been evaluating other since 2026-01-01T00:00:00Z",
    ),
    (422, {"error": {"code": "unknown_commit", "message": "not on main"}}, "unknown_commit: not on main"),
    (503, {"error": {"code": "not_ready", "message": "MindRouter"}}, "not_ready: MindRouter"),
    (502, b"<html>Bad gateway</html>", "<html>Bad gateway</html>"),
    (500, b"", "(no words)"),
    (500, b"\xff\xfe broken", "broken"),
    (418, ["a", 1], '["a",1]'),
    (200, ACCEPTED, str(ACCEPTED["job_id"])),
    (302, b"elsewhere", "elsewhere"),
    (202, b"no json", "no json"),
    (202, {"status": "running"}, "running"),
]


@pytest.mark.parametrize(("status", "body", "words"), REFUSALS)
def test_anything_but_a_job_is_red_with_the_words_shown(
    service: Service, dispatch: Any, status: int, body: object, words: str
) -> None:
    service.answers(status, body)
    outcome = dispatch(f"http://127.0.0.1:{service.port}")
    assert outcome.code == 1
    assert str(status) in outcome.output
    assert words in outcome.output
    assert len(service.requests) == 1


@pytest.mark.parametrize("status", [202, 400])
def test_services_words_are_no_commands_and_no_markup(service: Service, dispatch: Any, status: int) -> None:
    forged = "x\n::add-mask::y\r::stop-commands::z\n##[error]no\x1b[31m <img src=x> </pre>%0A::warning::w"
    service.answers(status, {**ACCEPTED, "job_id": forged, "error": {"code": "c", "message": forged}})
    outcome = dispatch(f"http://127.0.0.1:{service.port}")
    (only,) = commands(outcome.output)
    assert only.startswith("::notice title=" if status == 202 else "::error title=")
    assert "%250A::warning" in only
    assert "\x1b" not in outcome.output
    assert "<img" not in outcome.summary
    assert outcome.summary.count("</pre>") == 1


def test_unreachable_service_is_red_and_says_so(dispatch: Any) -> None:
    unused = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    port = unused.server_address[1]
    unused.server_close()
    outcome = dispatch(f"http://127.0.0.1:{port}")
    assert outcome.code == 1
    assert "did not answer" in outcome.output
    assert re.search(r"curl: \(7\)", outcome.output)


@pytest.mark.parametrize(
    ("url", "over", "words"),
    [
        ("", {}, "EVAL_WEBHOOK_URL is not set"),
        ("http://evaluator.example", {}, "does not begin with https://"),
        ("file:///etc/passwd", {}, "does not begin with https://"),
        ("http://localhost.example", {}, "does not begin with https://"),
        ("http://127.0.0.1:1", {"token": ""}, "MINDROUTER_EVAL_WEBHOOK_TOKEN is not set"),
    ],
)
def test_what_is_not_set_up_is_said_before_any_call(
    dispatch: Any, url: str, over: dict[str, str], words: str
) -> None:
    outcome = dispatch(url, **over)
    assert outcome.code == 1
    assert words in outcome.output
    assert "--max-time" not in outcome.arguments


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A prompt library to clone, and a MindRouter whose models answer only after the tests are over."""
    library = tmp_path_factory.mktemp("outside") / "prompt-library"
    write_sample_library(library)
    as_git(library)
    models = (SimModel(id="openai/gpt-oss-120b", latency=600),)
    with running_app(SimulatedMindRouter(SimConfig(models=models))) as url:
        yield library, url


@pytest.fixture
def evalhook(outside: tuple[Path, str], tmp_path: Path) -> Iterator[str]:
    """The real service in a process of its own; gives its address."""
    library, mindrouter = outside
    port = free_port()
    folder = tmp_path / "service"
    folder.mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "MINDROUTER_EVAL_WEBHOOK_TOKEN": TOKEN,
        "MINDROUTER_BASE_URL": mindrouter,
        "MINDROUTER_API_KEY": "k3y",
        "EVALHOOK_PROMPT_LIBRARY": str(folder / "clone"),
        "EVALHOOK_PROMPT_LIBRARY_URL": str(library),
        "EVALHOOK_STATE_DIR": str(folder / "state"),
        "EVALHOOK_BIND": f"127.0.0.1:{port}",
        "EVALHOOK_COMMIT_BACK": "none",
    }
    command = [str(Path(sys.executable).with_name("evalhook")), "serve"]
    with running("evalhook", command, environment=environment, folder=folder) as process:
        url = f"http://127.0.0.1:{port}"
        wait_until_answering(process, f"{url}/health", seconds=30)
        yield url


def test_real_service_starts_a_job_and_refuses_a_second(
    evalhook: str, outside: tuple[Path, str], dispatch: Any
) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=outside[0], capture_output=True, text=True, check=True
    ).stdout.strip()
    first = dispatch(evalhook, skill="expense-memo", replicates="2", sha=commit)
    assert first.code == 0, first.output
    found = re.search(r"job (\S+) started, \d+ calls; its status: (\S+)", first.output)
    assert found is not None
    assert found[2] == f"{evalhook}/jobs/{found[1]}"
    assert commit in first.summary
    second = dispatch(evalhook, skill="expense-memo", sha=commit)
    assert second.code == 1
    assert "(HTTP 409)" in second.output
    assert f"busy: job {found[1]} has been evaluating expense-memo since" in second.output


def test_real_service_refuses_what_it_cannot_do(evalhook: str, dispatch: Any, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    for hostile in HOSTILE:
        value = hostile.format(marker=marker)
        for inputs in ({"skill": value}, {"sha": value}):
            outcome = dispatch(evalhook, **inputs)
            assert outcome.code == 1
            assert re.search(r"\(HTTP 4(00|13)\)::(invalid_request|too_large): ", outcome.output), (
                outcome.output
            )
            assert len(commands(outcome.output)) == 1
    assert not marker.exists()
    assert "(HTTP 401)::unauthorized: " in dispatch(evalhook, token="not-the-token").output
    assert "(HTTP 400)::invalid_request: " in dispatch(evalhook, replicates="101").output
    assert "(HTTP 422)::unknown_commit: " in dispatch(evalhook, sha="f" * 40).output


def test_script_holds_no_expression_and_asks_for_no_permission(
    project_root: Path, step: dict[str, Any]
) -> None:
    assert "${{" not in step["run"]
    workflow = YAML(typ="safe").load(project_root / ".github/workflows/evaluate-local.yml")
    assert workflow["permissions"] == {}
    assert workflow["jobs"]["evaluate"]["permissions"] == {"id-token": "write"}
    inputs = workflow["on"]["workflow_dispatch"]["inputs"]
    assert inputs["skill_name"]["required"] is True
    assert inputs["replicates"]["default"] == 10
    assert inputs["git_sha"]["required"] is False


def test_every_action_is_pinned_by_commit(project_root: Path) -> None:
    for workflow in sorted((project_root / ".github/workflows").glob("*.yml")):
        for used in re.findall(r"^\s*-?\s*uses:\s*(\S+)", workflow.read_text(), re.MULTILINE):
            assert re.search(r"@[0-9a-f]{40}$", used), f"{workflow.name}: {used}"
