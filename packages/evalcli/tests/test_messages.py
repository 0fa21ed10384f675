"""What a wrong line is answered with: the cause as it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalsim.testing import git, write_component

Evalcli = Callable[..., Any]
MODELS = "models:\n  - {id: alpha, provider: mindrouter}\n"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    root = tmp_path / "library"
    write_component(root, schema={"type": "object"}, cases={"one": {"amount": 1}})
    (root / ".evaluator").mkdir()
    (root / ".evaluator" / "models.yaml").write_text(MODELS)
    return root


def _dry_run(evalcli: Evalcli, library: Path, **environment: str) -> Any:
    key = {"MINDROUTER_API_KEY": "k" * 40, "MINDROUTER_BASE_URL": "https://gateway.invalid"}
    return evalcli("evaluate", "memo", "--dry-run", "--prompt-library", library, **key | environment)


def test_an_address_that_is_none_is_named_by_its_variable(evalcli: Evalcli, library: Path) -> None:
    environment = {"MINDROUTER_BASE_URL": "localhost", "MINDROUTER_API_KEY": "k" * 40}
    ended = evalcli("models", "check", "--prompt-library", library, **environment)
    assert ended.code == 3
    assert "MINDROUTER_BASE_URL is not an http(s) URL such as https://host:8000" in ended.err
    assert "key" not in ended.err


def test_a_server_that_cannot_be_reached_is_named_by_its_address(evalcli: Evalcli, library: Path) -> None:
    environment = {"MINDROUTER_BASE_URL": "http://127.0.0.1:9", "MINDROUTER_API_KEY": "k" * 40}
    ended = evalcli("models", "check", "--prompt-library", library, **environment)
    assert "mindrouter at http://127.0.0.1:9: no connection" in ended.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--timeout", "-1"], "'--timeout'"),
        (["--concurrency", "0"], "the model to be added: `concurrency`"),
        (["--price-input", "-1", "--price-output", "1"], "'--price-input'"),
        (["--param", "seed=x"], "the model to be added: `seed` is not a whole number"),
        (["--structured-output", "jsn"], "'none', 'json_object', 'json_schema'"),
    ],
)
def test_an_option_of_models_add_is_named_not_a_line_of_the_file(
    evalcli: Evalcli, library: Path, options: list[str], said: str
) -> None:
    line = ("models", "add", "beta", "--provider", "mindrouter", "--prompt-library", library)
    ended = evalcli(*line, *options)
    assert ended.code == 2
    assert said in ended.err
    assert "models.yaml:" not in ended.err
    assert (library / ".evaluator" / "models.yaml").read_text() == MODELS


def test_a_name_with_a_space_is_no_models(evalcli: Evalcli, library: Path) -> None:
    line = ("models", "add", "x y", "--provider", "mindrouter", "--prompt-library", library)
    ended = evalcli(*line)
    assert ended.code == 2
    assert "`id` has unusual characters" in ended.err


def test_a_word_that_is_none_of_those_allowed_comes_with_them(evalcli: Evalcli, library: Path) -> None:
    entry = "models:\n  - {id: alpha, provider: mindrouter, structured_output: jsn}\n"
    (library / ".evaluator" / "models.yaml").write_text(entry)
    ended = _dry_run(evalcli, library)
    assert ended.code == 2
    assert "models.yaml:2: `structured_output`" in ended.err
    assert "use none or json_object or json_schema" in ended.err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["compare"], "there is nothing to compare; name a SKILL"),
        (["compare", "memo"], "components/memo: it has no runs yet; `evalcli evaluate memo` makes some"),
        (["compare", "absent"], "there is no component `absent`"),
        (["leaderboard", "validate", "memo"], "components/memo: it has no runs yet"),
        (["leaderboard", "show", "some.json"], "some.json: there is no such file"),
    ],
)
def test_what_is_missing_is_said(
    evalcli: Evalcli, library: Path, line: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(library)
    ended = evalcli(*line)
    assert ended.code == 2
    assert said in ended.err


def test_the_table_of_cases_gives_a_reason_without_the_folder_that_the_case_names(
    evalcli: Evalcli, library: Path
) -> None:
    case = library / "components/memo/evals/cases/later"
    case.mkdir()
    (case / "expected.json").write_text("{}")
    row = next(line for line in _dry_run(evalcli, library).out.splitlines() if line.startswith("later"))
    assert row.split(maxsplit=2)[:2] == ["later", "skipped"]
    assert row.split(maxsplit=2)[2].startswith("has no input")


def test_a_look_is_not_told_that_it_cannot_be_published(evalcli: Evalcli, library: Path) -> None:
    ended = evalcli("evaluate", "memo", "--prompt-library", library, "--dry-run", "--scratch")
    assert "prompt_commit" not in ended.err


def test_one_case_that_cannot_be_used_is_one(evalcli: Evalcli, library: Path) -> None:
    (library / "components/memo/evals/cases/one/expected.json").unlink()
    assert "its one case cannot be used" in _dry_run(evalcli, library).err


def test_a_library_outside_git_is_warned_of_as_a_changed_file_is(evalcli: Evalcli, library: Path) -> None:
    assert (
        "is at no commit of a git repository, so prompt_commit is null and the runs cannot be published"
        in (_dry_run(evalcli, library).err)
    )
    git(library, "init", "--quiet")
    git(library, "add", "--all")
    git(library, "commit", "--quiet", "-m", "all")
    assert "prompt_commit" not in _dry_run(evalcli, library).err
    prompt = library / "components" / "memo" / "prompt.md"
    prompt.write_text(f"{prompt.read_text()}\nBe brief.\n")
    assert (
        "prompt.md differs from the commit, so prompt_commit is null and the runs cannot be published; commit"
        in _dry_run(evalcli, library).err
    )
