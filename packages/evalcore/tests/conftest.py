"""A run's plan and replies, for the tests of what is kept and scored."""

import pytest

from evalcore.clients.reply import Reply, Usage
from evalcore.library.component import Case, Component
from evalcore.library.models import Model, Provider
from evalcore.runs.plan import RunPlan, Server

SHA = "0" * 64
COMPONENT = Component(
    slug="c",
    name="c",
    version="1.0.0",
    category=None,
    prompt="Answer.",
    prompt_sha256=SHA,
    output="json",
    schema={"type": "object"},
    schema_sha256=SHA,
    policy=None,
    policy_where=None,
    policy_sha256=None,
)
PLAN_OF_RUN = RunPlan(
    run_id="01900000-0000-7000-8000-000000000000",
    job_id="job",
    origin="local",
    component=COMPONENT,
    cases=tuple(Case(name, "in", "{}", SHA) for name in ("a", "b")),
    skipped_cases=(),
    model=Model("m", "mindrouter", params={"seed": 3}),
    provider=Provider("mindrouter", "openai", "${MINDROUTER_BASE_URL}", "MINDROUTER_API_KEY"),
    server=Server(),
    replicates=2,
    prompt_commit=None,
    dataset_commit=None,
)


def _reply(case="a", replicate=0, text="{}", error=None):
    return Reply(
        case=case,
        replicate=replicate,
        request_id=f"{case}-{replicate}",
        request_sha256=SHA,
        text=text,
        finish_reason="stop",
        usage=Usage(1, 2),
        started_at="2026-01-01T00:00:00.000Z",
        finished_at="2026-01-01T00:00:01.000Z",
        latency_ms=1000.0,
        attempts=1,
        error=error,
    )


@pytest.fixture
def run_plan():
    """A run of two cases and two replicates."""
    return PLAN_OF_RUN


@pytest.fixture
def make_reply():
    """Make a reply to one of its calls."""
    return _reply
