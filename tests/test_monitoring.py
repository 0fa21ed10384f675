"""The dashboard as Grafana describes one, and what holds between dashboard, alerts and the operator's page.

That every figure named is one that the service has is in packages/evalhook/tests/monitoring/test_metrics.py;
that every alert fires, in tests/containers/test_alerts.py.
"""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from ruamel.yaml import YAML

SCHEMA = Path(__file__).resolve().parent.parent / ".venv/descriptions/grafana-dashboard.schema.json"


@pytest.fixture
def dashboard(project_root: Path) -> dict[str, Any]:
    return dict(json.loads((project_root / "docker/grafana-dashboard.json").read_bytes()))


@pytest.fixture
def rules(project_root: Path) -> list[dict[str, Any]]:
    groups = YAML(typ="safe").load(project_root / "docker/alerts.yml")["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.fixture(scope="module")
def mistakes() -> Callable[[dict[str, Any]], list[str]]:
    """What Grafana's schema finds wrong with a dashboard."""
    if not SCHEMA.exists():
        if os.environ.get("EVALUATOR_REQUIRE") == "all":
            pytest.fail("Grafana's schema is required here: run .ci/fetch-descriptions .venv/descriptions")
        pytest.skip("needs Grafana's schema, which `make test` fetches where npm is there")
    validator = jsonschema_rs.validator_for(json.loads(SCHEMA.read_bytes()))
    return lambda value: [
        f"{list(error.instance_path)}: {error.message}" for error in validator.iter_errors(value)
    ]


def test_the_dashboard_is_as_grafana_describes_one(
    dashboard: dict[str, Any], mistakes: Callable[[dict[str, Any]], list[str]]
) -> None:
    assert mistakes(dashboard) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda panel: panel.pop("type"),
        lambda panel: panel.update(titel="Evaluation running"),
        lambda panel: panel["gridPos"].update(w="wide"),
        lambda panel: panel["fieldConfig"]["defaults"]["mappings"][0].update(type="vlue"),
    ],
)
def test_grafanas_schema_finds_a_mistake(
    dashboard: dict[str, Any],
    mistakes: Callable[[dict[str, Any]], list[str]],
    spoil: Callable[[dict[str, Any]], Any],
) -> None:
    spoiled = copy.deepcopy(dashboard)
    spoil(spoiled["panels"][0])
    assert mistakes(spoiled)


def test_panels_have_ids_of_their_own_and_do_not_cover_each_other(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [panel["gridPos"] for panel in panels]
    for place in places:
        assert place["x"] + place["w"] <= 24
    for one, other in combinations(places, 2):
        is_beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        is_below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert is_beside or is_below, (one, other)


def test_every_panel_asks_the_data_source_that_is_chosen_at_its_top(dashboard: dict[str, Any]) -> None:
    (variable,) = dashboard["templating"]["list"]
    assert (variable["type"], variable["query"]) == ("datasource", "prometheus")
    for panel in dashboard["panels"]:
        assert panel["datasource"] == {"type": "prometheus", "uid": f"${{{variable['name']}}}"}
        assert [target["refId"] for target in panel["targets"]] == list("ABC")[: len(panel["targets"])]


def test_every_alert_has_a_heading_that_says_what_to_do(
    project_root: Path, rules: list[dict[str, Any]]
) -> None:
    page = (project_root / "docs/operations.md").read_text()
    section = page.split("\n## Alerts\n")[1].split("\n## ")[0]
    told = re.findall(r"^### (\w+)$", section, re.MULTILINE)
    assert told == [rule["alert"] for rule in rules]
    for rule in rules:
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"


def test_every_alert_is_shown_firing_by_promtool(project_root: Path, rules: list[dict[str, Any]]) -> None:
    fired = set(_fired(project_root / "tests/alerts"))
    assert fired == {rule["alert"] for rule in rules}


def _fired(folder: Path) -> Iterator[str]:
    for file in folder.glob("*.yml"):
        for test in YAML(typ="safe").load(file)["tests"]:
            for each in test.get("alert_rule_test", []):
                if each.get("exp_alerts"):
                    yield each["alertname"]
            for each in test.get("promql_expr_test", []):
                for sample in each.get("exp_samples", []):
                    yield from re.findall(r'alertname="(\w+)", alertstate="firing"', sample["labels"])
