"""What is in the images and, as important, what is not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1200)]

CONFINED = ["run", "--rm", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--network", "none"]
UNWANTED = [
    "pytest",
    "hypothesis",
    "evalsim",
    "anls_star",
    "mypy",
    "ruff",
    "testcontainers",
    "uv",
    "hatchling",
    "pip",
]
MODULES = """
import importlib.metadata, importlib.util, json, sys
ours = [path for path in sys.path if path.startswith(sys.prefix)]
found = [one.metadata["Name"].lower() for one in importlib.metadata.distributions(path=ours)]
unwanted = [name for name in sys.argv[1:] if importlib.util.find_spec(name)]
print(json.dumps({"distributions": found, "unwanted": unwanted}))
"""


@pytest.fixture(scope="module", params=["hook", "runner"])
def image(request: pytest.FixtureRequest, images: Any) -> str:
    return str(getattr(images, request.param))


def test_user_is_not_root(docker: Any, image: str) -> None:
    identity = docker(*CONFINED, "--entrypoint", "id", image, "--user").strip()
    # GitHub's runners own the workspace that is mounted into a job container with this very id.
    assert identity == "1001"


def test_nothing_is_there_for_development_or_simulation(docker: Any, image: str) -> None:
    told = json.loads(docker(*CONFINED, "--entrypoint", "python3", image, "-c", MODULES, *UNWANTED))
    assert told["unwanted"] == []
    assert "evalcore" in told["distributions"]
    for tool in ("uv", "pytest", "evalsim", "gcc"):
        where = docker(*CONFINED, "--entrypoint", "sh", image, "-c", f"command -v {tool} || echo none")
        assert where.strip() == "none"


def test_no_source_tree_or_package_cache_is_left(docker: Any, image: str) -> None:
    left = "/build /opt/build /wheels /root/.cache /home/evaluator/.cache /var/cache/apt/archives/*.deb"
    script = f"ls -d {left} 2>/dev/null; true"
    assert docker(*CONFINED, "--entrypoint", "sh", "--user", "0", image, "-c", script) == ""


def test_labels_say_what_it_is(docker: Any, image: str) -> None:
    (told,) = json.loads(docker("image", "inspect", image))
    labels = told["Config"]["Labels"]
    assert labels["org.opencontainers.image.licenses"] == "GPL-3.0-or-later"
    assert labels["org.opencontainers.image.title"] in {"evalhook", "evaluator-runner"}


def test_both_images_stand_on_one_stage(
    docker: Any, images: Any, base: list[str], project_root: Path
) -> None:
    """Built from either file, the shared stage is one and the same image, and both begin with its layers."""
    stages = set()
    for name in ("hook", "runner"):
        file = str(project_root / f"docker/{name}.Dockerfile")
        stages.add(docker("build", "--quiet", *base, "--target", "base", "--file", file, str(project_root)))
    assert len(stages) == 1
    shared = layers(docker, stages.pop().strip())
    assert layers(docker, images.hook)[: len(shared)] == shared
    assert layers(docker, images.runner)[: len(shared)] == shared


def layers(docker: Any, image: str) -> list[str]:
    (told,) = json.loads(docker("image", "inspect", image))
    return list(told["RootFS"]["Layers"])


def test_runner_has_what_a_job_needs(docker: Any, images: Any) -> None:
    certificates = "test -s /etc/ssl/certs/ca-certificates.crt"
    script = f"git --version && curl --version && jq --version && evalcli --help && {certificates}"
    told = docker(*CONFINED, images.runner, "bash", "-c", script)
    for word in ("git version", "curl ", "jq-", "evaluate", "leaderboard"):
        assert word in told


def test_runner_writes_to_a_workspace_of_the_runners_user(docker: Any, images: Any) -> None:
    """Mounted as GitHub does: workspace and home from outside, owned by user 1001."""
    owned = "/github/home:uid=1001,gid=1001,mode=0755", "/__w:uid=1001,gid=1001,mode=0755"
    mounts = [part for mount in owned for part in ("--tmpfs", mount)]
    script = (
        "cd /__w && git init -q . && git config --global user.name x && evalcli --version && touch done && ls"
    )
    told = docker(*CONFINED, *mounts, "--env", "HOME=/github/home", images.runner, "bash", "-ec", script)
    assert told.splitlines()[-1] == "done"


def test_hook_says_what_setting_is_missing_and_stops(docker: Any, images: Any) -> None:
    script = "evalhook serve; echo code=$?"
    told = docker(*CONFINED, "--entrypoint", "sh", images.hook, "-c", f"({script}) 2>&1")
    said, code = told.splitlines()
    assert re.match(r"evalhook: [A-Z_]+: is not set", said)
    assert code == "code=2"


def test_hook_watches_its_own_health(docker: Any, images: Any) -> None:
    (told,) = json.loads(docker("image", "inspect", images.hook))
    assert "/health" in told["Config"]["Healthcheck"]["Test"][-1]
    assert set(told["Config"]["Volumes"]) == {"/var/lib/evaluator/state", "/var/lib/evaluator/clones"}
