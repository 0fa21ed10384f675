"""The simulated issuer of GitHub's tokens: its documents, its keys, and the tokens that jobs get."""

from __future__ import annotations

import httpx
import jwt
import pytest

from evalsim.oidc import SigningKey, SimulatedIssuer
from evalsim.oidc.app import LIFETIME_SECONDS, REQUEST_TOKEN
from evalsim.serving import running


@pytest.fixture(scope="module")
def key():
    return SigningKey("first")


@pytest.fixture
def issuer(key):
    simulated = SimulatedIssuer(key, repository="org/library")
    with running(simulated) as url:
        simulated.url = url
        yield simulated


def verified(token, key, audience="aud"):
    return jwt.decode(token, key.public_pem, algorithms=["RS256"], audience=audience)


def test_its_configuration_leads_to_its_keys(issuer, key):
    configuration = httpx.get(f"{issuer.url}/.well-known/openid-configuration").json()
    assert configuration["issuer"] == issuer.url
    assert httpx.get(configuration["jwks_uri"]).json() == {"keys": [key.jwk]}
    assert issuer.asked == ["/.well-known/openid-configuration", "/.well-known/jwks"]


def test_a_job_gets_a_token_for_the_audience_that_it_names(issuer, key):
    headers = {"Authorization": f"bearer {REQUEST_TOKEN}"}
    answer = httpx.get(f"{issuer.url}/token", params={"audience": "aud"}, headers=headers)
    claims = verified(answer.json()["value"], key)
    assert (claims["iss"], claims["repository"]) == (issuer.url, "org/library")
    assert claims["exp"] - claims["iat"] == LIFETIME_SECONDS


@pytest.mark.parametrize("authorization", [None, "bearer other", REQUEST_TOKEN])
def test_nobody_else_gets_one(issuer, authorization):
    headers = {} if authorization is None else {"Authorization": authorization}
    assert httpx.get(f"{issuer.url}/token", headers=headers).status_code == 404


def test_it_may_be_down(issuer):
    issuer.is_down = True
    assert httpx.get(f"{issuer.url}/.well-known/jwks").status_code == 503


def test_claims_are_changed_and_left_out(issuer, key):
    claims = verified(issuer.token("aud", ref="refs/heads/x", repository=None), key)
    assert claims["ref"] == "refs/heads/x"
    assert "repository" not in claims


def test_a_token_of_another_key_is_not_verified_by_the_first(issuer, key):
    with pytest.raises(jwt.InvalidSignatureError):
        verified(issuer.token("aud", SigningKey("second")), key)
    with pytest.raises(jwt.InvalidAudienceError):
        verified(issuer.token("other"), key)


def test_a_key_publishes_its_public_half_alone(key):
    assert {"kty", "n", "e", "kid", "use", "alg"} <= key.jwk.keys()
    assert not {"d", "p", "q"} & key.jwk.keys()
    assert key.public_pem.startswith(b"-----BEGIN PUBLIC KEY-----")


def test_a_tokens_header_may_be_forged(key):
    token = key.sign({"a": 1}, {"kid": "other", "jku": "https://evil.example"})
    assert jwt.get_unverified_header(token) == {
        "alg": "RS256", "typ": "JWT", "kid": "other", "jku": "https://evil.example",
    }  # fmt: skip
