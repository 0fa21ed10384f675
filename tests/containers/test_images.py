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


MOST_ADDED = {"hook": 140, "runner": 150}
"""MB over the base image."""


@pytest.mark.parametrize("name", ["hook", "runner"])
def test_an_image_adds_little_to_its_base(docker: Any, images: Any, base: list[str], name: str) -> None:
    base_image = base[-1].partition("=")[2] if base else "python:3.13-slim-trixie"
    sizes = [
        json.loads(docker("image", "inspect", each))[0]["Size"]
        for each in (getattr(images, name), base_image)
    ]
    assert (sizes[0] - sizes[1]) / 1e6 < MOST_ADDED[name]


def test_no_program_gives_whoever_runs_it_another_users_rights(docker: Any, image: str) -> None:
    whole = ["--cap-add", "DAC_READ_SEARCH", "--user", "0", "--workdir", "/", "--entrypoint", "find"]
    found = docker(*CONFINED, *whole, image, "/", "-xdev", "-type", "f", "-perm", "/6000")
    assert found == ""


def test_neither_perls_library_nor_pip_is_there(docker: Any, image: str) -> None:
    script = "command -v pip pip3; ls -d /usr/share/perl 2>/dev/null; python3 -c 'import pip' 2>&1 | tail -1"
    said = docker(*CONFINED, "--entrypoint", "bash", image, "-c", f"{script}; true")
    assert said.splitlines()[-1] == "ModuleNotFoundError: No module named 'pip'"
    assert "/usr/" not in said


def test_packages_can_still_be_added(docker: Any, image: str) -> None:
    """Perl's stand-in leaves nothing unmet: who builds on the image may install what they need."""
    assert "unmet" not in docker(*CONFINED, "--user", "0", "--entrypoint", "apt-get", image, "check")


ORPHAN = """
import os, pathlib, sys, time
reading, writing = os.pipe()
child = os.fork()
if child == 0:
    grandchild = os.fork()
    if grandchild:
        os.write(writing, str(grandchild).encode())
    os._exit(0)
os.waitpid(child, 0)
orphan = pathlib.Path("/proc", os.read(reading, 20).decode())
for _ in range(1000):
    if not orphan.exists():
        sys.exit("reaped")
    time.sleep(0.01)
"""


def test_ended_children_are_reaped_without_the_engines_init(docker: Any, images: Any) -> None:
    """A child whose parent ended first becomes one of process 1, which has to collect it."""
    for image in (images.hook, images.runner):
        inside = ["tini", image, "--", "bash", "-c", 'python3 -c "$0" 2>&1; true', ORPHAN]
        assert docker(*CONFINED, "--entrypoint", *inside).strip() == "reaped"
        (found,) = json.loads(docker("image", "inspect", image))
        assert found["Config"]["Entrypoint"][:2] == ["tini", "--"]


@pytest.mark.parametrize("user", ["0", "1001", "1500"])
def test_git_takes_a_checkout_of_another_user(docker: Any, images: Any, user: str) -> None:
    """As a job container has it: the workspace and the home belong to the runner's user."""
    owned = "/github/home:uid=1001,gid=1001,mode=0777", "/__w:uid=1001,gid=1001,mode=0777"
    mounts = [part for mount in owned for part in ("--tmpfs", mount)]
    commit = "git -C library -c user.name=x -c user.email=x@x commit -qm x --allow-empty"
    read = "cd /__w/library && git status --short && git rev-parse --verify -q HEAD"
    as_user = f"setpriv --reuid={user} --regid={user} --clear-groups env HOME=/github/home"
    # One container, since a tmpfs is gone with it: root makes the checkout, and the job's user reads it.
    inside = f"cd /__w && git init -q library && {commit} && chown -R 1001:1001 library"
    inside += f" && {as_user} bash -ec '{read}'"
    powers = [part for name in ("CHOWN", "SETUID", "SETGID", "DAC_OVERRIDE") for part in ("--cap-add", name)]
    told = docker(*CONFINED, *powers, *mounts, "--user", "0", images.runner, "bash", "-ec", inside)
    assert len(told.strip()) == 40


@pytest.mark.parametrize("user", ["1001", "1500"])
def test_what_root_makes_in_a_workspace_can_be_removed_by_its_user(
    docker: Any, images: Any, user: str
) -> None:
    mount = ["--tmpfs", f"/__w:uid={user},gid={user},mode=0755", "--tmpfs", "/github/home:mode=0777"]
    powers = [part for name in ("SETUID", "SETGID", "DAC_OVERRIDE") for part in ("--cap-add", name)]
    settings = ["--env", "GITHUB_ACTIONS=true", "--env", "HOME=/github/home"]
    made = "cd /__w && evalcli init . >/dev/null && ls .github/workflows/sweep.yml"
    remove = "rm -r .github .evaluator .gitattributes"
    removed = f"setpriv --reuid={user} --regid={user} --clear-groups bash -ec '{remove}'"
    inside = f"{made} && {removed} && ls -A"
    told = docker(*CONFINED, *powers, *settings, *mount, "--user", "0", images.runner, "bash", "-ec", inside)
    assert told.split() == [".github/workflows/sweep.yml"]


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
        # Under a name, or nobody would know whose it is once it is left behind.
        named = ["--quiet", "--tag", images.tag("stage")]
        stages.add(docker("build", *named, *base, "--target", "base", "--file", file, str(project_root)))
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


PSYCOPG = """
import psycopg, sqlalchemy
print(psycopg.pq.__impl__, psycopg.pq.version())
sqlalchemy.create_engine("postgresql+psycopg://evaluator@database/campaigns").connect()
"""


def test_runner_looks_for_a_campaigns_database_by_debians_libpq(docker: Any, images: Any) -> None:
    """Psycopg's own libraries, with an OpenSSL that Debian does not mend, are not there."""
    told = docker(*CONFINED, images.runner, "bash", "-c", f"python3 -c '{PSYCOPG}' 2>&1; true")
    implementation, version, rest = told.split(maxsplit=2)
    assert implementation == "python"
    assert int(version) >= 170000
    assert "failed to resolve host 'database'" in rest


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
