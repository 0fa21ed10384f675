"""MindRouter's key goes to MindRouter's configured address and nowhere else, whatever models.yaml says."""

from __future__ import annotations

import asyncio

import pytest
from msgspec import structs

from evalcore.errors import ConfigurationError
from evalcore.library.models_file import parse_models
from evalcore.secret import Secret
from evalhook.worker.gateway import MindRouterGateway
from evalsim.mindrouter import SimulatedMindRouter, default_config
from evalsim.serving import running

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
