"""models.yaml: what it means, and how its mistakes are told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evalcore.errors import ConfigurationError
from evalcore.library.models import (
    BUILT_IN,
    Endpoint,
    Model,
    ModelsFile,
    NotConfigured,
    Price,
    Provider,
    is_local,
    resolve_provider,
)
from evalcore.library.models_file import RESERVED_PARAMS, parse_models


def parse(text: str) -> ModelsFile:
    return parse_models(text.encode(), "models.yaml")


def model_of(settings: str) -> Model:
    """Parse one model; `settings` are lines below `id`, from line 4 on."""
    lines = "".join(f"    {line}\n" for line in settings.splitlines())
    return parse(f"models:\n  - id: m\n    provider: openai\n{lines}").models[0]


def test_example_of_this_repository_shows_every_setting(project_root: Path) -> None:
    text = (project_root / ".evaluator/models.yaml").read_text()
    file = parse(text)
    assert sum(map(is_local, file.models)) >= 4
    assert not all(map(is_local, file.models))
    for setting in (*Model.__struct_fields__, *Provider.__struct_fields__[1:], *Price.__struct_fields__):
        assert f"{setting}:" in text


def test_first_model_of_the_example_has_what_it_says(project_root: Path) -> None:
    file = parse((project_root / ".evaluator/models.yaml").read_text())
    assert file.models[0] == Model(
        id="openai/gpt-oss-120b",
        provider="mindrouter",
        structured_output="json_schema",
        params={"temperature": 0.1, "max_tokens": 16384, "seed": 1},
        concurrency=4,
        stream=True,
        timeout=720.0,
        price=Price(input=0.0, output=0.0),
    )
    assert file.providers == BUILT_IN


def test_a_local_model_has_four_calls_in_flight_unless_told_otherwise() -> None:
    both = parse("models: [{id: m, provider: mindrouter}, {id: n, provider: mindrouter, concurrency: 9}]")
    assert [(model.concurrency, model.idle_timeout) for model in both.models] == [(4, 120.0), (9, 120.0)]


def test_defaults() -> None:
    cloud, local = parse("models:\n- {id: a, provider: openai}\n- {id: b, provider: mindrouter}\n").models
    assert cloud == Model(id="a", provider="openai")
    assert (cloud.structured_output, cloud.params, cloud.concurrency, cloud.timeout) == ("none", {}, 8, 720.0)
    assert (cloud.stream, local.stream) == (False, True)
    assert cloud.price is None


def test_mindrouter_may_be_asked_not_to_stream() -> None:
    (model,) = parse("models: [{id: a, provider: mindrouter, stream: false}]").models
    assert model.stream is False


def test_params_are_any_json_and_dates_stay_text() -> None:
    model = model_of("params: {a: [1, {b: null}], c: 2026-01-01, d: yes, e: 1.5, f: '1', g: true, h: 0o10}")
    assert model.params == {
        "a": [1, {"b": None}],
        "c": "2026-01-01",
        "d": "yes",
        "e": 1.5,
        "f": "1",
        "g": True,
        "h": 8,
    }


def test_aliases_and_merges_work() -> None:
    text = "models:\n- &base {id: a, provider: openai, params: &p {seed: 1}}\n- {<<: *base, id: b}\n"
    file = parse(text + "- {id: c, provider: openai, params: *p}\n")
    assert [(model.id, model.params) for model in file.models] == [(name, {"seed": 1}) for name in "abc"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("concurency: 4", "4: the key is unknown: `concurency`; did you mean `concurrency`?"),
        (
            "params: {}\ntemperature: 1",
            "5: the key is unknown: `temperature`; known: id, provider, structured_output, params",
        ),
        ("concurrency: 0", "4: `concurrency`: it should be a whole number of at least 1; mend it"),
        ("concurrency: -1", "4: `concurrency`: "),
        ("concurrency: true", "4: `concurrency`: it should be a whole number, and is true or false; mend it"),
        ("concurrency: 1.5", "4: `concurrency`: "),
        ("concurrency: '4'", "4: `concurrency`: it should be a whole number, and is text; mend it"),
        ("concurrency: 100000", "4: `concurrency`: "),
        ("timeout: 0", "4: `timeout`: it should be a number above 0; mend it"),
        ("timeout: .inf", "4: `timeout`: "),
        ("timeout: .nan", "4: `timeout`: "),
        ("timeout: true", "4: `timeout`: "),
        ("stream: 1", "4: `stream`: "),
        ("stream: yes", "4: `stream`: "),
        (
            "structured_output: schema",
            "4: `structured_output`: `schema` is not one of its values; use none or json_object or",
        ),
        ("params: [1]", "4: `params`: "),
        ("params:\n  temperature: .nan", "5: is not a number"),
        ("params:\n  a: [1, .inf]", "5: is not a number"),
        ("params:\n  temperature: hot", "5: `temperature` is not a number; write one, as in `0.1`"),
        ("params:\n  max_tokens: true", "5: `max_tokens` is not a number"),
        ("params:\n  top_p: [0.1]", "5: `top_p` is not a number"),
        ("params:\n  seed: 1.5", "5: `seed` is not a whole number"),
        ("params:\n  seed: true", "5: `seed` is not a whole number"),
        ("price: 1", "4: `price`: "),
        ("price: {input: 1}", "4: `price`: a key is missing: `output`"),
        ("price:\n  input: 1\n  output: -1", "6: `price.output`: "),
        (
            "price:\n  input: 1\n  output: 1\n  cache: 1",
            "7: `price`: the key is unknown: `cache`; did you mean `cache_read`?",
        ),
        ("id: again", "4: the key `id` stands twice"),
    ],
)
def test_mistakes_in_a_model_are_told_with_their_line(settings: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        model_of(settings)
    assert error.value.line.startswith(f"models.yaml:{told}")


@pytest.mark.parametrize("value", [0.1, 7, None, "0.1"])
def test_a_number_is_sent_as_it_is_written(value: object) -> None:
    assert model_of(f"params:\n  temperature: {json.dumps(value)}").params == {"temperature": value}


@pytest.mark.parametrize("name", sorted(RESERVED_PARAMS))
def test_params_that_the_evaluator_sets_itself_are_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"models\.yaml:5: `{name}` is not for `params`"):
        model_of(f"params:\n  {name}: 1")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "models.yaml: is empty"),
        ("# nothing\n", "models.yaml: is empty"),
        ("models:\n", "models.yaml:1: lists no models"),
        ("models: []\n", "models.yaml:1: lists no models"),
        ("providers: {}\n", "models.yaml:1: lists no models"),
        ("- id: a\n", "models.yaml:1: is not a mapping"),
        ("just text", "models.yaml:1: is not a mapping"),
        ("models: {a: b}\n", "models.yaml:1: `models` is not a list"),
        ("models:\n  - a\n", "models.yaml:2: it should be a mapping, and is text; mend it"),
        ("model:\n  - id: a\n", "models.yaml:1: the key `model` is unknown; did you mean `models`?"),
        ("models:\n  - id: a\n", "models.yaml:2: a key is missing: `provider`"),
        ("models:\n  - provider: openai\n", "models.yaml:2: a key is missing: `id`"),
        ("models:\n  - id: ''\n    provider: openai\n", "models.yaml:2: `id`: "),
        ("models:\n  - id: 7\n    provider: openai\n", "models.yaml:2: `id`: "),
        ('models:\n  - id: "a\\nb"\n    provider: openai\n', "models.yaml:2: `id` has unusual characters"),
        ("models:\n  - id: a\n    provider: nobody\n", "models.yaml:3: the provider `nobody` is unknown"),
        (
            "models:\n- {id: a, provider: openai}\n# b\n- {id: a, provider: google}\n",
            "models.yaml:4: the model `a` stands on line 2 already",
        ),
        ("models:\n  - id: [a\n", "models.yaml:3: is not YAML"),
        ("models: []\n---\nmodels: []\n", "models.yaml:2: a second document begins here"),
        ("a: b: c", "models.yaml:1: is not YAML"),
        ("\x00", "models.yaml:1: is not YAML"),
        ("models: !!python/object:os.system x", "models.yaml:1: `models` is not a list"),
        ("providers: [a]\n", "models.yaml:1: `providers` is not a mapping"),
        (
            "providers:\n  own:\n    api: openai\n",
            "models.yaml:2: the provider `own` needs `api` and `base_url`",
        ),
        (
            "providers:\n  own:\n    api: soap\n",
            "models.yaml:3: `api`: `soap` is not one of its values; use openai or",
        ),
        ("providers:\n  openai:\n    base_url: ftp://x\n", "models.yaml:3: `base_url` is not an http(s) URL"),
        ("providers:\n  openai:\n    base_url: https://u:p@x\n", "models.yaml:3: `base_url` is not"),
        ("providers:\n  openai:\n    base_url: https://x?key=1\n", "models.yaml:3: `base_url` is not"),
        ("providers:\n  openai:\n    api_key: sk\n", "models.yaml:3: the key is unknown: `api_key`"),
        ("providers:\n  openai:\n    api_key_env: sk-12\n", "models.yaml:3: `api_key_env`: "),
        ("providers:\n  Own:\n    api: openai\n", "models.yaml:2: a provider's name is wrong"),
    ],
)
def test_mistakes_in_the_file_are_told_with_their_line(text: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        parse(text)
    assert any(line.startswith(told) for line in error.value.lines)
    assert error.value.hint


def test_key_put_in_the_place_of_its_variable_is_not_shown() -> None:
    with pytest.raises(ConfigurationError) as error:
        parse("providers:\n  openai:\n    api_key_env: sk-verysecret\n")
    assert "verysecret" not in error.value.line


def test_file_that_is_not_utf_8_is_told_with_its_line() -> None:
    with pytest.raises(ConfigurationError, match=r"models\.yaml:2: is not UTF-8"):
        parse_models(b"models:\n\xff", "models.yaml")
    assert parse_models(b"\xef\xbb\xbfmodels: [{id: a, provider: openai}]", "m").models


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 50_000,
        "a: " + "x" * 300_000,
        "- " * 50_000,
        "a: &a [x]\n" + "\n".join(f"b{n}: &b{n} [*a, *a, *a]" for n in range(30_000)),
    ],
    ids=["lists", "mappings", "long", "dashes", "aliases"],
)
@pytest.mark.timeout(30)
def test_hostile_file_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse(text)


@pytest.mark.parametrize(
    "value", ["!!int ''", "!!int -", "!!float ''", "!!float x", "!!bool maybe", "!!bool ''"]
)
def test_a_tag_that_does_not_fit_its_text_is_told_with_its_line(value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^models\.yaml:1: is no (number|truth value)"):
        parse(f"models: [{{id: a, provider: openai, params: {{x: {value}}}}}]")


# Providers


def test_override_changes_only_what_it_says() -> None:
    override = "providers: {mindrouter: {base_url: 'http://localhost:8000/v1/'}}\n"
    text = override + "models: [{id: a, provider: mindrouter}]"
    provider = parse(text).providers["mindrouter"]
    assert provider == Provider(
        name="mindrouter", api="openai", base_url="http://localhost:8000", api_key_env="MINDROUTER_API_KEY"
    )


def test_further_provider_may_need_no_key() -> None:
    own = "providers: {ollama: {api: openai, base_url: 'http://localhost:11434'}}\n"
    text = own + "models: [{id: a, provider: ollama}]"
    endpoint = resolve_provider(parse(text).providers["ollama"], {})
    assert endpoint == Endpoint(base_url="http://localhost:11434", api_key=None)
    without = parse("providers: {openai: {api_key_env: null}}\nmodels: [{id: a, provider: openai}]")
    assert resolve_provider(without.providers["openai"], {}) == Endpoint("https://api.openai.com", None)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/${GITHUB_TOKEN}",
        "https://${GITHUB_TOKEN}.evil.example",
        "${MINDROUTER_BASE_URL}/${GITHUB_TOKEN}",
        "${MINDROUTER_BASE_URL}${GITHUB_TOKEN}",
        "${MINDROUTER_BASE_URL}@evil.example",
        "${MINDROUTER_BASE_URL}.evil.example",
        "https://evil.example/$GITHUB_TOKEN",
    ],
)
def test_no_variable_is_sent_to_a_server_that_the_file_names(url: str) -> None:
    text = f"providers:\n  own:\n    api: openai\n    base_url: {url}\nmodels: [{{id: a, provider: own}}]"
    with pytest.raises(ConfigurationError, match=r"^models\.yaml:4: `base_url` is not an http"):
        parse(text)


def test_what_a_variable_holds_is_asked_for_nothing_but_where_the_server_is() -> None:
    text = "providers: {own: {api: openai, base_url: '${SECRET}/v1'}}\nmodels: [{id: a, provider: own}]"
    provider = parse(text).providers["own"]
    answer = resolve_provider(provider, {"SECRET": "canary"})
    reason = "SECRET is not an http(s) URL such as https://host:8000: it says where own is"
    assert answer == NotConfigured(reason)
    assert resolve_provider(provider, {"SECRET": "https://host/a/v1/"}) == Endpoint("https://host/a", None)


@pytest.mark.parametrize(
    "name",
    [
        "GITHUB_TOKEN",
        "GH_TOKEN",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        "MINDROUTER_EVAL_WEBHOOK_TOKEN",
        "gh_token",
    ],
)
def test_secrets_that_are_no_models_keys_are_sent_nowhere(name: str) -> None:
    text = f"providers:\n  openai:\n    api_key_env: {name}\nmodels: [{{id: a, provider: openai}}]"
    with pytest.raises(ConfigurationError, match=r"^models\.yaml:3: `api_key_env` names a variable"):
        parse(text)


def test_all_that_is_wrong_is_named_at_once() -> None:
    text = """\
modles: 1
providers:
  own: {api: openai}
  other: {api: opnai, base_url: "https://host"}
models:
  - {id: a, provider: own, structured_output: json}
  - id: b c
    provider: mindruter
    params: {temperature: warm, model: x}
    concurrency: many
    tiemout: 3
  - {id: a, provider: own}
  - {provider: own}
"""
    with pytest.raises(ConfigurationError) as error:
        parse_models(text.encode(), "models.yaml")
    told = [line.removeprefix("models.yaml:").partition(";")[0] for line in error.value.lines]
    assert told == [
        "1: the key `modles` is unknown",
        "3: the provider `own` needs `api` and `base_url`",
        "4: `api`: `opnai` is not one of its values",
        "6: `structured_output`: `json` is not one of its values",
        "7: `id` has unusual characters",
        "8: the provider `mindruter` is unknown",
        "9: `temperature` is not a number",
        "9: `model` is not for `params`",
        "10: `concurrency`: it should be a whole number, and is text",
        "11: the key is unknown: `tiemout`",
        "12: the model `a` stands on line 6 already",
        "13: a key is missing: `id`",
    ]
