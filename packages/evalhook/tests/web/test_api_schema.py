"""Schemathesis over the API's own description, every check that it has, with the token and without."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from evalhook.app import create_app
from evalsim.serving import running

SECONDS = 6
CONFIG = """
[checks.positive_data_acceptance]
# A name that is well formed may still be of no component, and a commit of no branch.
expected-statuses = ["2xx", "401", "404", "409", "422", "503"]
"""


@pytest.fixture
def url(world) -> Iterator[str]:
    app = create_app(world.settings, sources=world.clones, gateway=world.router, publisher=world.publishing)
    with running(app) as url:
        yield url


def check(url: str, description: Path, folder: Path, *options: str) -> str:
    """Run its command; a failure is what it found."""
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG)
    command = [Path(sys.executable).parent / "schemathesis", "--config-file", config, "run", description]
    fixed = ["--url", url, "--checks", "all", "--max-time", str(SECONDS), "--no-color", "--seed", "1"]
    done = subprocess.run(
        [*command, *fixed, *options], capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture
def description(world, tmp_path: Path) -> Path:
    async def tell(client) -> None:
        path.write_bytes((await client.get("/schema/openapi.json")).content)

    path = tmp_path / "openapi.json"
    world.story(tell)
    return path


@pytest.mark.parametrize("is_authorised", [True, False], ids=["with the token", "without"])
def test_the_service_keeps_to_its_description(
    description: Path, world, url: str, tmp_path: Path, *, is_authorised: bool
) -> None:
    shown = ["--header", f"Authorization: Bearer {world.token}"] if is_authorised else []
    output = check(url, description, tmp_path, *shown)
    assert "❌" not in output
    assert "Selected: 0" not in output
