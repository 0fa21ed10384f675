"""MindRouter's key goes to MindRouter's configured address and nowhere else, whatever models.yaml says."""

from __future__ import annotations

import asyncio

import pytest
from msgspec import structs

from evalcore.clients.outage import OutagePolicy
from evalcore.documents.interface import ReadText, Unreadable
from evalcore.errors import ConfigurationError
from evalcore.formats.strict_json import sha256_hex
from evalcore.library.component import Document
from evalcore.library.models_file import parse_models
from evalcore.runs.plan import JobPlan
from evalcore.secret import Secret
from evalhook.worker.gateway import MindRouterGateway
from evalsim.documents.pdf import text_pdf
from evalsim.mindrouter import SimulatedMindRouter, default_config
from evalsim.serving import running
from evalsim.testing import make_job_plan

KEY = "mr2_" + "k" * 30
MODEL = "models:\n- {id: openai/gpt-oss-120b, provider: mindrouter}\n"


def probe(base_url: str, providers: str) -> None:
    models = parse_models(f"{providers}{MODEL}".encode(), "models.yaml")
    asyncio.run(MindRouterGateway(base_url, Secret(KEY)).probe(models))


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
        gateway = MindRouterGateway(url, Secret(KEY))
        gateway.require_reader(plan)
        outcome = asyncio.run(read(gateway, plan, text_pdf(["some words"])))
    assert outcome == ReadText("some words\n", 1)


def test_another_server_is_never_sent_a_document() -> None:
    simulated = SimulatedMindRouter(structs.replace(default_config(), keys=(KEY,)))
    with running(simulated) as url:
        overriding = (
            f"providers:\n  mindrouter: {{api: openai, base_url: '{url}', api_key_env: MINDROUTER_API_KEY}}\n"
        )
        gateway = MindRouterGateway("https://mindrouter.example", Secret(KEY))
        plan = plan_of(overriding + MODEL, model="qwen/qwen3.5-122b")
        with pytest.raises(ConfigurationError, match="another server"):
            gateway.require_reader(plan)
        with pytest.raises(ConfigurationError, match="another server"):
            asyncio.run(read(gateway, plan, text_pdf(["some words"])))
    assert not simulated.seen


def test_a_library_that_names_no_reading_model_is_told_so_before_its_job_begins() -> None:
    gateway = MindRouterGateway("https://mindrouter.example", Secret(KEY))
    with pytest.raises(ConfigurationError, match="names no model"):
        gateway.require_reader(plan_of(MODEL))


def test_a_reader_without_a_server_needs_none() -> None:
    gateway = MindRouterGateway("https://mindrouter.example", Secret(KEY))
    plan = plan_of(MODEL, reader="text")
    gateway.require_reader(plan)
    outcome = asyncio.run(read(gateway, plan, text_pdf(["some words"])))
    assert isinstance(outcome, ReadText)
    assert "some words" in outcome.text
