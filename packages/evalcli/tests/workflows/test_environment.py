"""What the environment says of GitHub: whose token, which repository, where its API is."""

from __future__ import annotations

import pytest

from evalcli.workflows.environment import APP_ID, APP_KEY, github_access, read_secret
from evalcore.errors import ConfigurationError
from evalcore.github.tokens import AppTokens, FixedToken
from evalcore.secret import Secret

TOKEN = {"GITHUB_TOKEN": "ghp_value"}
KEY = "-----BEGIN RSA PRIVATE" + " KEY-----\nMIIB\n"


def refused(environ, repository="acme/library"):
    with pytest.raises(ConfigurationError) as caught:
        github_access(environ, repository)
    return caught.value


def test_a_token_and_a_repository_are_enough():
    access = github_access(TOKEN, "acme/library")
    assert access.repository == "acme/library"
    assert isinstance(access.tokens, FixedToken)
    assert access.api_url == "https://api.github.com"
    assert (access.allow_http, access.trusted) == (False, ())


@pytest.mark.parametrize("name", ["", "library", "acme/", "/library", "a/b/c", "-a/b", "a b/c", "a/b\n"])
def test_a_repository_is_owner_and_name(name):
    assert (refused(TOKEN, name).where, refused(TOKEN, name).hint) == ("--repo", "name it so")


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({"GITHUB_API_URL": "https://ghe/api/v3/"}, "https://ghe/api/v3"),
        ({"EVALHOOK_GITHUB_API_URL": "https://own", "GITHUB_API_URL": "https://runner"}, "https://own"),
        ({"EVALHOOK_GITHUB_API_URL": "", "GITHUB_API_URL": "https://runner"}, "https://runner"),
    ],
)
def test_the_services_setting_goes_before_the_runners(environ, url):
    assert github_access(TOKEN | environ, "a/b").api_url == url


def test_an_app_goes_before_a_token():
    assert isinstance(github_access(TOKEN | {APP_ID: "7", APP_KEY: KEY}, "a/b").tokens, AppTokens)


@pytest.mark.parametrize(
    ("environ", "where", "what"),
    [
        ({}, "GITHUB_TOKEN", "is not set"),
        ({"GITHUB_TOKEN": "  "}, "GITHUB_TOKEN", "is not set"),
        ({APP_ID: "7"}, APP_KEY, "is not set, though the app's other half is"),
        ({APP_KEY: KEY}, APP_ID, "is not set, though the app's other half is"),
        ({APP_ID: "seven", APP_KEY: KEY}, APP_ID, "is not set, though the app's other half is"),
    ],
)
def test_what_lacks_is_named(environ, where, what):
    error = refused(environ)
    assert (error.where, error.what) == (where, what)
    assert error.hint


def test_accounts_and_plain_http_are_as_the_service_has_them():
    environ = TOKEN | {"EVALHOOK_TRUSTED_PUBLISHERS": "a, b,,", "EVALHOOK_ALLOW_HTTP": "1"}
    access = github_access(environ, "a/b")
    assert (access.allow_http, access.trusted) == (True, ("a", "b"))
    assert not github_access(TOKEN | {"EVALHOOK_ALLOW_HTTP": "yes"}, "a/b").allow_http


def test_a_secret_may_come_from_a_file(tmp_path):
    file = tmp_path / "token"
    file.write_text("ghp_value\n")
    assert read_secret({"X_FILE": str(file)}, "X") == Secret("ghp_value")
    assert read_secret({"X": " own ", "X_FILE": str(file)}, "X") == Secret("own")
    assert read_secret({}, "X") is None
    file.write_text("\n")
    assert read_secret({"X_FILE": str(file)}, "X") is None


@pytest.mark.parametrize("data", [None, b"\xff"])
def test_a_file_that_cannot_be_read_is_named_and_not_shown(tmp_path, data):
    file = tmp_path / "token"
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(ConfigurationError) as caught:
        read_secret({"X_FILE": str(file)}, "X")
    assert caught.value.where == "X_FILE"
    assert str(file) not in caught.value.line
