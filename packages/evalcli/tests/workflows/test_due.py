"""What the sweep decides: which components lack results, and what was tried often enough."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from evalcli.workflows.due import (
    ComponentState,
    Contents,
    SeenRun,
    asked_lately,
    attempts,
    missing_models,
    not_served,
    running_job,
)
from evalcli.workflows.service import JobState
from evalsim.testing import COMMIT

NOW = datetime(2026, 1, 20, 9, tzinfo=UTC)
PROMPT = "a" * 64


def run(model="big", status="complete", version="1.1.0", **fields):
    values = {
        "job_id": "job-1",
        "origin": "vm",
        "prompt_sha256": PROMPT,
        "finished_at": "2026-01-05T09:00:00Z",
    }
    return SeenRun(model=model, status=status, component_version=version, **values | fields)


def state(*runs, version="1.1.0"):
    return ComponentState("memo", version, PROMPT, Contents(), runs)


def job(status="completed", slug="memo", models=(), **fields):
    result = {
        "pull_request_url": None,
        "branch": None,
        "models": [
            {"model": name, "status": ended, "accuracy": None, "reproducibility": None, "reason": None}
            for name, ended in models
        ],
    }
    values = {
        "job_id": "job-1", "skill_name": slug, "replicates": 10, "git_sha": None, "prompt_commit": COMMIT,
        "dataset_commit": None, "status": status, "created_at": "2026-01-19T09:00:00.000Z",
        "started_at": None, "finished_at": None, "progress": {"done": 0, "total": 0, "errors": 0},
        "result": result, "error": None,
    }  # fmt: skip
    return msgspec.convert(values | fields, JobState)


@pytest.mark.parametrize(
    ("runs", "version", "is_due"),
    [
        ([], "1.1.0", True),
        ([run()], "1.1.0", False),
        ([run(version="1.1.7")], "1.1.0", False),
        ([run(version="1.0.0")], "1.1.0", True),
        ([run(version="2.1.0")], "1.1.0", True),
        ([run(status="partial")], "1.1.0", True),
        ([run(version="one")], "1.1.0", True),
        ([], "one", False),
        ([], None, False),
    ],
)
def test_a_component_is_due_while_its_major_and_minor_has_no_complete_run(runs, version, is_due):
    assert state(*runs, version=version).is_due() is is_due


def test_the_models_that_have_a_complete_run_are_known():
    known = state(run("a"), run("b", version="1.1.2"), run("c", status="partial"), run("d", version="1.0.0"))
    assert known.complete_models() == {"a", "b"}
    assert missing_models(known, ["a", "c", "e"]) == ("c", "e")


def test_where_no_model_has_one_the_component_itself_is_due():
    assert missing_models(state(), ["a", "b"]) == ()


def test_a_job_failed_whose_runs_are_all_partial():
    runs = [run(status="partial"), run("b", status="partial", job_id="job-2"), run("c", job_id="job-2")]
    assert state(*runs).failed_jobs("local") == {"job-1"}


def test_what_ran_elsewhere_or_on_another_text_is_no_failure_of_this():
    runs = [
        run(status="partial", origin="actions"),
        run(status="partial", prompt_sha256="b" * 64, job_id="x"),
    ]
    assert state(*runs).failed_jobs("local") == frozenset()
    assert state(*runs).failed_jobs("cloud") == {"job-1"}


def test_attempts_are_jobs_that_failed_on_the_same_contents():
    jobs = [
        job("failed", job_id="a"),
        job("failed", job_id="b", prompt_commit="f" * 40),
        job("completed", job_id="c"),
        job("failed", slug="letter", job_id="d"),
    ]
    assert attempts(state(run(status="partial", job_id="e")), jobs, [COMMIT]) == {"a", "e"}
    assert attempts(state(), jobs, []) == frozenset()


def test_a_job_that_has_not_ended_is_found():
    jobs = [job("completed"), job("queued", slug="letter"), job("running", job_id="now")]
    assert running_job("memo", jobs).job_id == "now"
    assert running_job("letter", jobs).status == "queued"
    assert running_job("other", jobs) is None


def test_models_were_asked_for_lately_by_a_job_or_by_a_run():
    jobs = [
        job(models=[("a", "complete")]),
        job(models=[("old", "complete")], created_at="2026-01-01T09:00:00.000Z"),
        job(slug="letter", models=[("other", "complete")]),
    ]
    runs = [run("b", status="partial", finished_at="2026-01-19T09:00:00Z"), run("long ago")]
    assert asked_lately(state(*runs), jobs, NOW) == {"a", "b"}


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-19T09:00:00"])
def test_a_time_that_cannot_be_read_is_not_lately(text):
    assert state(run(finished_at=text)).asked_since(NOW) == frozenset()


def test_what_the_newest_job_left_out_is_not_served():
    jobs = [
        job(models=[("a", "skipped"), ("b", "complete")]),
        job(models=[("b", "skipped"), ("c", "skipped")]),
        job(slug="letter", models=[("d", "skipped")]),
    ]
    assert not_served("memo", jobs) == {"a", "c"}
    assert not_served("memo", []) == frozenset()
