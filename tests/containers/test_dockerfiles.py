"""What must hold of the files in docker/ whether or not an engine is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from evalcore.version import __version__

SHARED = re.compile(r"^ARG PYTHON_IMAGE=.*?^# end of the shared stage$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def compose(project_root: Path) -> dict[str, Any]:
    return dict(YAML(typ="safe").load(project_root / "docker/compose.yaml"))


def test_both_images_begin_with_the_same_stages(project_root: Path) -> None:
    texts = [(project_root / f"docker/{name}.Dockerfile").read_text() for name in ("hook", "runner")]
    hook, runner = (SHARED.match(text) for text in texts)
    assert hook is not None
    assert runner is not None
    assert hook[0] == runner[0]
    assert "ARG PYTHON_IMAGE=python:3.13-slim-trixie" in hook[0]


@pytest.mark.parametrize("name", ["hook", "runner"])
def test_everything_from_an_index_is_installed_by_hash(project_root: Path, name: str) -> None:
    text = (project_root / f"docker/{name}.Dockerfile").read_text().replace("\\\n", " ")
    installs = re.findall(r"pip (?:--python \S+ )?(?:install|wheel) [^&\n]*", text)
    assert len(installs) == 4
    for install in installs:
        assert "--require-hashes" in install or "--no-index" in install, install


@pytest.mark.parametrize("name", ["hook", "runner"])
def test_every_debian_package_is_locked(project_root: Path, name: str) -> None:
    text = (project_root / f"docker/{name}.Dockerfile").read_text().replace("\\\n", " ")
    taken = re.findall(r'sh /apt-install "\$\{APT_LOCK\}" ([^&\n]*)', text)
    names = {word for line in taken for word in line.split() if not word.startswith("/")}
    locked = re.findall(r"^([a-z0-9-]+)=\S+$", (project_root / "docker/apt.lock").read_text(), re.MULTILINE)
    assert {"git", "tini"} <= names <= set(locked)


def test_the_proxy_takes_debians_program_by_the_lock(project_root: Path) -> None:
    text = (project_root / "docker/proxy.Dockerfile").read_text()
    assert 'sh /apt-install "${APT_LOCK}" tinyproxy-bin' in text
    assert re.search(r"^tinyproxy-bin=\S+$", (project_root / "docker/apt.lock").read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", ["hook", "runner"])
def test_our_code_is_copied_after_what_it_depends_on_is_installed(project_root: Path, name: str) -> None:
    text = (project_root / f"docker/{name}.Dockerfile").read_text()
    assert text.index("--require-hashes --requirement docker/" + name) < text.index("COPY packages/")


@pytest.mark.parametrize("name", ["hook", "runner", "build"])
def test_every_pin_has_a_hash(project_root: Path, name: str) -> None:
    lock = (project_root / f"docker/{name}.requirements.txt").read_text().replace("\\\n", " ")
    pins = [line for line in lock.splitlines() if line and not line.lstrip().startswith("#")]
    assert pins
    for pin in pins:
        assert re.match(r"[a-z0-9._\[\]-]+==\S+", pin), pin
        assert "--hash=sha256:" in pin, pin


@pytest.mark.parametrize("name", ["hook", "runner"])
def test_simulators_and_development_tools_are_not_locked_into_an_image(project_root: Path, name: str) -> None:
    lock = (project_root / f"docker/{name}.requirements.txt").read_text()
    names = set(re.findall(r"^([a-z0-9._-]+)==", lock, re.MULTILINE))
    assert not names & {
        "evalsim",
        "pytest",
        "hypothesis",
        "uv",
        "mypy",
        "ruff",
        "testcontainers",
        "anls-star",
    }


@pytest.mark.parametrize("name", ["hook", "runner"])
def test_label_says_the_version_that_is_built(project_root: Path, name: str) -> None:
    text = (project_root / f"docker/{name}.Dockerfile").read_text()
    assert re.findall(r"^ARG VERSION=(.*)$", text, re.MULTILINE) == [__version__]


def test_no_way_in_but_caddy(compose: dict[str, Any]) -> None:
    published = {name for name, service in compose["services"].items() if "ports" in service}
    assert published == {"caddy"}


def test_every_service_is_confined(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["restart"] == "unless-stopped"


def test_secrets_come_as_files_only(compose: dict[str, Any]) -> None:
    environment = compose["services"]["hook"]["environment"]
    secret = {
        "MINDROUTER_EVAL_WEBHOOK_TOKEN",
        "MINDROUTER_API_KEY",
        "GITHUB_TOKEN",
        "EVALHOOK_GITHUB_APP_PRIVATE_KEY",
    }
    assert not secret & environment.keys()
    files = {value for name, value in environment.items() if name.endswith("_FILE")}
    assert {Path(file).parent for file in files} == {Path("/run/secrets")}
    (folder,) = (each for each in compose["services"]["hook"]["volumes"] if "target" in each)
    assert folder["target"] == "/run/secrets"
    assert folder["read_only"] is True


def test_example_settings_are_those_that_compose_reads(project_root: Path) -> None:
    example = (project_root / "docker/.env.example").read_text()
    offered = set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", example, re.MULTILINE))
    compose_text = (project_root / "docker/compose.yaml").read_text()
    read = set(re.findall(r"\$\{([A-Z0-9_]+)", compose_text))
    handed_on = set(re.findall(r"^      ([A-Z0-9_]+):$", compose_text, re.MULTILINE))
    assert offered <= read | handed_on
    required = set(re.findall(r"\$\{([A-Z0-9_]+):\?", compose_text))
    assert required <= set(re.findall(r"^([A-Z][A-Z0-9_]*)=", example, re.MULTILINE))
