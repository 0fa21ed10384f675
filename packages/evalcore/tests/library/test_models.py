"""Providers: where they are reached, with which key, and why they cannot be."""

from __future__ import annotations

import pytest

from evalcore.library.models import BUILT_IN, Endpoint, NotConfigured, resolve_provider


@pytest.mark.parametrize(
    "url",
    ["https://host", "https://host/", "https://host/v1", "https://host/v1/", " https://host/v1//"],
)
def test_trailing_slash_and_v1_mean_the_same(url: str) -> None:
    environment = {"MINDROUTER_BASE_URL": url, "MINDROUTER_API_KEY": " key\n"}
    endpoint = resolve_provider(BUILT_IN["mindrouter"], environment)
    assert endpoint == Endpoint(base_url="https://host", api_key="key")


def test_path_before_v1_is_kept() -> None:
    environment = {"MINDROUTER_BASE_URL": "http://[::1]:8000/gateway/v1", "MINDROUTER_API_KEY": "key"}
    endpoint = resolve_provider(BUILT_IN["mindrouter"], environment)
    assert endpoint == Endpoint(base_url="http://[::1]:8000/gateway", api_key="key")


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({}, "MINDROUTER_BASE_URL and MINDROUTER_API_KEY are not set: they say where mindrouter is"),
        ({"MINDROUTER_BASE_URL": " ", "MINDROUTER_API_KEY": "k"}, "MINDROUTER_BASE_URL is not set"),
        ({"MINDROUTER_BASE_URL": "https://host"}, "MINDROUTER_API_KEY is not set"),
        ({"MINDROUTER_BASE_URL": "https://host", "MINDROUTER_API_KEY": ""}, "MINDROUTER_API_KEY is not set"),
        (
            {"MINDROUTER_BASE_URL": "https://host", "MINDROUTER_API_KEY": "se\ncret"},
            "MINDROUTER_API_KEY holds no key",
        ),
        (
            {"MINDROUTER_BASE_URL": "https://host", "MINDROUTER_API_KEY": "sécret"},
            "MINDROUTER_API_KEY holds no key",
        ),
        ({"MINDROUTER_BASE_URL": "host", "MINDROUTER_API_KEY": "secret"}, "not an http(s) URL"),
        ({"MINDROUTER_BASE_URL": "https://", "MINDROUTER_API_KEY": "secret"}, "not an http(s) URL"),
        (
            {"MINDROUTER_BASE_URL": "${MINDROUTER_BASE_URL}", "MINDROUTER_API_KEY": "secret"},
            "not an http(s) URL",
        ),
    ],
)
def test_provider_that_cannot_be_used_says_why(environment: dict[str, str], reason: str) -> None:
    answer = resolve_provider(BUILT_IN["mindrouter"], environment)
    assert isinstance(answer, NotConfigured)
    assert reason in answer.reason
    assert "cret" not in answer.reason


def test_key_is_not_shown_where_an_endpoint_is() -> None:
    endpoint = Endpoint(base_url="https://host", api_key="very-secret")
    assert "very-secret" not in f"{endpoint} {endpoint!r} {endpoint.__rich_repr__()}"
