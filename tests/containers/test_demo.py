"""The demo for somebody who has only Docker: one command up, three pages to look at, one command down."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.containers.engine import free_ports

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1200)]

PORTS = ("DEMO_STATUS_PORT", "DEMO_GITHUB_PORT", "DEMO_DASHBOARD_PORT")


@pytest.fixture(scope="module")
def demo(images: Any, project_root: Path) -> Iterator[dict[str, Any]]:
    """The demo, run to the end of its job: what it printed, and the ports."""
    ports = {name: str(port) for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True)}
    environment = os.environ | ports | {"EVALHOOK_IMAGE": images.hook, "DEMO_IMAGE": images.tag("demo")}
    compose = [
        "docker",
        "compose",
        "--file",
        "docker/compose.demo.yaml",
        "--project-name",
        images.project("demo"),
    ]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*compose, *arguments],
            cwd=project_root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    try:
        # Up to the job, which ends by itself once the pull request is there and the dashboard is built.
        up = run("up", "--detach", "--build")
        assert up.returncode == 0, up.stderr[-4000:]
        ended = run("wait", "job")
        said = run("logs", "--no-color", "--no-log-prefix", "job").stdout
        assert ended.returncode == 0, said[-4000:]
        yield {"said": said, **ports}
    finally:
        run("down", "--volumes", "--remove-orphans")
    assert run("ps", "--all", "--quiet").stdout == ""


def test_it_says_where_to_look(demo: dict[str, Any]) -> None:
    for name in PORTS:
        assert f"http://localhost:{demo[name]}/" in demo["said"]


def test_the_pull_request_can_be_read(demo: dict[str, Any]) -> None:
    page = httpx.get(
        f"http://localhost:{demo['DEMO_GITHUB_PORT']}/sample/prompt-library/pull/1",
        trust_env=False,
        timeout=60,
    )
    assert page.status_code == 200
    assert "eval(award-notice-terms)" in page.text
    assert f"http://localhost:{demo['DEMO_DASHBOARD_PORT']}/components/award-notice-terms.html" in page.text


def test_the_dashboard_shows_the_new_result(demo: dict[str, Any]) -> None:
    root = f"http://localhost:{demo['DEMO_DASHBOARD_PORT']}"
    page = httpx.get(f"{root}/components/award-notice-terms.html", trust_env=False, timeout=60)
    assert page.status_code == 200
    assert "openai/gpt-oss-120b" in page.text
    assert httpx.get(f"{root}/", trust_env=False, timeout=60).status_code == 200


def test_the_status_page_opens_with_the_token_that_was_printed(demo: dict[str, Any]) -> None:
    root = f"http://localhost:{demo['DEMO_STATUS_PORT']}"
    with httpx.Client(base_url=root, trust_env=False, timeout=60) as browser:
        assert browser.get("/").status_code == 401
        token = demo["said"].split("(token: ")[1].split(")")[0]
        signed = browser.post("/login", data={"token": token})
        cookie = signed.headers["set-cookie"].split(";")[0]
        page = browser.get("/", headers={"Cookie": cookie})
    assert page.status_code == 200
    assert "award-notice-terms" in page.text
