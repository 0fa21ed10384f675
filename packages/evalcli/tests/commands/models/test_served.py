"""`evalcli models served` against the simulated gateway and providers: what can be evaluated at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from evalsim.cloud import CloudConfig, CloudModel, SimulatedCloud
from evalsim.mindrouter import AnswerBook, SimConfig, SimModel, SimulatedMindRouter
from evalsim.serving import running

Evalcli = Callable[..., Any]
KEY = "sk-canary-1"
UNSET = dict.fromkeys(
    ("MINDROUTER_BASE_URL", "MINDROUTER_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY")
)
NAMES = ("openai", "anthropic", "google")


@pytest.fixture
def served(evalcli: Evalcli, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Run the command in a library whose providers are simulated; models.yaml has one model of OpenAI's."""
    with ExitStack() as stack:
        lines = ["providers:"]
        for kind in NAMES:
            models = (CloudModel(id=f"{kind}-b"), CloudModel(id=f"{kind}-a"))
            cloud = SimulatedCloud(kind, CloudConfig(models=models, keys=(KEY,)))
            lines.append(f"  {kind}: {{base_url: {stack.enter_context(running(cloud))}}}")
        path = tmp_path / "models.yaml"
        path.write_text("\n".join([*lines, "models:", "  - {id: openai-a, provider: openai}", ""]))

        def run(*options: str, **keys: str) -> Any:
            return evalcli("models", "served", "--models", path, *options, **UNSET | keys)

        yield run


@pytest.mark.parametrize("name", NAMES)
def test_what_a_provider_serves_is_listed_by_id_and_whether_the_file_has_it(served: Any, name: str) -> None:
    ended = served(name, "--json", **{f"{name.upper()}_API_KEY": KEY})
    assert ended.code == 0
    first, second = json.loads(ended.out)
    assert (first["model"], second["model"], first["provider"]) == (f"{name}-a", f"{name}-b", name)
    assert (first["in_models_yaml"], second["in_models_yaml"]) == (name == "openai", False)


def test_the_table_says_the_same_and_names_what_adds_a_model(served: Any) -> None:
    ended = served("openai", OPENAI_API_KEY=KEY)
    headings, first, second = ended.out.splitlines()
    assert headings.split()[:4] == ["model", "provider", "in", "models.yaml"]
    assert first.split()[:3] == ["openai-a", "openai", "yes"]
    assert second.split()[:3] == ["openai-b", "openai", "no"]
    assert "`evalcli models add ID --provider NAME`" in ended.err


def test_without_a_name_every_provider_with_a_key_is_asked(served: Any) -> None:
    ended = served("--json", OPENAI_API_KEY=KEY, GOOGLE_API_KEY=KEY)
    assert ended.code == 0
    assert {one["provider"] for one in json.loads(ended.out)} == {"google", "openai"}
    assert "ANTHROPIC" not in ended.err


def test_a_provider_that_was_asked_for_and_has_no_key_is_said(served: Any) -> None:
    ended = served("openai", "google", "--json", OPENAI_API_KEY=KEY)
    assert (ended.code, "GOOGLE_API_KEY is not set" in ended.err) == (1, True)
    assert len(json.loads(ended.out)) == 2
    assert served("google").code == 3


def test_without_any_key_it_is_3_and_json_is_an_empty_list(served: Any) -> None:
    ended = served("--json")
    assert (ended.code, json.loads(ended.out)) == (3, [])
    assert "no provider can be asked" in ended.err


def test_a_refused_key_is_one_line_and_hides_no_other_provider(served: Any) -> None:
    ended = served(OPENAI_API_KEY="sk-wrong-canary", GOOGLE_API_KEY=KEY)
    assert ended.code == 1
    assert "google-a" in ended.out
    assert "openai at http://" in ended.err
    assert "canary" not in ended.out + ended.err


def test_a_provider_that_nobody_knows_is_refused(served: Any) -> None:
    ended = served("opnai", OPENAI_API_KEY=KEY)
    assert (ended.code, "did you mean `openai`" in ended.err) == (2, True)


def test_a_library_without_a_file_of_models_is_told_what_could_be_in_it(
    evalcli: Evalcli, tmp_path: Path
) -> None:
    """It is asked for the first line of that file."""
    config = SimConfig(models=(SimModel(id="small"), SimModel(id="big")))
    with running(SimulatedMindRouter(config, AnswerBook({}))) as url:
        keys = UNSET | {"MINDROUTER_BASE_URL": url, "MINDROUTER_API_KEY": "mr2_key"}
        ended = evalcli("models", "served", "mindrouter", "--prompt-library", tmp_path, "--json", **keys)
    assert ended.code == 0, ended.err
    assert [(one["model"], one["in_models_yaml"]) for one in json.loads(ended.out)] == [
        ("big", False),
        ("small", False),
    ]
