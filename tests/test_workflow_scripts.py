"""The scripts of the installed workflows with hostile inputs: none of their text is ever executed."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from evalsim.testing import StepRun, git, run_workflow_step, workflow_step, write_component

TEMPLATES = Path(__file__).parents[1] / "packages/evalcli/src/evalcli/workflows/templates"
HOSTILE = [
    "$(touch pwned)",
    "`touch pwned`",
    '"; touch pwned; "',
    "'; touch pwned; '",
    "x\ntouch pwned\n",
    "x\r\n::set-output name=a::b",
    "%0A::error::forged",
    "--help",
    "-opwned",
    "@pwned",
    "naïve-κόσμος-🙂",
    "a[$(touch pwned)]",
    "a" * 10_000,
]
hostile = pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))


@pytest.fixture(autouse=True)
def _programs() -> None:
    lacking = [name for name in ("bash", "curl", "jq") if shutil.which(name) is None]
    if lacking and os.environ.get("EVALUATOR_REQUIRE") != "all":
        pytest.skip(f"needs {', '.join(lacking)}")


def run(folder: Path, file: str, job: str, name: str = "", **expressions: str) -> StepRun:
    given = {
        "github.token": "ghs_0123456789",
        "github.event_name": "workflow_dispatch",
        "github.event.before": "0" * 40,
        "github.sha": "a" * 40,
        "inputs.skill_name": "",
        "inputs.replicates": "",
        "inputs.missing_models": "false",
        "inputs.since": "",
        "vars.EVAL_WEBHOOK_URL": "",
        "vars.EVAL_MAX_COST": "",
        "vars.EVAL_APP_ID": "",
        "vars.EVAL_TRUSTED_PUBLISHERS": "",
        "vars.EVAL_DASHBOARD_URL": "",
        "secrets.MINDROUTER_EVAL_WEBHOOK_TOKEN": "",
        "secrets.EVAL_CASE_NAMES_KEY": "",
        "secrets.EVAL_APP_PRIVATE_KEY": "",
        "needs.plan.outputs.skills": '["memo"]',
        "matrix.model.id": "m",
        **{
            f"matrix.model.provider == '{name}' && secrets.{name.upper()}_API_KEY || ''": ""
            for name in ("anthropic", "openai", "google")
        },
        **{key.replace("__", "."): value for key, value in expressions.items()},
    }
    environment = {"GITHUB_REPOSITORY": "acme/library", "GITHUB_API_URL": "http://127.0.0.1:1/api/v3"}
    step = workflow_step(TEMPLATES / file, job, name)
    return run_workflow_step(step, given, cwd=folder, environment=environment)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A job's folder with the prompt library checked out."""
    library = tmp_path / "library"
    git(tmp_path, "init", "-q", "--initial-branch=main", str(library))
    write_component(library, cases={"one": {}})
    (library / ".evaluator").mkdir()
    models(library, {"id": "far", "provider": "openai"})
    git(library, "add", "--all")
    git(library, "commit", "-q", "-m", "library")
    return tmp_path


def models(library: Path, *listed: dict[str, str]) -> None:
    (library / ".evaluator" / "models.yaml").write_text(json.dumps({"models": listed}))


def executed(folder: Path) -> list[Path]:
    return list(folder.rglob("pwned*"))


@hostile
def test_a_components_name_is_checked_before_it_is_used(checkout: Path, text: str) -> None:
    done = run(checkout, "evaluate-cloud.yml", "plan", "Find components and models", inputs__skill_name=text)
    assert done.code == 1
    assert done.commands == ["::error title=Wrong input::skill_name is not the name of a component."]
    assert (done.outputs, executed(checkout)) == ({}, [])


@hostile
def test_a_models_name_is_data(checkout: Path, text: str) -> None:
    models(checkout / "library", {"id": text, "provider": "openai"})
    planned = run(
        checkout, "evaluate-cloud.yml", "plan", "Find components and models", inputs__skill_name="memo"
    )
    if planned.code == 0:
        assert json.loads(planned.outputs["models"]) == [{"id": text, "provider": "openai"}]
    assert [line for line in planned.commands if "forged" in line or "set-output" in line] == []
    done = run(checkout, "evaluate-cloud.yml", "evaluate", "Evaluate", matrix__model__id=text)
    # The model has no key here, or its name is refused.
    assert [line.partition("::")[2].split("::")[0] for line in done.commands] in (
        ["notice title=Skipped"],
        ["error title=Not evaluated"],
    ), done.output
    assert executed(checkout) == []


@hostile
def test_a_number_or_a_time_that_is_none_is_refused(checkout: Path, text: str) -> None:
    done = run(checkout, "evaluate-cloud.yml", "evaluate", "Evaluate", inputs__replicates=text)
    assert (done.code, len(done.commands)) == (1, 1)
    swept = run(checkout, "sweep.yml", "sweep", inputs__since=text)
    assert swept.code == 2, swept.output
    assert swept.commands == ["::error title=No sweep::The log says why."]
    assert executed(checkout) == []


def test_nothing_to_publish_is_no_error(tmp_path: Path) -> None:
    done = run(tmp_path, "evaluate-cloud.yml", "publish", "Publish")
    assert (done.code, done.commands) == (0, ["::notice title=Nothing to publish::No model gave a run."])


def test_replies_are_handed_on_only_where_every_case_is_the_librarys_own(tmp_path: Path) -> None:
    """The condition is the script's own; evalcli is one that leaves runs of each kind."""
    tools = tmp_path / "tools"
    tools.mkdir()
    runs: dict[str, Any] = {
        "own": {"cases": [{"source": "library"}], "skipped_cases": [], "component": {"policy_where": None}},
        "data": {"cases": [{"source": "library"}, {"source": "data_sets"}], "skipped_cases": [],
                 "component": {"policy_where": None}},
        "skipped": {"cases": [{"source": "library"}], "component": {"policy_where": None},
                    "skipped_cases": [{"case": "x", "reason": "evaluation-data-sets/memo/x: is empty"}]},
        "policy": {"cases": [{"source": "library"}], "skipped_cases": [],
                   "component": {"policy_where": "evaluation-data-sets/memo/scoring.yaml"}},
    }  # fmt: skip
    for name, plan in runs.items():
        folder = tmp_path / "made" / name
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps(plan))
        (folder / "replies.jsonl").write_text("confidential\n")
    fake = tools / "evalcli"
    lines = (
        "#!/bin/bash",
        "while [[ $1 != --runs-dir ]]; do shift; done",
        'mkdir -p "$(dirname "$2")"',
        f'cp -r {tmp_path}/made "$2"',
        'touch "$2/case-names.key"',
        """echo '[{"run_id": "1"}]'""",
    )
    fake.write_text("\n".join(lines))
    fake.chmod(0o755)
    step = workflow_step(TEMPLATES / "evaluate-cloud.yml", "evaluate", "Evaluate")
    job = tmp_path / "job"
    job.mkdir()
    variables = {
        "MODEL": "m",
        "SKILLS": '["memo"]',
        "REPLICATES": "2",
        "PATH": f"{tools}:{os.environ['PATH']}",
    }
    done = run_workflow_step({"run": step["run"], "env": variables}, {}, cwd=job)
    assert done.code == 0, done.output
    handed = sorted(str(path.relative_to(job / "results")) for path in (job / "results").rglob("*.*"))
    assert handed == ["0/own/replies.jsonl", "0/own/run.json", "0/records.json"]
