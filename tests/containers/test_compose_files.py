"""docker/compose.yaml under each overlay, and each two that go together, as compose puts them together."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from tests.containers.engine import REQUIRED

WAYS_IN = ("own-certificate", "cloudflare", "tailscale")
"""Of these a machine has one at most."""
TUNNELS = ("cloudflare", "tailscale")
OVERLAYS = (*WAYS_IN, "closed", "monitoring")
ALONE = ("campaign",)
"""Brought up by itself, on whatever machine."""
SETS = [
    *((name,) for name in OVERLAYS),
    # In either order, since nobody should have to know the right one.
    *(
        order
        for pair in combinations(OVERLAYS, 2)
        if not set(pair) <= set(WAYS_IN)
        for order in (pair, pair[::-1])
    ),
]
REQUIRED_SETTINGS = {
    "EVALHOOK_DOMAIN": "evaluator.example.org",
    "MINDROUTER_BASE_URL": "https://mindrouter.example.org",
    "EVALHOOK_GITHUB_REPO": "owner/library",
    "CAMPAIGN_LIBRARIES": "/libraries",
}

Merged = Callable[[tuple[str, ...]], dict[str, Any]]


@pytest.fixture(scope="module")
def merged(project_root: Path) -> Merged:
    """What compose makes of the base and some overlays."""
    if shutil.which("docker") is None:
        if REQUIRED:
            pytest.fail("docker compose is required here (EVALUATOR_REQUIRE) and is not there")
        pytest.skip("needs docker compose")

    def merge(names: tuple[str, ...]) -> dict[str, Any]:
        base = [] if names == ALONE else ["docker/compose.yaml"]
        files = [*base, *(f"docker/compose.{name}.yaml" for name in names)]
        command = ["docker", "compose", *(part for file in files for part in ("--file", file))]
        # An .env of the folder is not looked at: what a person has there is not what is tested.
        command += ["--env-file", os.devnull, "config", "--format", "json"]
        environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **REQUIRED_SETTINGS}
        done = subprocess.run(
            command, cwd=project_root, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    return merge


def test_every_overlay_is_looked_at(project_root: Path) -> None:
    files = {file.name for file in (project_root / "docker").glob("compose.*.yaml")}
    assert files == {f"compose.{name}.yaml" for name in (*OVERLAYS, *ALONE, "demo")}


@pytest.mark.parametrize("names", [*SETS, ALONE], ids="+".join)
def test_compose_takes_the_files_and_every_service_is_confined(
    merged: Merged, names: tuple[str, ...]
) -> None:
    for name, service in merged(names)["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["restart"] == "unless-stopped", name
        assert service["pids_limit"], name
        assert service["mem_limit"], name
        assert service["cpus"], name


@pytest.mark.parametrize("names", SETS, ids="+".join)
def test_only_caddy_is_reached_from_outside_and_behind_a_tunnel_nothing_is(
    merged: Merged, names: tuple[str, ...]
) -> None:
    published = {
        (name, port["published"], port.get("host_ip"))
        for name, service in merged(names)["services"].items()
        for port in service.get("ports", ())
    }
    ways_in = set() if set(names) & set(TUNNELS) else {("caddy", "80", None), ("caddy", "443", None)}
    looked_at = {("prometheus", "9090", "127.0.0.1"), ("grafana", "3000", "127.0.0.1")}
    assert published == ways_in | (looked_at if "monitoring" in names else set())


@pytest.mark.parametrize("names", SETS, ids="+".join)
def test_the_service_has_a_way_out_exactly_where_it_is_not_closed(
    merged: Merged, names: tuple[str, ...]
) -> None:
    config = merged(names)
    has_way_out = [
        not config["networks"][network].get("internal", False)
        for network in config["services"]["hook"]["networks"]
    ]
    assert any(has_way_out) is ("closed" not in names)


@pytest.mark.parametrize("names", SETS, ids="+".join)
def test_nobody_is_handed_a_secret_that_is_not_his(merged: Merged, names: tuple[str, ...]) -> None:
    config = merged(names)
    services = config["services"]
    owners = {
        "cloudflared": {"tunnel_token"},
        "tailscale": {"tailscale_key"},
        "grafana": {"grafana_password"},
    }
    for name, service in services.items():
        assert {each["source"] for each in service.get("secrets", ())} == owners.get(name, set())
    (own,) = (each["source"] for each in services["hook"]["volumes"] if each["target"] == "/run/secrets")
    for secret in config.get("secrets", {}).values():
        assert not Path(secret["file"]).is_relative_to(own)


def test_a_campaigns_workers_reach_out_and_nobody_reaches_them_or_the_database(merged: Merged) -> None:
    config = merged(ALONE)
    services = config["services"]
    assert services["worker"]["scale"] == 3
    assert not any("ports" in service for service in services.values())
    assert set(services["database"]["networks"]) == {"database"}
    assert config["networks"]["database"]["internal"] is True
    assert set(services["worker"]["networks"]) == {"database", "default"}
    assert not config["networks"]["default"].get("internal", False)


def test_a_campaigns_secrets_are_files_of_whom_they_are_for(merged: Merged) -> None:
    services = merged(ALONE)["services"]
    database, worker = services["database"], services["worker"]
    assert database["environment"]["POSTGRES_PASSWORD_FILE"] == "/run/secrets/database_password"
    assert {each["source"] for each in database["secrets"]} == {"database_password"}
    assert "secrets" not in worker
    (own,) = (each for each in worker["volumes"] if each["target"] == "/run/secrets")
    assert own["read_only"] is True
    names = {*database["environment"], *worker["environment"]}
    assert not [name for name in names if name.endswith(("_KEY", "_TOKEN", "PASSWORD"))]
    assert worker["environment"]["PGPASSFILE"] == "/run/secrets/pgpass"
    assert ":" not in worker["environment"]["EVALCLI_CAMPAIGN_DATABASE"].partition("://")[2].partition("@")[0]


def test_the_funnel_leads_to_caddy_and_nowhere_else(project_root: Path, merged: Merged) -> None:
    serve = json.loads((project_root / "docker/tailscale/serve.json").read_bytes())
    site = "${TS_CERT_DOMAIN}:443"
    assert serve == {
        "TCP": {"443": {"HTTPS": True}},
        "Web": {site: {"Handlers": {"/": {"Proxy": "http://caddy:80"}}}},
        "AllowFunnel": {site: True},
    }
    assert "tunnel" in merged(("tailscale",))["services"]["caddy"]["networks"]


def test_grafana_finds_prometheus_and_the_dashboard(project_root: Path, merged: Merged) -> None:
    read = YAML(typ="safe").load
    (source,) = read(project_root / "docker/grafana/datasource.yml")["datasources"]
    assert (source["type"], source["url"], source["isDefault"]) == (
        "prometheus",
        "http://prometheus:9090",
        True,
    )
    (provider,) = read(project_root / "docker/grafana/dashboards.yml")["providers"]
    services = merged(("monitoring",))["services"]
    mounted = {each["target"] for each in services["grafana"]["volumes"]}
    assert f"{provider['options']['path']}/evaluator.json" in mounted
    assert set(services["grafana"]["networks"]) & set(services["prometheus"]["networks"])
