"""MindRouter's key goes to MindRouter's configured address and nowhere else, whatever models.yaml says."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from msgspec import structs

from evalcore.clients.outage import OutagePolicy
from evalcore.documents.interface import ReadText, Unreadable
from evalcore.errors import ConfigurationError, ProviderUnreachable
from evalcore.formats.strict_json import sha256_hex
from evalcore.library.component import Document
from evalcore.library.models_file import parse_models
from evalcore.runs.plan import JobPlan
from evalcore.secret import Secret
from evalhook.config.settings import read_settings
from evalhook.wiring import ExternalSystems
from evalhook.worker.gateway import MindRouterGateway
from evalsim.documents.pdf import text_pdf
from evalsim.mindrouter import SimulatedMindRouter, default_config
from evalsim.serving import running
from evalsim.testing import make_job_plan

KEY = "mr2_" + "k" * 30
MODEL = "models:\n- {id: openai/gpt-oss-120b, provider: mindrouter}\n"


def probe(base_url: str, providers: str) -> None:
    models = parse_models(f"{providers}{MODEL}".encode(), "models.yaml")
    asyncio.run(MindRouterGateway(base_url, Secret(KEY), None).probe(models))


@pytest.mark.parametrize(
    "providers",
    [
        "",
        "providers: {mindrouter: {base_url: '${MINDROUTER_BASE_URL}/v1', api_key_env: MINDROUTER_API_KEY}}\n",
    ],
)
def test_the_configured_server_is_asked_with_the_key(providers: str) -> None:
    simulated = SimulatedMindRouter(structs.replace(default_config(), keys=(KEY,)))
    with running(simulated) as url:
        probe(url, providers)
    assert any(seen.headers.get("authorization") == f"Bearer {KEY}" for seen in simulated.seen)


def test_another_server_is_never_sent_the_key() -> None:
    simulated = SimulatedMindRouter(structs.replace(default_config(), keys=(KEY,)))
    with running(simulated) as url:
        overriding = (
            f"providers:\n  mindrouter: {{api: openai, base_url: '{url}', api_key_env: MINDROUTER_API_KEY}}\n"
        )
        with pytest.raises(ConfigurationError, match="another server"):
            probe("https://mindrouter.example", overriding)
    assert not simulated.seen


@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "MINDROUTER_EVAL_WEBHOOK_TOKEN", "HOME", "OPENAI_API_KEY"])
def test_no_other_variable_can_be_sent_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "a-value-that-is-none-of-its-business")
    overriding = (
        "providers:\n  mindrouter: {api: openai, base_url: '${MINDROUTER_BASE_URL}', "
        f"api_key_env: {name}}}\n"
    )
    with pytest.raises(ConfigurationError, match=f"{name} is not set|holds no model's key"):
        probe("https://mindrouter.example", overriding)


def plan_of(models_yaml: str, **reading: object) -> JobPlan:
    models = parse_models(models_yaml.encode(), "models.yaml")
    settings = structs.replace(models.documents, **reading)
    return structs.replace(
        make_job_plan(), models=models.models, providers=models.providers, reading=settings
    )


async def read(gateway: MindRouterGateway, plan: JobPlan, data: bytes) -> ReadText | Unreadable:
    document = Document("input.pdf", sha256_hex(data), len(data), "one/input.pdf")
    async with gateway.open_reader(plan, lambda *_: None, OutagePolicy()) as reader:
        return await reader.read(document, data, 1)


def test_documents_are_read_by_the_configured_server_with_the_key() -> None:
    simulated = SimulatedMindRouter(structs.replace(default_config(), keys=(KEY,)))
    plan = plan_of(MODEL, model="qwen/qwen3.5-122b")
    with running(simulated) as url:
        gateway = MindRouterGateway(url, Secret(KEY), None)
        gateway.require_reader(plan)
        outcome = asyncio.run(read(gateway, plan, text_pdf(["some words"])))
    assert outcome == ReadText("some words\n", 1)


def test_another_server_is_never_sent_a_document() -> None:
    simulated = SimulatedMindRouter(structs.replace(default_config(), keys=(KEY,)))
    with running(simulated) as url:
        overriding = (
            f"providers:\n  mindrouter: {{api: openai, base_url: '{url}', api_key_env: MINDROUTER_API_KEY}}\n"
        )
        gateway = MindRouterGateway("https://mindrouter.example", Secret(KEY), None)
        plan = plan_of(overriding + MODEL, model="qwen/qwen3.5-122b")
        with pytest.raises(ConfigurationError, match="another server"):
            gateway.require_reader(plan)
        with pytest.raises(ConfigurationError, match="another server"):
            asyncio.run(read(gateway, plan, text_pdf(["some words"])))
    assert not simulated.seen


def test_a_library_that_names_no_reading_model_is_told_so_before_its_job_begins() -> None:
    gateway = MindRouterGateway("https://mindrouter.example", Secret(KEY), None)
    with pytest.raises(ConfigurationError, match="names no model"):
        gateway.require_reader(plan_of(MODEL))


def test_a_reader_without_a_server_needs_none() -> None:
    gateway = MindRouterGateway("https://mindrouter.example", Secret(KEY), None)
    plan = plan_of(MODEL, reader="text")
    gateway.require_reader(plan)
    outcome = asyncio.run(read(gateway, plan, text_pdf(["some words"])))
    assert isinstance(outcome, ReadText)
    assert "some words" in outcome.text


@contextmanager
def forward_proxy(target: str) -> Iterator[tuple[str, list[str]]]:
    """A proxy that takes every host for `target`, and opens no tunnel: its URL, and what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def forward(self) -> None:
            asked.append(f"{self.command} {self.path}")
            if self.command == "CONNECT":
                self.send_error(HTTPStatus.FORBIDDEN)
                return
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            where = target + httpx.URL(self.path).raw_path.decode()
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            answer = httpx.request(self.command, where, headers=headers, content=body, trust_env=False)
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers["content-type"])
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_CONNECT = forward  # noqa: N815 - as they are called there

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_calls_and_documents_go_through_the_configured_proxy(environment) -> None:
    simulated = SimulatedMindRouter(structs.replace(default_config(), keys=(KEY,)))
    plan = plan_of(MODEL, model="qwen/qwen3.5-122b")
    with running(simulated) as url, forward_proxy(url) as (proxy, asked):
        # A name that nobody resolves: only the proxy can know where it is.
        places = {"MINDROUTER_BASE_URL": "http://mindrouter.invalid", "MINDROUTER_API_KEY": KEY}
        settings = read_settings(environment(**places, MINDROUTER_PROXY=proxy))
        gateway = ExternalSystems(settings).gateway
        asyncio.run(gateway.probe(parse_models(MODEL.encode(), "models.yaml")))
        assert "GET http://mindrouter.invalid/v1/models" in asked
        asked.clear()
        assert asyncio.run(read(gateway, plan, text_pdf(["some words"]))) == ReadText("some words\n", 1)
        assert any(each.startswith("POST http://mindrouter.invalid/") for each in asked)


def test_a_proxy_of_the_environment_is_never_shown_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    simulated = SimulatedMindRouter(structs.replace(default_config(), keys=(KEY,)))
    with running(simulated) as url, forward_proxy(url) as (proxy, asked):
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("HTTP_PROXY", proxy)
        probe(url, "")
    assert asked == []


def test_a_server_that_the_proxy_does_not_lead_to_cannot_be_reached() -> None:
    with forward_proxy("http://127.0.0.1:9") as (proxy, asked):
        gateway = MindRouterGateway("https://mindrouter.invalid", Secret(KEY), proxy)
        with pytest.raises(ProviderUnreachable):
            asyncio.run(gateway.probe(parse_models(MODEL.encode(), "models.yaml")))
    assert set(asked) == {"CONNECT mindrouter.invalid:443"}
