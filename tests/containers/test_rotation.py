"""Secrets changed while a job runs, as docs/operations.md says: nobody is locked out, and nothing is lost."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from tests.containers.conftest import slow_models
from tests.containers.deployments import Deployment, deployed, write_secret
from tests.containers.evaluations import begun
from tests.containers.images import Images
from tests.containers.operating import await_health, restart
from tests.containers.outside import give_key, let_in
from tests.containers.waiting import until

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1800)]

REPLICATES = 6
APP = "77"


def accepted(up: Deployment, token: str) -> bool:
    with up.client(token) as client:
        return client.get("/jobs").status_code == httpx.codes.OK


def new_key() -> tuple[str, str]:
    """An app's private key and its public one."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private.decode(), key.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    ).decode()


def test_the_callers_token_is_changed_without_losing_a_request(
    disturbed: Deployment, project_root: Path
) -> None:
    evaluation = begun(disturbed, project_root, REPLICATES)
    former, following = disturbed.credentials.token, secrets.token_hex(32)
    write_secret(disturbed.secrets, "webhook_token_next", following)
    until(lambda: accepted(disturbed, following), seconds=30, what="the next token to be good")
    assert accepted(disturbed, former)
    (disturbed.secrets / "webhook_token_next").rename(disturbed.secrets / "webhook_token")
    until(lambda: not accepted(disturbed, former), seconds=30, what="the former token to be refused")
    assert accepted(disturbed, following)
    # And back in the same way, for those who come after: with the job still to be seen by its caller.
    write_secret(disturbed.secrets, "webhook_token", former)
    until(lambda: accepted(disturbed, former), seconds=30, what="the former token to be good again")
    evaluation.figures()
    assert evaluation.asked() == evaluation.stored() == evaluation.planned


def test_githubs_token_is_changed_in_the_middle_of_a_job(disturbed: Deployment, project_root: Path) -> None:
    evaluation = begun(disturbed, project_root, REPLICATES)
    former, following = disturbed.credentials.github_token, f"ghp_{secrets.token_hex(18)}"
    let_in(disturbed, former, following)
    write_secret(disturbed.secrets, "github_token", following)
    restart(disturbed, "hook")
    let_in(disturbed, following)
    await_health(disturbed)
    try:
        until(evaluation.has_ended, seconds=180, what="the end of the job")
        assert evaluation.now()["status"] == "completed"
    finally:
        let_in(disturbed, former)
        write_secret(disturbed.secrets, "github_token", former)
        restart(disturbed, "hook")
        await_health(disturbed)
    evaluation.figures()
    assert evaluation.stored() == evaluation.planned


@pytest.fixture(scope="module")
def as_app(images: Images, project_root: Path) -> Iterator[Deployment]:
    """The service as a GitHub App."""
    private, public = new_key()

    def keys(folder: Path) -> None:
        write_secret(folder / "secrets", "github_app_key", private)
        (folder / "simulated/app.pem").write_text(public)

    overlay = "tests/containers/compose.app.yaml"
    with deployed(
        images, project_root, overlays=[overlay], mindrouter=slow_models(), before_start=keys
    ) as up:
        yield up


def test_an_apps_key_is_changed_in_the_middle_of_a_job(as_app: Deployment, project_root: Path) -> None:
    evaluation = begun(as_app, project_root, REPLICATES)
    private, public = new_key()
    write_secret(as_app.secrets, "github_app_key", private)
    give_key(as_app, APP, public)
    restart(as_app, "hook")
    await_health(as_app)
    evaluation.figures()
    assert evaluation.stored() == evaluation.planned
