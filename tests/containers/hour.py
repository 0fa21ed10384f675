"""An hour of jobs with monitoring as it is delivered: no alert fires.

Run by a person (make test-containers-hour): no part of the suite, since pytest collects it only by its name.
EVALUATOR_MINUTES says how long, 60 by default.
"""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

import pytest
from tests.containers.images import Images
from tests.containers.monitored import monitored
from tests.containers.operating import finished
from tests.containers.outside import started

MINUTES = float(os.environ.get("EVALUATOR_MINUTES", "60"))
SKILLS = ("award-notice-terms", "award-notice-review", "deadline-calendar", "expense-memo")
pytestmark = [pytest.mark.containers, pytest.mark.timeout(60 * MINUTES + 1200)]


def test_an_hour_of_jobs_raises_no_alert(
    images: Images, prometheus_image: str, project_root: Path, tmp_path: Path
) -> None:
    rules, began = project_root / "docker", time.monotonic()
    with monitored(images, project_root, prometheus_image, rules, tmp_path) as on:
        done = 0
        for skill in itertools.cycle(SKILLS):
            job = finished(on.up, started(on.up, project_root, SKILL_NAME=skill, REPLICATES="3"))
            assert job["status"] == "completed", job
            done += 1
            assert on.firing() == set()
            if time.monotonic() - began >= 60 * MINUTES:
                break
        assert on.firing(f"{int(MINUTES) + 5}m") == set()
        (seen,) = on.query('evalhook_jobs_total{outcome="completed"}')
        assert done - 1 <= float(seen["value"][1]) <= done
