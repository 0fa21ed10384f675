"""The service as the demo runs and asks it."""

from __future__ import annotations

import httpx
import pytest

from evalsim.demo.failure import DemoError, DemoInputError
from evalsim.demo.outside import SimulatedOutside
from evalsim.demo.service_client import Service, service_environment

OUTSIDE = SimulatedOutside(
    mindrouter_url="http://127.0.0.1:1",
    mindrouter_key="mr2_key",
    github_api_url="http://127.0.0.1:2/api/v3",
    github_token="ghp_token",
    repository="owner/prompt-library",
    library_url="http://127.0.0.1:2/owner/prompt-library.git",
    data_sets_url=None,
)


def test_the_service_gets_its_settings_and_none_of_the_users_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "the user's own")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    environment = service_environment(OUTSIDE, folder=tmp_path, port=1234, token="t" * 32)
    assert "ANTHROPIC_API_KEY" not in environment
    assert "HTTPS_PROXY" not in environment
    assert environment["EVALHOOK_BIND"] == "127.0.0.1:1234"
    assert "EVALHOOK_DATA_SETS" not in environment


def service_answering(status: int, body: object) -> Service:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json=body))
    return Service(httpx.Client(transport=transport), "http://service", "t" * 32)


def test_an_unusable_component_is_the_users_matter():
    service = service_answering(422, {"error": {"code": "unusable_component", "message": "no usable case"}})
    with pytest.raises(DemoInputError, match="422 unusable_component: no usable case"):
        service.evaluate({"skill_name": "x"})


def test_another_refusal_is_a_failure_in_the_services_words():
    service = service_answering(503, {"error": {"code": "not_ready", "message": "MindRouter is unreachable"}})
    with pytest.raises(DemoError, match="503 not_ready: MindRouter is unreachable") as caught:
        service.evaluate({"skill_name": "x"})
    assert caught.value.exit_code == 1


def test_a_failed_job_is_a_failure_in_the_services_words():
    job = {
        "job_id": "j",
        "status": "failed",
        "progress": {"done": 3, "total": 9, "errors": 3},
        "result": None,
        "error": {"code": "push_refused", "message": "the remote refused"},
    }
    seen = []
    with pytest.raises(DemoError, match="the job failed: push_refused: the remote refused"):
        service_answering(200, job).finish("j", lambda *figures: seen.append(figures))
    assert seen == [(3, 9, 3)]


def test_an_answer_that_is_not_as_documented_is_a_failure():
    with pytest.raises(DemoError, match="not as documented"):
        service_answering(202, {"job": 1}).evaluate({"skill_name": "x"})
