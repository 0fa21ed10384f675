"""`evalcli models list`: the models, and whether their keys are present; a key's value is never shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Evalcli = Callable[..., Any]
KEY = "sk-canary-9d2c"
FILE = """
providers:
  ours: {api: openai, base_url: "http://10.0.0.7:8000"}
models:
  - {id: local, provider: mindrouter}
  - {id: gpt, provider: openai}
  - {id: claude, provider: anthropic, structured_output: json_schema}
  - {id: free, provider: ours}
"""
UNSET = dict.fromkeys(
    ("MINDROUTER_BASE_URL", "MINDROUTER_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY")
)


@pytest.fixture
def models(evalcli: Evalcli, tmp_path: Path) -> Callable[..., Any]:
    path = tmp_path / "models.yaml"
    path.write_text(FILE)
    return lambda *options, **keys: evalcli("models", "list", "--models", path, *options, **UNSET | keys)


def usable(ended: Any) -> dict[str, bool]:
    return {item["id"]: item["usable"] for item in json.loads(ended.out)}


def test_all_models_are_listed_in_the_files_order(models) -> None:
    lines = models().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["local", "gpt", "claude", "free"]


def test_cloud_models_are_all_but_mindrouters(models) -> None:
    assert list(usable(models("--cloud", "--json"))) == ["gpt", "claude", "free"]


def test_a_model_is_usable_where_its_key_is_present_or_none_is_needed(models) -> None:
    found = usable(models("--json", OPENAI_API_KEY=KEY))
    assert found == {"local": False, "gpt": True, "claude": False, "free": True}


@pytest.mark.parametrize("value", ["", "  ", "two words", "tab\there", "schlüssel"])
def test_a_key_that_can_be_none_is_not_present(models, value: str) -> None:
    assert usable(models("--json", OPENAI_API_KEY=value))["gpt"] is False


def test_the_variable_that_is_unset_is_named(models) -> None:
    (gpt,) = [item for item in json.loads(models("--json").out) if item["id"] == "gpt"]
    assert "OPENAI_API_KEY is not set" in gpt["reason"]


@pytest.mark.parametrize("options", [(), ("--json",), ("--cloud",)])
def test_a_keys_value_is_never_shown(models, options: tuple[str, ...]) -> None:
    names = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "MINDROUTER_API_KEY")
    ended = models(*options, MINDROUTER_BASE_URL="http://gateway", **dict.fromkeys(names, KEY))
    assert ended.code == 0
    assert KEY not in ended.out + ended.err
    ended = models(*options, OPENAI_API_KEY=f"{KEY} and more")
    assert KEY not in ended.out + ended.err


def test_a_file_that_is_not_there_is_one_line(evalcli: Evalcli, tmp_path: Path) -> None:
    ended = evalcli("models", "list", "--models", tmp_path / "none.yaml")
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, "", 1)
