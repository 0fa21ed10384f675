"""A component and its library, named as people name them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalcli.commands.arguments import skill_of
from evalsim.testing import write_leaderboard

Evalcli = Callable[..., Any]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "library" / "components" / "memo"
    (folder / "evals" / "cases" / "one").mkdir(parents=True)
    (folder / "prompt.md").write_text("---\nname: memo\nversion: 1.0.0\n---\nAnswer.\n")
    return tmp_path / "library"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("memo", "memo"),
        ("components/memo", "memo"),
        ("./components/memo/", "memo"),
        ("/a/library/components/memo//", "memo"),
        ("memo@1.0.0", "memo@1.0.0"),
        ("components/memo/leaderboard.json", "components/memo/leaderboard.json"),
        ("runs/0190", "runs/0190"),
        ("components/memo@1.0.0", "memo@1.0.0"),
        ("components/memo@1.0.0/openai/gpt-oss-20b", "memo@1.0.0/openai/gpt-oss-20b"),
        ("components/memo/evals", "components/memo/evals"),
    ],
)
def test_a_components_folder_is_the_component(text: str, meant: str) -> None:
    assert skill_of(text) == meant


@pytest.mark.parametrize("skill", ["memo/", "components/memo/"])
def test_commands_take_the_folder(evalcli: Evalcli, library: Path, skill: str) -> None:
    found = json.loads(evalcli("check", skill, "--prompt-library", library, "--json").out)
    assert found["components"] == ["memo"]


def test_a_leaderboard_is_found_by_its_components_folder(
    evalcli: Evalcli, library: Path, make_record: Callable[..., Any]
) -> None:
    write_leaderboard(library / "components" / "memo" / "leaderboard.json", make_record())
    shown = evalcli("leaderboard", "show", "components/memo/", "--prompt-library", library)
    assert (shown.code, "memo" in shown.out) == (0, True)


def test_a_folder_inside_a_library_finds_it(
    evalcli: Evalcli, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = library / "components" / "memo" / "evals"
    assert json.loads(evalcli("list", "--prompt-library", inside, "--json").out)[0]["component"] == "memo"
    monkeypatch.chdir(inside)
    assert json.loads(evalcli("list", "--json").out)[0]["component"] == "memo"


def test_another_folder_is_not_a_prompt_library_by_any_command(evalcli: Evalcli, tmp_path: Path) -> None:
    for line in (
        ("evaluate", "memo"),
        ("check", "memo"),
        ("check",),
        ("list",),
        ("runs",),
        ("show", "memo"),
        ("report", "memo"),
        ("rescore", "memo"),
        ("compare", "memo"),
        ("leaderboard", "show"),
        ("leaderboard", "show", "memo"),
        ("leaderboard", "validate"),
        ("leaderboard", "resolve", "memo"),
        ("leaderboard", "rescore", "memo"),
        ("score", "explain", "memo"),
        ("score", "memo", "--case", "one", "-"),
        ("cases", "read", "memo"),
        ("dashboard", "--out", tmp_path / "site"),
    ):
        ended = evalcli(*line, "--prompt-library", tmp_path)
        assert ended.code == 2
        assert f"{tmp_path}: is not a prompt library: it has no components/; name one" in ended.err, line


def test_where_init_has_been_only_the_first_component_is_missing(evalcli: Evalcli, tmp_path: Path) -> None:
    assert evalcli("init", tmp_path).code == 0
    for line in (("list",), ("check",), ("evaluate", "memo"), ("leaderboard", "show"), ("show", "memo")):
        ended = evalcli(*line, "--prompt-library", tmp_path)
        hint = f"{tmp_path}: has no component in components/ yet; begin with components/NAME/prompt.md"
        assert (ended.code, hint in ended.err) == (2, True), line


def test_a_component_that_is_not_there_has_one_answer(
    evalcli: Evalcli, library: Path, make_record: Callable[..., Any]
) -> None:
    write_leaderboard(library / "components" / "memo" / "leaderboard.json", make_record())
    for line in (
        ("evaluate",),
        ("check",),
        ("runs",),
        ("compare",),
        ("score", "explain"),
        ("leaderboard", "show"),
        ("leaderboard", "resolve"),
        ("leaderboard", "rescore"),
    ):
        for name, hint in (
            ("nosuch", "`evalcli list` shows which there are"),
            ("mem", "did you mean `memo`?"),
        ):
            ended = evalcli(*line, name, "--prompt-library", library)
            said = f"components/{name}: there is no component `{name}`; {hint}"
            assert (ended.code, said in ended.err) == (2, True), (line, ended.err)


def test_a_command_that_is_not_there_is_answered_with_what_is_near(evalcli: Evalcli) -> None:
    ended = evalcli("evalute", "memo")
    assert (ended.code, "Did you mean 'evaluate'?" in ended.err) == (2, True)


def test_inside_its_folder_a_dot_is_the_component(
    evalcli: Evalcli, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(library / "components" / "memo")
    assert "1 component: " in evalcli("check", ".").out
    for line in (
        ("leaderboard", "show", "."),
        ("leaderboard", "resolve", "."),
        ("compare", "."),
        ("show", "."),
        ("report", "."),
        ("rescore", "."),
        ("score", "explain", "."),
        ("score", ".", "--case", "nosuch", "-"),
    ):
        assert "memo" in evalcli(*line).err, line
    monkeypatch.chdir(library)
    assert evalcli("check", ".").code == 2


def test_every_command_can_be_told_how_much_to_say(evalcli: Evalcli, library: Path) -> None:
    for line in (
        ["check"],
        ["list"],
        ["leaderboard", "show"],
        ["models", "list"],
        ["score", "explain", "memo"],
    ):
        for option in ("-q", "-v", "--quiet", "--verbose"):
            ended = evalcli(*line, option, "--prompt-library", library)
            assert "No such option" not in ended.err


def test_a_question_of_clicks_stays_a_question(evalcli: Evalcli) -> None:
    assert "Did you mean 'evaluate'? See `evalcli --help`" in evalcli("evalute", "memo").err
    assert (
        "'--replicates'? See `evalcli evaluate --help`" in evalcli("evaluate", "memo", "--replicats", 2).err
    )
