"""`evalhook check`: one line for each setting and dependency, with what to do, and never a secret."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec import structs

from evalcore.github.permissions import PERMISSIONS
from evalhook.commands.check import run_checks
from evalhook.main import cli
from evalhook.storage.state_version import FILE, mark_state
from evalsim.github import SimulatedGitHub
from evalsim.library import as_git, write_sample_library
from evalsim.mindrouter import SimulatedMindRouter, default_config
from evalsim.serving import running
from evalsim.testing import git

Environment = Callable[..., dict[str, str]]
KEY = "mr2_key-for-tests"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A clone of a sample library, at the place that the settings name."""
    write_sample_library(tmp_path / "remote")
    as_git(tmp_path / "remote")
    git(tmp_path, "clone", "--quiet", f"file://{tmp_path}/remote", "library")
    return tmp_path / "library"


def by_name(environment: dict[str, str]) -> dict[str, tuple[bool, str]]:
    return {line.text[6:].split(":")[0]: (line.is_fine, line.text) for line in run_checks(environment)}


def test_everything_right_is_ok_line_by_line(environment: Environment, library: Path) -> None:
    simulated = SimulatedMindRouter(structs.replace(default_config(), keys=(KEY,)))
    with running(simulated) as url:
        lines = by_name(environment(MINDROUTER_BASE_URL=url))
    assert all(is_fine for is_fine, _ in lines.values()), lines
    assert "local models" in lines["models.yaml"][1]
    assert "takes the key" in lines["MindRouter"][1]
    assert str(library) in lines["prompt library"][1]


def test_too_little_room_for_a_job_fails_the_state_directory(environment: Environment) -> None:
    is_fine, text = by_name(environment(EVALHOOK_MIN_FREE_GB="1000000"))["state directory"]
    assert not is_fine
    assert "1000000.0 are needed" in text


def test_a_state_directory_that_cannot_be_made_fails(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    state = str(tmp_path / "taken" / "state")
    is_fine, text = by_name(environment(EVALHOOK_STATE_DIR=state))["state directory"]
    assert not is_fine
    assert "cannot be made" in text


def test_the_version_of_the_state_is_shown_and_a_newer_one_fails(
    environment: Environment, tmp_path: Path
) -> None:
    state = tmp_path / "versioned"
    state.mkdir()
    settings = environment(EVALHOOK_STATE_DIR=str(state))
    assert "state of version" not in by_name(settings)["state directory"][1]
    mark_state(state)
    assert "state of version 1" in by_name(settings)["state directory"][1]
    (state / FILE).write_text("7\n")
    is_fine, text = by_name(settings)["state directory"]
    assert not is_fine
    assert "of version 7, written by a newer service" in text
    assert [path.name for path in state.iterdir()] == [FILE]


def test_an_absent_mindrouter_fails_its_own_line_only(environment: Environment, library: Path) -> None:
    lines = by_name(environment(MINDROUTER_BASE_URL="http://127.0.0.1:9"))
    assert [name for name, (is_fine, _) in lines.items() if not is_fine] == ["MindRouter"]
    assert library.is_dir()


def test_a_clone_that_is_not_there_fails_with_what_to_do(environment: Environment) -> None:
    is_fine, text = by_name(environment())["prompt library"]
    assert not is_fine
    assert "EVALHOOK_PROMPT_LIBRARY_URL" in text


def test_a_clone_that_is_just_being_made_is_no_wrong_branch(environment: Environment, tmp_path: Path) -> None:
    write_sample_library(tmp_path / "remote")
    as_git(tmp_path / "remote")
    url = f"file://{tmp_path}/remote"
    (tmp_path / "library").mkdir()
    git(tmp_path / "library", "init", "--quiet", "--initial-branch=main")
    git(tmp_path / "library", "remote", "add", "origin", url)
    lines = by_name(environment(EVALHOOK_PROMPT_LIBRARY_URL=url))
    assert lines["prompt library"][0]
    assert "its first clone is not done yet" in lines["prompt library"][1]
    assert lines["models.yaml"] == (True, "ok    models.yaml: is read once the prompt library is cloned")


def test_a_clone_whose_folder_is_empty_is_yet_to_be_made(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    lines = by_name(environment(EVALHOOK_PROMPT_LIBRARY_URL=f"file://{tmp_path}/remote"))
    assert lines["prompt library"][0]
    assert "is not there yet" in lines["prompt library"][1]
    assert lines["models.yaml"][0]


def test_wrong_settings_each_have_their_line_and_nothing_else_is_tried(environment: Environment) -> None:
    lines = by_name(environment(EVALHOOK_BIND="x", EVALHOOK_CONCURRENCY="y"))
    failed = {name for name, (is_fine, _) in lines.items() if not is_fine}
    assert failed == {"EVALHOOK_BIND", "EVALHOOK_CONCURRENCY"}
    assert "MindRouter" not in lines


def test_no_secret_is_printed(environment: Environment) -> None:
    chosen = environment(GITHUB_TOKEN="ghp_never-to-be-seen")
    printed = "\n".join(line.text for line in run_checks(chosen))
    for name in ("GITHUB_TOKEN", "MINDROUTER_API_KEY", "MINDROUTER_EVAL_WEBHOOK_TOKEN"):
        assert f"{name}: set" in printed
        assert chosen[name] not in printed


def test_the_command_exits_2_when_anything_fails(environment: Environment) -> None:
    result = CliRunner().invoke(cli, ["check"], env=environment(EVALHOOK_BIND="x"))
    assert result.exit_code == 2
    assert "fail  EVALHOOK_BIND: is not host:port" in result.output


@pytest.mark.parametrize(
    ("missing", "is_fine", "said"),
    [
        ([], True, "its default branch is main"),
        (["issues"], True, "the App lacks Issues write (the issue of a component that fails)"),
        (["contents"], False, "the App lacks Contents write"),
    ],
)
def test_what_an_app_may_not_do_is_told(
    environment: Environment,
    tmp_path: Path,
    app_key: tuple[str, str],
    missing: list[str],
    said: str,
    *,
    is_fine: bool,
) -> None:
    private, public = app_key
    simulated = SimulatedGitHub(tmp_path / "github")
    simulated.state.add_repository("acme/library")
    granted = {each.name: each.level for each in PERMISSIONS if each.name not in missing}
    simulated.state.add_app("77", public, granted)
    with running(simulated) as url:
        lines = by_name(
            environment(
                EVALHOOK_COMMIT_BACK="pr",
                EVALHOOK_GITHUB_REPO="acme/library",
                EVALHOOK_GITHUB_API_URL=f"{url}/api/v3",
                EVALHOOK_GITHUB_APP_ID="77",
                EVALHOOK_GITHUB_APP_PRIVATE_KEY=private,
                GITHUB_TOKEN="",
            )
        )
    assert (lines["GitHub"][0], said in lines["GitHub"][1]) == (is_fine, True), lines["GitHub"]
    assert private.split("\n")[1] not in "".join(text for _, text in lines.values())
