"""GitHub Actions' tokens: real keys, an issuer over real HTTP, and every forgery that we know of."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from evalcore.errors import ConfigurationError
from evalhook.config.oidc_rules import OidcSettings, parse_rules
from evalhook.config.settings import read_settings
from evalhook.config.values import Unusable
from evalhook.security.jwks import ASK_AGAIN_SECONDS, FRESH_SECONDS, KeySet, read_keys
from evalhook.security.oidc import Oidc, Refused
from evalsim.oidc import SigningKey, SimulatedIssuer
from evalsim.serving import running

AUDIENCE = "https://evaluator.example"
ALLOW = "repository=org/library ref=refs/heads/main; repository=org/other environment=evaluation"
CLAIMS = {
    "repository": "org/library",
    "ref": "refs/heads/main",
    "repository_id": "900",
    "repository_owner_id": "100",
    "workflow": "Evaluate on the local models",
}
NOW = int(time.time())


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return SigningKey("first")


@pytest.fixture(scope="module")
def other_key() -> SigningKey:
    return SigningKey("second")


@pytest.fixture
def issuer(key: SigningKey) -> Iterator[SimulatedIssuer]:
    simulated = SimulatedIssuer(key, **CLAIMS)
    with running(simulated) as url:
        simulated.url = url
        yield simulated


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


def verifier(issuer: SimulatedIssuer, clock: Callable[[], float], allow: str = ALLOW) -> Oidc:
    settings = OidcSettings(issuer=issuer.url, audience=AUDIENCE, rules=parse_rules(allow))
    return Oidc(settings, KeySet(issuer.url, monotonic=clock))


def is_taken(oidc: Oidc, *tokens: str) -> bool:
    async def check() -> bool:
        try:
            for token in tokens:
                await oidc.check(token.encode())
        except Refused:
            return False
        return True

    return asyncio.run(check())


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def claims_of(issuer: SimulatedIssuer) -> dict[str, object]:
    return {"iss": issuer.url, "aud": AUDIENCE, "iat": NOW, "nbf": NOW, "exp": NOW + 300, **CLAIMS}


def unsigned(issuer: SimulatedIssuer, algorithm: str) -> str:
    return f"{encoded({'alg': algorithm, 'kid': 'first', 'typ': 'JWT'})}.{encoded(claims_of(issuer))}."


def hmac_with_public_key(issuer: SimulatedIssuer, key: SigningKey) -> str:
    signed = f"{encoded({'alg': 'HS256', 'kid': 'first'})}.{encoded(claims_of(issuer))}"
    signature = hmac.new(key.public_pem, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def test_a_token_of_an_allowed_workflow_is_taken(issuer: SimulatedIssuer, clock: Clock) -> None:
    oidc = verifier(issuer, clock)
    elsewhere = {"repository": "org/other", "ref": "refs/heads/x", "environment": "evaluation"}
    assert is_taken(oidc, issuer.token(AUDIENCE), issuer.token(AUDIENCE, **elsewhere))
    assert is_taken(oidc, issuer.token(AUDIENCE, repository="Org/Library")), "GitHub's names have no case"


WRONG_CLAIMS = {
    "another audience": {"aud": "https://elsewhere.example"},
    "several audiences": {"aud": [AUDIENCE, "https://elsewhere.example"]},
    "no audience": {"aud": None},
    "another issuer": {"iss": "https://token.actions.example"},
    "no issuer": {"iss": None},
    "expired": {"exp": NOW - 120},
    "never expires": {"exp": None},
    "not valid yet": {"nbf": NOW + 86_400},
    "made in the future": {"iat": NOW + 86_400},
    "made at no time": {"iat": None},
    "valid from no time": {"nbf": None},
    "times that are no numbers": {"exp": "never"},
    "another repository": {"repository": "attacker/library"},
    "a repository that begins alike": {"repository": "org/library-fork"},
    "another branch": {"ref": "refs/heads/feature"},
    "a pull request": {"ref": "refs/pull/7/merge"},
    "no repository": {"repository": None},
    "a repository that is a list": {"repository": ["org/library"]},
    "one rule's repository with the other's environment": {"repository": "org/other", "environment": "x"},
}


@pytest.mark.parametrize("changes", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
def test_wrong_claims_are_refused(issuer: SimulatedIssuer, clock: Clock, changes: dict[str, object]) -> None:
    assert not is_taken(verifier(issuer, clock), issuer.token(AUDIENCE, **changes))


def test_forged_signatures_are_refused(
    issuer: SimulatedIssuer, clock: Clock, key: SigningKey, other_key: SigningKey
) -> None:
    good = issuer.token(AUDIENCE)
    head, claims, signature = good.split(".")
    evil = claims_of(issuer)
    forged = {
        "alg none": unsigned(issuer, "none"),
        "alg None": unsigned(issuer, "NoNe") + "x",
        "HS256 with the public key": hmac_with_public_key(issuer, key),
        "an unknown key": issuer.token(AUDIENCE, other_key),
        "another key under a known id": other_key.sign(evil, {"kid": "first"}),
        "a key of its own in jwk": other_key.sign(evil, {"kid": "first", "jwk": other_key.jwk}),
        "an empty key id": key.sign(evil, {"kid": ""}),
        "a key id that is a path": key.sign(evil, {"kid": "../../etc/passwd"}),
        "a critical extension": key.sign(evil, {"crit": ["b64"], "b64": True}),
        "another algorithm of the same key": key.sign(evil, algorithm="RS512"),
        "PSS": key.sign(evil, algorithm="PS256"),
        "claims changed after signing": f"{head}.{encoded({**evil, 'repository': 'org/other'})}.{signature}",
        "cut off": good[:-20],
        "no signature": f"{head}.{claims}.",
        "not a token": "a.b.c",
        "too large": issuer.token(AUDIENCE, padding="x" * 10_000),
        "nested deeply": f"{head}.{base64.urlsafe_b64encode(b'[' * 5000).decode().rstrip('=')}.{signature}",
    }
    oidc = verifier(issuer, clock)
    taken = [name for name, token in forged.items() if is_taken(oidc, token)]
    assert taken == []
    assert is_taken(oidc, good)


def test_no_key_is_fetched_from_where_a_token_says(
    issuer: SimulatedIssuer, clock: Clock, other_key: SigningKey
) -> None:
    elsewhere = SimulatedIssuer(other_key, **CLAIMS)
    with running(elsewhere) as url:
        headers = {"jku": f"{url}/.well-known/jwks", "x5u": f"{url}/cert"}
        assert not is_taken(verifier(issuer, clock), other_key.sign(claims_of(issuer), headers))
        assert not is_taken(
            verifier(issuer, clock), other_key.sign({**claims_of(issuer), "iss": url}, headers)
        )
    assert elsewhere.asked == []


def test_keys_are_asked_for_once_and_again_for_a_new_one(
    issuer: SimulatedIssuer, clock: Clock, other_key: SigningKey
) -> None:
    oidc = verifier(issuer, clock)
    assert is_taken(oidc, *[issuer.token(AUDIENCE)] * 5)
    assert issuer.asked.count("/.well-known/jwks") == 1
    issuer.keys.append(other_key)
    clock.time += ASK_AGAIN_SECONDS
    assert is_taken(oidc, issuer.token(AUDIENCE, other_key))
    assert issuer.asked.count("/.well-known/jwks") == 2


def test_unknown_keys_make_no_storm_of_questions(
    issuer: SimulatedIssuer, clock: Clock, key: SigningKey
) -> None:
    oidc = verifier(issuer, clock)
    forged = [key.sign(claims_of(issuer), {"kid": f"unknown-{number}"}) for number in range(20)]

    async def all_at_once() -> list[BaseException | None]:
        return await asyncio.gather(*(oidc.check(token.encode()) for token in forged), return_exceptions=True)

    assert all(isinstance(error, Refused) for error in asyncio.run(all_at_once()))
    assert issuer.asked.count("/.well-known/jwks") == 1


def test_the_last_good_keys_are_kept_while_the_issuer_is_away(issuer: SimulatedIssuer, clock: Clock) -> None:
    oidc = verifier(issuer, clock)
    assert is_taken(oidc, issuer.token(AUDIENCE))
    issuer.is_down = True
    clock.time += FRESH_SECONDS
    assert is_taken(oidc, issuer.token(AUDIENCE))


def test_a_withdrawn_key_is_good_no_longer_than_an_hour(
    issuer: SimulatedIssuer, clock: Clock, other_key: SigningKey
) -> None:
    oidc = verifier(issuer, clock)
    old = issuer.token(AUDIENCE)
    assert is_taken(oidc, old)
    issuer.keys = [other_key]
    clock.time += FRESH_SECONDS
    assert not is_taken(oidc, old)


def test_short_keys_and_other_kinds_are_passed_over(key: SigningKey) -> None:
    odd = [
        {**key.jwk, "kid": "for encryption", "use": "enc"},
        {**key.jwk, "kid": "another algorithm", "alg": "RS512"},
        {**key.jwk, "kid": "broken", "n": "?"},
        {"kty": "oct", "kid": "shared", "k": "c2VjcmV0"},
        {**SigningKey("short", bits=1024).jwk},
    ]
    assert set(read_keys({"keys": [*odd, key.jwk]})) == {"first"}


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        " ; ",
        "ref=refs/heads/main",
        "repository_owner=org",
        "repository",
        "repository=",
        "repository=a/b repository=c/d",
        "actor=somebody repository=a/b",
        'repository="a/b',
    ],
)
def test_rules_that_would_let_anybody_in_are_refused(wrong: str) -> None:
    with pytest.raises(Unusable):
        parse_rules(wrong)


def test_rules_are_read_with_quotes_and_lines() -> None:
    rules = parse_rules('repository=a/b workflow="Evaluate on the local models";\nrepository=c/d')
    assert [dict(rule.claims) for rule in rules] == [
        {"repository": "a/b", "workflow": "Evaluate on the local models"},
        {"repository": "c/d"},
    ]


def test_no_shared_secret_is_needed_beside_oidc(environment) -> None:
    chosen = environment(EVALHOOK_OIDC_AUDIENCE=AUDIENCE, EVALHOOK_OIDC_ALLOW=ALLOW)
    del chosen["MINDROUTER_EVAL_WEBHOOK_TOKEN"]
    settings = read_settings(chosen)
    assert settings.token is None
    assert settings.oidc is not None
    assert settings.oidc.issuer == "https://token.actions.githubusercontent.com"


@pytest.mark.parametrize("half", ["EVALHOOK_OIDC_AUDIENCE", "EVALHOOK_OIDC_ALLOW"])
def test_half_of_oidc_names_the_other_half(environment, half: str) -> None:
    whole = {"EVALHOOK_OIDC_AUDIENCE": AUDIENCE, "EVALHOOK_OIDC_ALLOW": ALLOW}
    with pytest.raises(ConfigurationError) as caught:
        read_settings(environment(**{half: whole[half]}))
    assert caught.value.where == next(name for name in whole if name != half)


def test_the_service_takes_such_a_token_and_still_the_shared_one(world, issuer: SimulatedIssuer) -> None:
    world.changes = {
        "EVALHOOK_OIDC_AUDIENCE": AUDIENCE,
        "EVALHOOK_OIDC_ALLOW": ALLOW,
        "EVALHOOK_OIDC_ISSUER": issuer.url,
    }

    async def tell(client: httpx.AsyncClient) -> None:
        for token, status in (
            (world.token, 200),
            (issuer.token(AUDIENCE), 200),
            (issuer.token("elsewhere"), 401),
        ):
            headers = {"Authorization": f"Bearer {token}"}
            assert (await client.get("/jobs", headers=headers)).status_code == status

    world.story(tell)


def test_such_a_token_opens_no_session_of_the_page(world, issuer: SimulatedIssuer) -> None:
    """It ends within minutes, and a session would go on for hours."""
    world.changes = {
        "EVALHOOK_OIDC_ISSUER": issuer.url,
        "EVALHOOK_OIDC_AUDIENCE": AUDIENCE,
        "EVALHOOK_OIDC_ALLOW": ALLOW,
    }

    async def tell(client: httpx.AsyncClient) -> None:
        token = issuer.token(AUDIENCE)
        shown = {"Authorization": f"Bearer {token}"}
        assert (await client.get("/jobs", headers=shown)).status_code == 200
        answer = await client.post("/login", data={"token": token}, headers={"Authorization": ""})
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers

    world.story(tell)


@pytest.mark.parametrize("has_ids", [False, True], ids=["older repository", "newer repository"])
@pytest.mark.parametrize(
    ("rule", "is_allowed"),
    [
        ("sub=repo:org/library:ref:refs/heads/main", True),
        ("sub=repo:org@100/library@900:ref:refs/heads/main", True),
        ("sub=repo:org@100/library:ref:refs/heads/main", True),
        ("sub=repo:org@101/library@900:ref:refs/heads/main", False),
        ("sub=repo:org@100/library@901:ref:refs/heads/main", False),
        ("sub=repo:org/library:ref:refs/heads/other", False),
        ("sub=repo:org/library", False),
        ("sub=repo:org/librar:ref:refs/heads/main", False),
        ("sub=repo:org/library@900:ref:refs/heads/main repository_id=901", False),
    ],
)
def test_rules_on_subjects_hold_with_ids_and_without(
    issuer: SimulatedIssuer, clock: Clock, rule: str, *, is_allowed: bool, has_ids: bool
) -> None:
    issuer.has_ids_in_subject = has_ids
    assert is_taken(verifier(issuer, clock, rule), issuer.token(AUDIENCE)) is is_allowed


@pytest.mark.parametrize(
    "subject",
    [
        "repo:org/library@900@1:ref:refs/heads/main",
        "repo:org@x/library@900:ref:refs/heads/main",
        "repo:org@100/library@900/x:ref:refs/heads/main",
        "actor:org repo:org@100/library@900:ref:refs/heads/main",
        " repo:org/library:ref:refs/heads/main",
        "repo:org/library:ref:refs/heads/main\n",
        ["repo:org/library:ref:refs/heads/main"],
        None,
    ],
)
def test_subjects_that_are_written_alike_are_refused(
    issuer: SimulatedIssuer, clock: Clock, subject: object
) -> None:
    oidc = verifier(issuer, clock, "sub=repo:org/library:ref:refs/heads/main")
    assert not is_taken(oidc, issuer.token(AUDIENCE, sub=subject))


def test_ids_of_a_rule_are_looked_for_in_a_token_that_has_none(issuer: SimulatedIssuer, clock: Clock) -> None:
    oidc = verifier(issuer, clock, "sub=repo:org@100/library@900:ref:refs/heads/main")
    assert not is_taken(oidc, issuer.token(AUDIENCE, repository_id=None))
