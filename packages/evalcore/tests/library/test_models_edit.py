"""Adding a model to a models.yaml that people have written."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from evalcore.errors import ConfigurationError
from evalcore.library.models import Model, Price
from evalcore.library.models_edit import add_model, remove_model
from evalcore.library.models_file import parse_models

NEW = Model(
    id="new/model",
    provider="mindrouter",
    structured_output="json_schema",
    params={"temperature": 0.1, "stop": ["b\n"]},
    concurrency=2,
    stream=True,
    timeout=60.5,
    price=Price(input=0.5, output=1.0),
)


def added_lines(before: str, after: str) -> list[str]:
    changes = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    assert not [line for line in changes if line.startswith("- ")]
    return [line[2:] for line in changes if line.startswith("+ ")]


def test_example_keeps_every_line_and_gains_an_entry(project_root: Path) -> None:
    before = (project_root / ".evaluator/models.yaml").read_text()
    after = add_model(before, NEW)
    assert added_lines(before, after) == [
        "",
        "  - id: new/model",
        "    provider: mindrouter",
        "    structured_output: json_schema",
        "    concurrency: 2",
        "    timeout: 60.5",
        '    params: {temperature: 0.1, stop: ["b\\n"]}',
        "    price: {input: 0.5, output: 1.0}",
    ]
    models = parse_models(after.encode(), "m").models
    assert models == (*parse_models(before.encode(), "m").models, NEW)


def test_only_what_differs_from_the_defaults_is_written() -> None:
    before = "models:\n- id: a\n  provider: openai\n"
    after = add_model(before, Model(id="b", provider="mindrouter", stream=True, concurrency=4))
    assert added_lines(before, after) == ["- id: b", "  provider: mindrouter"]
    others = Model(id="b", provider="mindrouter", stream=False, concurrency=8, idle_timeout=60.0)
    told = ["  concurrency: 8", "  idle_timeout: 60.0", "  stream: false"]
    assert added_lines(before, add_model(before, others))[2:] == told


def test_what_follows_the_list_stays_below_it() -> None:
    before = "models:\n    - id: a   # first\n      provider: openai\n\n# the end\nproviders: {}\n"
    after = add_model(before, Model(id="b", provider="openai"))
    assert after == before.replace("openai\n\n", "openai\n    - id: b\n      provider: openai\n\n")


@pytest.mark.parametrize(
    "before",
    [
        "",
        "# a comment\n",
        "models: []\n",
        "models:\n",
        "models: []  # none yet\nproviders: {}\n",
        "providers: {}",
        "models:",
    ],
)
def test_list_is_begun_where_there_is_none(before: str) -> None:
    after = add_model(before, NEW)
    assert parse_models(after.encode(), "m").models == (NEW,)
    for comment in ("a comment", "none yet"):
        assert (comment in after) == (comment in before)


def test_file_without_a_last_line_end_is_added_to() -> None:
    after = add_model("models:\n- {id: a, provider: openai}", NEW)
    assert [model.id for model in parse_models(after.encode(), "m").models] == ["a", "new/model"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("models:\n- id: new/model\n  provider: openai\n", "x.yaml: the model `new/model` is there already"),
        ("models: [{id: a, provider: openai}]\n", "x.yaml: its list cannot be added to"),
        ("models:\n- id: a\n", "x.yaml:2: a key is missing"),
        ("models: [", "x.yaml:1: is not YAML"),
        ("- a\n", "x.yaml:1: "),
        ("other: 1\n", "x.yaml:1: the key `other` is unknown"),
    ],
)
def test_what_cannot_be_added_to_is_told(text: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        add_model(text, NEW, "x.yaml")
    assert error.value.line.startswith(told)


def test_model_of_an_unknown_provider_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="the provider `nobody` is unknown"):
        add_model("models:\n- {id: a, provider: openai}\n", Model(id="b", provider="nobody"))


THREE = """\
# Ours.
models:
  # The cheap one.
  - id: a
    provider: openai
    params:
      temperature: 0

  - {id: b, provider: openai}  # by hand

  - id: c
    provider: google
# The end.
"""


@pytest.mark.parametrize(
    ("removed", "gone"),
    [
        ("a", ["  - id: a", "    provider: openai", "    params:", "      temperature: 0"]),
        ("b", ["  - {id: b, provider: openai}  # by hand", ""]),
        ("c", ["  - id: c", "    provider: google"]),
    ],
)
def test_a_removed_model_takes_its_own_lines_and_no_others(removed: str, gone: list[str]) -> None:
    changes = list(difflib.ndiff(THREE.splitlines(), remove_model(THREE, removed).splitlines()))
    assert [line[2:] for line in changes if line.startswith("- ")] == gone
    assert not [line for line in changes if line.startswith("+ ")]


def test_an_added_model_is_removed_without_a_trace(project_root: Path) -> None:
    before = (project_root / ".evaluator/models.yaml").read_text()
    assert remove_model(add_model(before, NEW), NEW.id) == before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (THREE, "did you mean `openai/a`?|there is no model 'aa'"),
        ("models: [{id: aa, provider: openai}, {id: b, provider: openai}]\n", "remove the model by hand"),
        ("models:\n  - {id: aa, provider: openai}\n", "aa is its only model"),
        ("models: 7\n", "models.yaml:1"),
    ],
)
def test_what_cannot_be_removed_is_told(text: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        remove_model(text, "aa")
