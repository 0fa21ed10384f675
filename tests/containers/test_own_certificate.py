"""compose.own-certificate.yaml: a certificate that is there, renewed without a pause."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from tests.containers.certificates import Authority, write
from tests.containers.deployments import DOMAIN, Deployment, deployed, is_healthy
from tests.containers.images import Images
from tests.containers.waiting import until

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1200)]

OVERLAY = "docker/compose.own-certificate.yaml"
RELOAD = [
    "caddy",
    "reload",
    "--force",
    "--config",
    "/etc/caddy/Caddyfile",
    "--address",
    "unix//tmp/admin.sock",
]


class Certified:
    """A deployment, and the authority that signed its certificate."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority()
        self.folder = folder
        folder.chmod(0o755)
        self.serial = self.renew()

    def renew(self) -> int:
        return self.authority.write_certificate(self.folder, DOMAIN)

    def await_answer(self, up: Deployment) -> None:
        write(up.authority, self.authority.pem)
        with up.client() as client:
            until(lambda: is_healthy(client), seconds=60, what="an answer with the certificate")


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return Certified(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def up(images: Images, project_root: Path, certified: Certified) -> Iterator[Deployment]:
    settings = {"EVALHOOK_CERTIFICATE": str(certified.folder)}
    with deployed(
        images, project_root, settings=settings, overlays=[OVERLAY], await_answer=certified.await_answer
    ) as made:
        yield made


def serial(up: Deployment) -> int:
    """Of the certificate that is shown to a new connection."""
    context = ssl.create_default_context(cafile=str(up.authority))
    with (
        socket.create_connection(("127.0.0.1", up.https_port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=DOMAIN) as encrypted,
    ):
        shown = encrypted.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown).serial_number


def reload(up: Deployment) -> subprocess.CompletedProcess[str]:
    """What docs/operations.md says to do after a renewal."""
    command = ["docker", "exec", up.container("caddy"), *RELOAD]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_the_command_is_the_one_that_the_operator_is_told(project_root: Path) -> None:
    assert f"exec caddy {' '.join(RELOAD)}" in (project_root / "docs/operations.md").read_text()


def test_a_renewal_is_shown_without_a_pause(up: Deployment, certified: Certified) -> None:
    assert serial(up) == certified.serial
    stopped, outcomes = threading.Event(), []

    def ask() -> None:
        while not stopped.is_set():
            # New connections, which a server that is started anew would refuse; one that comes in at the very
            # moment may be lost with the old listener, and is made anew at once.
            with up.client() as client, up.client() as again:
                outcomes.append(is_healthy(client) or is_healthy(again))

    callers = [threading.Thread(target=ask) for _ in range(4)]
    with up.client() as kept:
        assert is_healthy(kept)
        for caller in callers:
            caller.start()
        until(lambda: len(outcomes) >= 8, seconds=30, what="callers")
        try:
            certified.serial = certified.renew()
            done = reload(up)
            until(lambda: serial(up) == certified.serial, seconds=30, what="the new certificate")
            asked = len(outcomes)
            until(lambda: len(outcomes) >= asked + 8, seconds=30, what="callers after it")
        finally:
            stopped.set()
            for caller in callers:
                caller.join()
        assert is_healthy(kept)
    assert done.returncode == 0, done.stderr
    assert all(outcomes)


def test_a_pair_that_cannot_be_used_changes_nothing(up: Deployment, certified: Certified) -> None:
    before = serial(up)
    key = (certified.folder / "privkey.pem").read_bytes()
    write(certified.folder / "privkey.pem", b"no key\n")
    try:
        assert reload(up).returncode != 0
        assert serial(up) == before
    finally:
        write(certified.folder / "privkey.pem", key)


def test_nobody_but_the_container_itself_can_ask_caddy_for_anything(up: Deployment) -> None:
    listening = subprocess.run(
        ["docker", "exec", up.container("hook"), "bash", "-c", "exec 3<>/dev/tcp/caddy/2019"],
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert listening.returncode != 0
