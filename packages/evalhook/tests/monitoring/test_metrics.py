"""What Prometheus reads: counted over a job, behind the token, enough for the alerts and the dashboard."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from evalcore.errors import ConfigurationError
from evalhook.monitoring.events import EventHub
from evalhook.monitoring.live import Live
from evalhook.monitoring.metrics import Metrics, serving_metrics


async def figures(client: httpx.AsyncClient) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels."""
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_a_job_is_counted(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        before = await figures(client)
        assert before["evalhook_jobs_total", "completed"] == 0
        assert before["evalhook_last_success_timestamp_seconds",] == 0
        world.router.gate = asyncio.Event()
        accepted = await client.post("/evaluate", json={"skill_name": "memo", "replicates": 2})
        await world.router.asked.wait()
        during = await figures(client)
        assert during["evalhook_slot_held",] == 1
        assert during["evalhook_calls_in_flight",] == 8
        assert during["evalhook_job_calls_planned",] == 8
        # A failure that is the first of its kind must be seen as a rise: there is a 0 before it.
        assert during["evalhook_calls_total", "alpha", "infrastructure_failure"] == 0
        assert during["evalhook_documents_total", "unreadable", "mindrouter"] == 0
        world.router.gate.set()
        await world.ended(client, accepted.json()["job_id"])
        after = await figures(client)
        assert after["evalhook_slot_held",] == 0
        assert after["evalhook_jobs_total", "completed"] == 1
        assert after["evalhook_calls_total", "alpha", "answered"] == 4
        assert after["evalhook_scored_calls_total", "beta", "ok"] == 4
        assert after["evalhook_call_latency_seconds_count", "alpha"] == 4
        assert after["evalhook_last_success_timestamp_seconds",] > 1.7e9
        assert after["evalhook_disk_free_bytes",] > 0

    world.story(tell)


def test_a_failure_is_counted_by_its_code(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.router.served_models = ()
        await world.evaluated(client)
        after = await figures(client)
        assert after["evalhook_jobs_total", "failed"] == 1
        assert after["evalhook_job_failures_total", "no_model_served"] == 1
        assert after["evalhook_runs_total", "alpha", "skipped"] == 1

    world.story(tell)


def test_the_last_success_is_known_after_a_restart(world) -> None:
    async def succeed(client: httpx.AsyncClient) -> None:
        await world.evaluated(client)

    async def look(client: httpx.AsyncClient) -> None:
        assert (await figures(client))["evalhook_last_success_timestamp_seconds",] > 1.7e9

    world.story(succeed)
    world.story(look)


def test_metrics_need_the_token(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        assert (await client.get("/metrics", headers={"Authorization": ""})).status_code == 401

    world.story(tell)


def test_paths_that_callers_make_up_make_no_series(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        await client.get("/jobs/made-up-by-a-caller")
        await client.get("/made-up-too")
        assert "made-up" not in (await client.get("/metrics")).text

    world.story(tell)


def test_every_figure_that_alerts_and_dashboard_name_is_there(world, project_root: Path) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        await world.evaluated(client)
        world.router.served_models = ()
        await world.evaluated(client)
        known.update(name for name, *_ in await figures(client))

    known: set[str] = set()
    world.story(tell)
    alerts = YAML(typ="safe").load(project_root / "docker/alerts.yml")
    rules = [rule for group in alerts["groups"] for rule in group["rules"]]
    assert all({"alert", "expr", "labels", "annotations"} <= rule.keys() for rule in rules)
    dashboard = json.loads((project_root / "docker/grafana-dashboard.json").read_bytes())
    expressions = [rule["expr"] for rule in rules] + list(_expressions(dashboard))
    named = {name for text in expressions for name in re.findall(r"\b(?:evalhook|process)_[a-z_]+", text)}
    assert len(named) > 12
    assert named - known == set()


def _expressions(value: Any) -> Any:
    if isinstance(value, dict):
        if "expr" in value:
            yield value["expr"]
        for item in value.values():
            yield from _expressions(item)
    elif isinstance(value, list):
        for item in value:
            yield from _expressions(item)


@pytest.fixture
def metrics(tmp_path: Path) -> Metrics:
    return Metrics(is_slot_held=lambda: False, live=Live(EventHub(), lambda: 0.0), state_dir=tmp_path)


@pytest.fixture
def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def test_a_second_address_needs_no_token_and_is_given_up_at_the_end(metrics: Metrics, free_port: int) -> None:
    url = f"http://127.0.0.1:{free_port}/metrics"
    with serving_metrics(metrics, ("127.0.0.1", free_port)):
        assert "evalhook_build_info" in httpx.get(url).text
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_an_address_that_is_taken_is_a_mistake_of_configuration(metrics: Metrics) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigurationError) as refused, serving_metrics(metrics, taken.getsockname()):
            pass
    assert "EVALHOOK_METRICS_BIND" in refused.value.line
