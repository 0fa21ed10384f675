"""`evalcli models check` against the simulated providers: what is asked, what is said, and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from evalsim.cloud import CloudConfig, CloudModel, SimulatedCloud
from evalsim.serving import running
from evalsim.testing import write_component

Evalcli = Callable[..., Any]
KEYS = {"OPENAI_API_KEY": "sk-canary-1", "ANTHROPIC_API_KEY": "sk-canary-2"}
UNSET = dict.fromkeys((*KEYS, "GOOGLE_API_KEY", "MINDROUTER_BASE_URL", "MINDROUTER_API_KEY"))
OPEN = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 3}}}


class World:
    """A library whose models are of two simulated providers."""

    def __init__(self, folder: Path, evalcli: Evalcli, stack: ExitStack) -> None:
        self.folder, self._evalcli, self._stack = folder, evalcli, stack
        self.clouds: dict[str, SimulatedCloud] = {}
        self._providers: list[str] = []
        self._models: list[str] = []
        write_component(folder, schema=OPEN, cases={"one": {"a": 3}})

    def add(self, kind: Any, *, model: str = "", fields: str = "") -> None:
        """Add a model of a provider, which serves one of its own name alone."""
        if kind not in self.clouds:
            served = (CloudModel(id=f"m-{kind}"),)
            self.clouds[kind] = SimulatedCloud(kind, CloudConfig(models=served, keys=tuple(KEYS.values())))
            url = self._stack.enter_context(running(self.clouds[kind]))
            self._providers.append(f"  {kind}: {{base_url: {url}}}")
        self._models.append(f"  - {{id: {model or f'm-{kind}'}, provider: {kind}{fields}}}")

    def check(self, *options: str, **environment: str | None) -> Any:
        path = self.folder / "models.yaml"
        path.write_text("\n".join(["providers:", *self._providers, "models:", *self._models, ""]))
        line = ("models", "check", "--models", path, "--prompt-library", self.folder, *options)
        return self._evalcli(*line, **UNSET | KEYS | environment)

    def calls(self, kind: str) -> list[dict[str, Any]]:
        """The bodies of the calls that a provider has seen."""
        return [json.loads(seen.body) for seen in self.clouds[kind].seen if seen.body]


@pytest.fixture
def world(tmp_path: Path, evalcli: Evalcli):
    with ExitStack() as stack:
        yield World(tmp_path, evalcli, stack)


def test_json_says_what_the_table_says(world: World) -> None:
    world.add("openai")
    world.add("openai", model="absent")
    ended = world.check("--json")
    first, absent = json.loads(ended.out)
    assert (ended.code, first["model"], first["served"], first["note"]) == (1, "m-openai", True, None)
    assert (absent["served"], "it serves m-openai" in absent["note"]) == (False, True)


def test_each_cloud_model_is_called_once_for_one_token(world: World) -> None:
    world.add("openai")
    world.add("anthropic", fields=", params: {max_tokens: 5000}")
    ended = world.check()
    assert (ended.code, ended.err) == (0, "")
    (openai,), (anthropic,) = world.calls("openai"), world.calls("anthropic")
    assert (openai["max_completion_tokens"], anthropic["max_tokens"]) == (1, 1)
    rows = [line.split()[:5] for line in ended.out.splitlines()[1:]]
    assert rows == [
        ["m-openai", "openai", "yes", "ok", "yes"],
        ["m-anthropic", "anthropic", "yes", "ok", "yes"],
    ]


def test_a_model_that_is_not_served_is_not_called(world: World) -> None:
    world.add("openai", model="other")
    ended = world.check()
    assert ended.code == 1
    assert world.calls("openai") == []


def test_a_parameter_that_is_refused_is_said_before_an_evaluation_pays_for_it(world: World) -> None:
    world.add("openai", fields=", params: {made_up: 1}")
    ended = world.check()
    assert ended.code == 1
    assert "made_up" in " ".join(ended.out.split())


def test_a_refused_key_is_said_and_no_call_made(world: World) -> None:
    world.add("openai")
    ended = world.check(OPENAI_API_KEY="sk-wrong-canary")
    assert (ended.code, "refused" in ended.out) == (1, True)
    assert world.calls("openai") == []
    assert "canary" not in ended.out + ended.err


def test_a_provider_without_a_key_is_no_failure_of_the_others(world: World) -> None:
    world.add("openai")
    world.add("anthropic")
    ended = world.check(ANTHROPIC_API_KEY=None)
    assert ended.code == 0
    assert not world.clouds["anthropic"].seen


def test_without_any_key_nothing_is_asked_and_it_is_3(world: World) -> None:
    world.add("openai")
    ended = world.check(OPENAI_API_KEY=None)
    assert (ended.code, "OPENAI_API_KEY is not set" in ended.err) == (3, True)
    assert not world.clouds["openai"].seen


def test_with_a_component_its_schema_is_asked_for_and_what_is_changed_is_said(world: World) -> None:
    world.add("openai", fields=", structured_output: json_schema")
    ended = world.check("--skill", "memo")
    assert ended.code == 0
    (call,) = world.calls("openai")
    schema = call["response_format"]["json_schema"]["schema"]
    assert (schema["additionalProperties"], schema["required"]) == (False, ["a"])
    assert "additionalProperties" in "".join(ended.out.split())


def test_without_a_component_no_schema_is_asked_for(world: World) -> None:
    world.add("openai", fields=", structured_output: json_schema")
    assert world.check().code == 0
    (call,) = world.calls("openai")
    assert "response_format" not in call


def test_a_schema_that_a_provider_cannot_take_is_said_without_a_call(world: World) -> None:
    write_component(world.folder, schema={"type": "object", "properties": {"a": {}}}, cases={"one": {"a": 3}})
    world.add("openai", fields=", structured_output: json_schema")
    ended = world.check("--skill", "memo")
    assert ended.code == 1
    assert world.calls("openai") == []


def test_a_component_that_is_not_there_is_one_line_and_nothing_is_asked(world: World) -> None:
    world.add("openai")
    ended = world.check("--skill", "nothing")
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert not world.clouds["openai"].seen


def test_a_provider_that_is_not_there_is_said_with_its_host(world: World) -> None:
    world.add("openai")
    world._providers[0] = "  openai: {base_url: 'http://127.0.0.1:9'}"
    ended = world.check()
    assert ended.code == 1
    assert "127.0.0.1:9" in "".join(ended.out.split())
