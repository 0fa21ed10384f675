"""The tokens of a GitHub App: renewed in time, and its key shown to nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from evalcore.github.client import GitHub
from evalcore.github.tokens import AppTokens
from evalcore.github.transport import GitHubRefused
from evalsim.github import SimulatedGitHub
from evalsim.testing import REPOSITORY


def test_apps_token_is_kept_for_an_hour_and_renewed_in_time(app: SimulatedGitHub, api: str) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    app.state.add_app("77", public)
    clock = [datetime.now(UTC)]
    tokens = AppTokens(77, private, REPOSITORY, api_url=api, now=lambda: clock[0])
    first = tokens.token()
    assert GitHub(REPOSITORY, tokens, api_url=api).check() == "main"
    clock[0] += timedelta(minutes=50)
    assert tokens.token() == first
    clock[0] += timedelta(minutes=6)
    assert tokens.token() != first


def test_apps_wrong_key_is_told_and_not_shown(app: SimulatedGitHub, api: str) -> None:
    app.state.add_app("78", "no key")
    broken = "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----"
    with pytest.raises(GitHubRefused, match="make a token for the app") as caught:
        AppTokens(78, broken, REPOSITORY, api_url=api).token()
    assert "Y2FuYXJ5" not in str(caught.value)
