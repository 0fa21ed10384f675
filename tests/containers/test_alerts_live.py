"""compose.monitoring.yaml: a real Prometheus on the real service.

No alert fires while jobs run as they should; each cause that can be brought about in seconds makes its own
fire. The rules are docker/alerts.yml with a second for every minute of `for`. What needs days, gigabytes of
memory or documents (BY_PROMTOOL_ALONE) is shown by promtool alone, in test_alerts.py.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.containers.images import Images
from tests.containers.monitored import Monitored, monitored
from tests.containers.operating import await_health, execute, finished, kill, start
from tests.containers.outside import ask_github, ask_mindrouter, started
from tests.containers.waiting import until

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1200)]

SKILL = "award-notice-terms"
SPOILT = "expense-memo"
"""The component whose leaderboard is spoilt, so that its results cannot be published."""
BY_PROMTOOL_ALONE = {"EvaluatorNoSuccess", "EvaluatorMemory", "EvaluatorDocumentsUnreadable"}
QUIET = {"evalhook_job_failures_total", "ALERTS"}
"""Figures of the dashboard that have no series while all is well."""
SPOIL = f"""
set -e
git clone --quiet /tmp/github/sample/prompt-library.git /tmp/spoilt
cd /tmp/spoilt
echo broken >components/{SPOILT}/leaderboard.json
git add .
git -c user.name=x -c user.email=x@example.org commit --quiet --message spoilt
git push --quiet origin HEAD:main
"""


@dataclass(frozen=True)
class Watched:
    """A monitored deployment, and which alerts had fired once its first jobs were done."""

    on: Monitored
    fired_before: set[str]


@pytest.fixture(scope="module")
def watched(
    images: Images, prometheus_image: str, project_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    rules, folder = tmp_path_factory.mktemp("rules"), tmp_path_factory.mktemp("files")
    rules.chmod(0o755)
    alerts = (project_root / "docker/alerts.yml").read_text()
    (rules / "alerts.yml").write_text(re.sub(r"^( +for: \d+)m$", r"\1s", alerts, flags=re.MULTILINE))
    config = (project_root / "docker/prometheus.yml").read_text()
    (rules / "prometheus.yml").write_text(config.replace("15s", "1s"))
    with monitored(images, project_root, prometheus_image, rules, folder, EVALHOOK_STALL_MINUTES="1") as on:
        began = time.monotonic()
        for skill in (SKILL, "deadline-calendar"):
            job = finished(on.up, started(on.up, project_root, SKILL_NAME=skill, REPLICATES="2"))
            assert job["status"] == "completed", job
        until(
            lambda: on.query(
                'evalhook_jobs_total{outcome="completed"} == 2 and on () evalhook_untold_jobs == 0'
            ),
            seconds=60,
            what="Prometheus to have seen both jobs",
        )
        # From when the service was first seen: before that it was, rightly, down.
        yield Watched(on, on.firing(f"{int(time.monotonic() - began)}s"))


@pytest.fixture
def on(watched: Watched) -> Iterator[Monitored]:
    """The deployment; whatever a test did to the simulated servers ends with it."""
    yield watched.on
    ask_github(watched.on.up, "DELETE")
    ask_mindrouter(watched.on.up, "DELETE", "/sim/faults")
    ask_mindrouter(watched.on.up, "PUT", "/sim/revoked", [])


def test_no_alert_fires_while_jobs_run_as_they_should(watched: Watched) -> None:
    assert watched.fired_before == set()


def test_every_panel_of_the_dashboard_shows_something(on: Monitored, project_root: Path) -> None:
    dashboard = json.loads((project_root / "docker/grafana-dashboard.json").read_bytes())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    empty = [each for each in asked if not on.query(each)]
    assert [each for each in empty if not any(name in each for name in QUIET)] == []


def test_grafana_finds_its_files_and_prometheus_and_not_the_service(on: Monitored) -> None:
    script = """
set -e
test -s "$GF_SECURITY_ADMIN_PASSWORD__FILE"
cat /etc/grafana/provisioning/*/evaluator.yml /etc/grafana/dashboards/evaluator.json >/dev/null
exec 3<>/dev/tcp/prometheus/9090
! (exec 4<>/dev/tcp/hook/9090) 2>/dev/null
"""
    execute(on.up, "grafana", "bash", "-c", script)


def test_every_other_alert_is_brought_about_here(project_root: Path) -> None:
    here = Path(__file__).read_text()
    alerts = set(re.findall(r"alert: (\w+)", (project_root / "docker/alerts.yml").read_text()))
    brought_about = set(re.findall(r'await_firing\("(\w+)"', here))
    assert brought_about == alerts - BY_PROMTOOL_ALONE


def test_a_service_that_is_gone(on: Monitored) -> None:
    kill(on.up, "hook")
    on.await_firing("EvaluatorDown")
    start(on.up, "hook")
    await_health(on.up)
    until(lambda: "EvaluatorDown" not in on.firing(), seconds=60, what="the end of EvaluatorDown")


def test_a_disk_that_is_nearly_full(on: Monitored) -> None:
    file = "/var/lib/evaluator/state/filling"
    execute(on.up, "hook", "fallocate", "--length", "900M", file)
    on.await_firing("EvaluatorDiskLow")
    execute(on.up, "hook", "rm", file)
    until(lambda: "EvaluatorDiskLow" not in on.firing(), seconds=60, what="the end of EvaluatorDiskLow")


def test_results_that_wait_for_github(on: Monitored, project_root: Path) -> None:
    ask_github(on.up, "POST", {"on": "pulls.create", "status": 503})
    job = started(on.up, project_root, SKILL_NAME=SKILL, REPLICATES="1")
    on.await_firing("EvaluatorPublishingDelayed", seconds=120)
    ask_github(on.up, "DELETE")
    assert finished(on.up, job)["status"] == "completed"


def test_results_that_cannot_be_published(on: Monitored, project_root: Path) -> None:
    execute(on.up, "github", "bash", "-c", SPOIL)
    job = finished(on.up, started(on.up, project_root, SKILL_NAME=SPOILT, REPLICATES="1"))
    assert job["error"]["code"] == "invalid_leaderboard"
    on.await_firing("EvaluatorResultsUnpublished")
    on.await_firing("EvaluatorJobFailed")


def test_a_github_that_is_not_told(on: Monitored, project_root: Path) -> None:
    ask_github(on.up, "POST", {"on": "statuses.create", "status": 403})
    job = finished(on.up, started(on.up, project_root, SKILL_NAME=SKILL, REPLICATES="1"))
    assert job["status"] == "completed"
    on.await_firing("EvaluatorGitHubNotTold")


def test_calls_that_get_no_reply(on: Monitored, project_root: Path) -> None:
    # Slow, so that the key is refused while most calls are still to be made.
    ask_mindrouter(on.up, "POST", "/sim/faults", [{"kind": "slow", "seconds": 1.5}])
    job = started(on.up, project_root, SKILL_NAME=SKILL, REPLICATES="20")
    until(lambda: on.query("evalhook_job_calls_done > 4"), seconds=60, what="the first replies")
    ask_mindrouter(on.up, "PUT", "/sim/revoked", [on.up.credentials.key])
    on.await_firing("EvaluatorCallsFail", seconds=120)
    assert {model["status"] for model in finished(on.up, job)["result"]["models"]} == {"partial"}


def test_a_job_that_makes_no_progress(on: Monitored, project_root: Path) -> None:
    ask_mindrouter(on.up, "POST", "/sim/faults", [{"kind": "silent"}])
    job = started(on.up, project_root, SKILL_NAME=SKILL, REPLICATES="1")
    on.await_firing("EvaluatorJobStalled", seconds=150)
    with on.up.client(on.up.credentials.token) as client:
        client.post(f"/jobs/{job}/cancel").raise_for_status()
    assert finished(on.up, job)["status"] == "cancelled"
