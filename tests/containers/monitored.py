"""A deployment with Prometheus on it, and what Prometheus says."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from tests.containers.certificates import write
from tests.containers.deployments import Deployment, deployed
from tests.containers.engine import free_ports
from tests.containers.images import Images
from tests.containers.waiting import until

OVERLAYS = ["docker/compose.monitoring.yaml", "tests/containers/compose.monitoring.yaml"]


@dataclass(frozen=True)
class Monitored:
    """A deployment, and where its Prometheus is asked."""

    up: Deployment
    port: int

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an expression, as they are now."""
        url = f"http://127.0.0.1:{self.port}/api/v1/query"
        answer = httpx.get(url, params={"query": expression}, trust_env=False, timeout=60)
        told = answer.json()
        assert told["status"] == "success", told
        result: list[dict[str, Any]] = told["data"]["result"]
        return result

    def firing(self, window: str | None = None) -> set[str]:
        """The alerts that fire now, or that fired at any time of a window."""
        alerts = 'ALERTS{alertstate="firing"}'
        expression = alerts if window is None else f"max_over_time({alerts}[{window}])"
        return {series["metric"]["alertname"] for series in self.query(expression)}

    def await_firing(self, alert: str, seconds: float = 60) -> None:
        """Wait until an alert fires."""
        until(lambda: alert in self.firing(), seconds=seconds, what=f"{alert} firing, beside {self.firing()}")


@contextmanager
def monitored(
    images: Images, root: Path, prometheus: str, rules: Path, folder: Path, **settings: str
) -> Iterator[Monitored]:
    """Bring one up with the rules and the configuration of a folder; `folder` is for the files it needs."""
    folder.chmod(0o755)
    write(folder / "grafana_password", secrets.token_hex(16).encode())
    ports = free_ports(2)
    chosen = {
        "PROMETHEUS_IMAGE": prometheus,
        "PROMETHEUS_PORT": str(ports[0]),
        "GRAFANA_PORT": str(ports[1]),
        "GRAFANA_PASSWORD": str(folder / "grafana_password"),
        "RULES": str(rules),
        **settings,
    }
    with deployed(images, root, settings=chosen, overlays=OVERLAYS) as up:
        made = Monitored(up, ports[0])
        until(lambda: _sees(made), seconds=120, what="Prometheus and its first figures of the service")
        yield made


def _sees(made: Monitored) -> bool:
    try:
        return bool(made.query("evalhook_build_info"))
    except httpx.TransportError:
        return False
