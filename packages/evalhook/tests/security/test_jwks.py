"""The issuer's keys: from its own server alone, asked for at a bounded rate, unusable ones passed over."""

from __future__ import annotations

import asyncio

import pytest

from evalhook.security.fetch import FetchFailed, fetch_json
from evalhook.security.jwks import (
    ASK_AGAIN_SECONDS,
    FRESH_SECONDS,
    LONGEST_SECONDS,
    MAX_DOCUMENT_BYTES,
    MAX_KEYS,
    KeySet,
    read_keys,
)
from evalsim.oidc import SigningKey

ISSUER = "https://issuer.example"
CONFIGURATION = f"{ISSUER}/.well-known/openid-configuration"
USUAL = f"{ISSUER}/.well-known/jwks"


@pytest.fixture(scope="module")
def key():
    return SigningKey("first")


class Issuer:
    """What an issuer has at its addresses; a failure in a document's place is raised."""

    def __init__(self, **documents):
        self.documents = {CONFIGURATION: {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}, **documents}
        self.asked = []
        self.now = 1000.0

    def __call__(self, url, limit):
        assert limit == MAX_DOCUMENT_BYTES
        self.asked.append(url)
        found = self.documents.get(url, FetchFailed(f"{url} answered 404", is_missing=True))
        if isinstance(found, Exception):
            raise found
        return found

    def keys(self):
        return KeySet(ISSUER, monotonic=lambda: self.now, fetch=self)


def issuer_of(*keys, **changes):
    return Issuer(**{f"{ISSUER}/keys": {"keys": [key.jwk for key in keys]}, **changes})


def get(keys, *kids):
    async def ask():
        return [await keys.key(kid) for kid in kids]

    return asyncio.run(ask())


def test_a_key_is_found_by_its_id_and_asked_for_once(key):
    issuer = issuer_of(key)
    found, again = get(issuer.keys(), "first", "first")
    assert found is again is not None
    assert issuer.asked == [CONFIGURATION, f"{ISSUER}/keys"]


def test_an_issuer_without_a_configuration_has_its_keys_at_the_usual_place(key):
    issuer = Issuer(**{USUAL: {"keys": [key.jwk]}})
    del issuer.documents[CONFIGURATION]
    assert get(issuer.keys(), "first") != [None]
    assert issuer.asked == [CONFIGURATION, USUAL]


def test_an_issuer_that_is_down_has_no_usual_place(key):
    issuer = Issuer(**{USUAL: {"keys": [key.jwk]}, CONFIGURATION: FetchFailed("answered 500")})
    assert get(issuer.keys(), "first") == [None]
    assert issuer.asked == [CONFIGURATION]


@pytest.mark.parametrize(
    "configuration",
    [
        {"issuer": ISSUER, "jwks_uri": "https://elsewhere.example/keys"},
        {"issuer": ISSUER, "jwks_uri": "http://issuer.example/keys"},
        {"issuer": ISSUER, "jwks_uri": "https://issuer.example:444/keys"},
        {"issuer": ISSUER, "jwks_uri": "https://issuer.example@elsewhere.example/keys"},
        {"issuer": ISSUER, "jwks_uri": "https://[issuer.example/keys"},
        {"issuer": ISSUER, "jwks_uri": "/keys"},
        {"issuer": "https://elsewhere.example", "jwks_uri": f"{ISSUER}/keys"},
        {"issuer": f"{ISSUER}/", "jwks_uri": f"{ISSUER}/keys"},
        {"issuer": ISSUER},
        {"issuer": 7, "jwks_uri": 7},
        [],
        None,
    ],
)
def test_a_configuration_that_speaks_of_another_server_gives_no_key(key, configuration):
    issuer = issuer_of(key, **{CONFIGURATION: configuration})
    assert get(issuer.keys(), "first") == [None]
    assert issuer.asked == [CONFIGURATION]


def test_made_up_ids_make_no_storm_of_questions(key):
    issuer = issuer_of(key)
    keys = issuer.keys()
    get(keys, "first", *(f"made-up-{at}" for at in range(50)))
    assert len(issuer.asked) == 2
    issuer.now += ASK_AGAIN_SECONDS
    get(keys, "made-up", "another")
    assert len(issuer.asked) == 4


def test_many_requests_at_once_ask_once(key):
    issuer = issuer_of(key)
    keys = issuer.keys()

    async def together():
        return await asyncio.gather(*(keys.key("first") for _ in range(20)))

    assert None not in asyncio.run(together())
    assert len(issuer.asked) == 2


def test_a_new_key_is_found_when_it_is_used(key):
    other = SigningKey("second")
    issuer = issuer_of(key)
    keys = issuer.keys()
    assert get(keys, "second") == [None]
    issuer.documents[f"{ISSUER}/keys"] = {"keys": [key.jwk, other.jwk]}
    issuer.now += ASK_AGAIN_SECONDS
    assert get(keys, "second") != [None]


def test_a_withdrawn_key_is_good_no_longer_than_keys_are_fresh(key):
    issuer = issuer_of(key)
    keys = issuer.keys()
    get(keys, "first")
    issuer.documents[f"{ISSUER}/keys"] = {"keys": [SigningKey("second").jwk]}
    issuer.now += FRESH_SECONDS - 1
    assert get(keys, "first") != [None]
    issuer.now += 1
    assert get(keys, "first") == [None]


@pytest.mark.parametrize("failure", [FetchFailed("down"), {"keys": []}, {}, {"keys": [{"kty": "EC"}]}, 7])
def test_the_last_good_keys_stay_for_a_day_while_the_issuer_gives_none(key, failure):
    issuer = issuer_of(key)
    keys = issuer.keys()
    get(keys, "first")
    issuer.documents[f"{ISSUER}/keys"] = failure
    issuer.now += FRESH_SECONDS
    assert get(keys, "first") != [None]
    issuer.now += LONGEST_SECONDS - FRESH_SECONDS
    assert get(keys, "first") == [None]


# The keys of a set


def test_a_set_that_is_not_readable_is_a_failure():
    for document in (None, [], {}, {"keys": 7}, {"keys": [7]}, {"keys": [{"kty": 7}]}):
        with pytest.raises(FetchFailed, match="the issuer's keys are not readable: "):
            read_keys(document)


@pytest.mark.parametrize(
    "change",
    [
        {"kty": "EC"},
        {"use": "enc"},
        {"alg": "RS512"},
        {"alg": "none"},
        {"n": ""},
        {"n": "!!"},
        {"e": ""},
        {"e": "AA"},
    ],
)
def test_a_key_that_is_no_rsa_key_for_signatures_is_passed_over(key, change):
    assert read_keys({"keys": [key.jwk | change]}) == {}
    assert list(read_keys({"keys": [key.jwk | change | {"kid": "odd"}, key.jwk]})) == ["first"]


def test_a_key_without_an_id_cannot_be_asked_for(key):
    assert read_keys({"keys": [key.jwk | {"kid": ""}]}) == {}


def test_what_a_key_leaves_out_is_what_it_mostly_is(key):
    bare = {name: key.jwk[name] for name in ("kty", "kid", "n", "e")}
    assert list(read_keys({"keys": [bare]})) == ["first"]


def test_a_short_key_is_passed_over():
    assert read_keys({"keys": [SigningKey("short", 1024).jwk]}) == {}


def test_more_keys_than_anybody_has_are_not_read(key):
    many = [key.jwk | {"kid": str(at)} for at in range(MAX_KEYS + 5)]
    assert len(read_keys({"keys": many})) == MAX_KEYS


def test_an_address_that_is_none_is_a_failure():
    for url in (f"{ISSUER}/\x00", "http://[bad/", "http://host:port/"):
        with pytest.raises(FetchFailed):
            fetch_json(url, 100)
