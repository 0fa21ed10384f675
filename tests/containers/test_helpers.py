"""What the container tests stand on, where it can be tried without a container or with a single one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.containers import deployments, waiting
from tests.containers.engine import free_ports
from tests.containers.images import Images
from tests.containers.operator_machine import Machine

BOTH_STREAMS = "for at in 1 2 3; do echo out $at; echo err $at >&2; done"


def test_no_free_port_is_one_that_the_kernel_gives_away() -> None:
    """A connection that is made between the choice and its use could have it."""
    ports, given = free_ports(20), Path("/proc/sys/net/ipv4/ip_local_port_range")
    if not given.exists():
        pytest.skip("needs Linux, which says which it gives away")
    first, last = given.read_text().split()
    assert len(set(ports)) == len(ports)
    assert not [port for port in ports if int(first) <= port <= int(last)]


def test_a_busy_machine_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter(range(1000))
    monkeypatch.setattr(waiting.time, "monotonic", lambda: float(next(seconds)))
    monkeypatch.setattr(waiting.time, "sleep", lambda _: None)
    answers = iter([None] * 30 + ["late"])
    assert waiting.until(lambda: next(answers), seconds=10, what="an answer") == "late"
    with pytest.raises(pytest.fail.Exception, match="not within 40 s: an answer"):
        waiting.until(lambda: None, seconds=10, what="an answer")


def test_a_crowded_engine_is_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As one is beside another copy of these tests: all networks that it can make are taken."""
    refused = f"failed to create network x: {deployments.NO_NETWORK} among the defaults to assign"
    troubles = iter([*[refused] * 20, "Bind for 127.0.0.1:1 failed: port is already allocated", None])
    removed: list[str] = []
    monkeypatch.setattr(deployments, "_up", lambda _: next(troubles))
    monkeypatch.setattr(deployments, "remove_project", removed.append)
    monkeypatch.setattr(deployments.time, "sleep", lambda _: None)
    lines = {"COMPOSE_PROJECT_NAME": "mine"}
    https, *_ = deployments._start(None, tmp_path / "settings.env", lines, {})
    assert f"EVALHOOK_HTTPS_PORT=127.0.0.1:{https}\n" in (tmp_path / "settings.env").read_text()
    assert removed == ["mine"] * 21


@pytest.mark.containers
@pytest.mark.timeout(1200)
def test_what_is_compared_is_one_stream_alone(docker: Any, images: Images, tmp_path: Path) -> None:
    """The engine carries a container's two streams apart: which line came first is chance."""
    name = images.project("streams")
    run = ["run", "--detach", "--rm", "--name", name, "--user", "0", images.runner]
    users = "useradd ops && echo / >~ops/here && chown ops: ~ops ~ops/here"
    docker(*run, "bash", "-c", f"mkdir /home/ops; {users}; sleep infinity")
    try:
        machine = Machine(name, tmp_path, name, 0, 0)
        is_ready = ["exec", name, "bash", "-c", "ls ~ops/here || true"]
        waiting.until(lambda: docker(*is_ready), seconds=60, what="the machine")
        for _ in range(5):
            assert machine.run(BOTH_STREAMS) == "out 1\nout 2\nout 3\n"
            assert machine.said(BOTH_STREAMS) == "out 1\nout 2\nout 3\nerr 1\nerr 2\nerr 3\n"
    finally:
        docker("rm", "--force", name)
