"""What each kind of setting may say; whatever the text, a value or a sentence that does not repeat it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.secret import Secret
from evalhook.config import values
from evalhook.config.values import Unusable

READERS = {
    "flag": values.flag,
    "commit_back": values.commit_back,
    "publish_cases": values.publish_cases,
    "bind": values.bind,
    "folder": values.folder,
    "repository": values.repository,
    "accounts": values.accounts,
    "branch": values.branch,
    "one_line": values.one_line,
    "whole_number": values.whole_number(1, 64),
    "duration": values.duration,
    "one_line_secret": values.one_line_secret,
    "long_secret": values.long_secret(32),
    "private_key": values.private_key,
    "server_root": values.server_root,
    "web_url": values.web_url("https://host"),
    "http_proxy": values.http_proxy,
    "remote_url": values.remote_url,
    "as_written": values.as_written(values.server_root),
}
TEXTS = (
    st.text(max_size=40)
    | st.text("0123456789smh.:/[]@-_~ ", max_size=30)
    | st.from_regex(r"https?://[a-z.\[\]:@/0-9 ]{0,20}", fullmatch=True)
)


@pytest.mark.parametrize("name", READERS)
@given(TEXTS)
def test_whatever_the_text_it_is_a_value_or_unusable(name, text):
    try:
        READERS[name](text)
    except Unusable as error:
        told = (error.what, error.hint)
    else:
        told = ()
    assert all("\n" not in sentence for sentence in told)
    assert len(told) in {0, 2}


@pytest.mark.parametrize("name", READERS)
def test_a_sentence_never_repeats_the_value_which_may_be_a_secret_in_the_wrong_place(name):
    text = "ghp_secret\x00 0123456789abcdef"
    with pytest.raises(Unusable) as caught:
        READERS[name](text)
    assert "ghp_secret" not in caught.value.what + caught.value.hint
    assert caught.value.hint


def refused(read, text):
    with pytest.raises(Unusable) as caught:
        read(text)
    return caught.value.what


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("TRUE", True), ("yes", True), ("0", False), ("False", False), ("no", False)],
)
def test_a_flag_is_one_or_nought(text, value):
    assert values.flag(text) is value


@pytest.mark.parametrize("text", ["", "2", "on", "off", " 1", "y"])
def test_anything_else_is_no_flag(text):
    assert refused(values.flag, text) == "is neither 1 nor 0"


@pytest.mark.parametrize("text", ["pr", "push", "none"])
def test_results_are_committed_back_in_one_of_three_ways(text):
    assert values.commit_back(text) == text
    assert refused(values.commit_back, text.upper()) == "is not a way to commit back"


@pytest.mark.parametrize("text", ["names", "hashed", "none"])
def test_cases_are_published_in_one_of_three_ways(text):
    assert values.publish_cases(text) == text
    assert refused(values.publish_cases, f"{text} ") == "is not a way to publish cases"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("localhost:0", ("localhost", 0)),
        ("[::1]:65535", ("::1", 65535)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
    ],
)
def test_an_address_to_listen_at_is_a_host_and_a_port(text, value):
    assert values.bind(text) == value


@pytest.mark.parametrize(
    "text", ["", "8080", ":8080", "host:", "host:x", "host:65536", "host:-1", "host:٣", "h:" + "9" * 5000]
)
def test_what_is_no_address_to_listen_at_is_refused(text):
    assert refused(values.bind, text) == "is not host:port"


def test_a_folder_is_absolute_and_the_home_is_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert values.folder("~/state") == tmp_path / "state"
    assert values.folder("state") == tmp_path / "state"
    assert values.folder("/srv/state") == Path("/srv/state")


def test_the_home_of_nobody_is_no_folder():
    assert (
        refused(values.folder, "~nobody-by-that-name/state") == "is in the home of a user that is not there"
    )


@pytest.mark.parametrize("text", ["owner/name", "a/b", "Acme-1/prompt.library_2", "a" * 39 + "/" + "b" * 100])
def test_a_repository_is_an_owner_and_a_name(text):
    assert values.repository(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "/name",
        "owner/",
        "-a/b",
        "a/b/c",
        "a b/c",
        "a/b\n",
        "https://github.com/a/b",
        "a" * 40 + "/b",
    ],
)
def test_what_is_no_repository_is_refused(text):
    assert refused(values.repository, text) == "is not the name of a repository"


def test_accounts_are_separated_by_commas_and_an_apps_ends_in_bot():
    assert values.accounts("a, b-c ,app[bot]") == ("a", "b-c", "app[bot]")
    assert values.accounts("") == values.accounts(" , ") == ()
    for text in ("a b", "a,@b", "[bot]", "a[bot]x", "-a"):
        assert refused(values.accounts, text) == "is not a list of GitHub accounts"


@pytest.mark.parametrize("text", ["main", "release/1.2", "a_b-c", "x" * 200])
def test_a_branch_is_a_name_that_git_takes(text):
    assert values.branch(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "-main", "/main", "main/", "a..b", "a//b", "main.lock", "main.", "a b", "a~1", "a:b", "x" * 201],
)
def test_what_git_would_take_for_something_else_is_no_branch(text):
    assert refused(values.branch, text) == "is not the name of a branch"


@pytest.mark.parametrize("text", ["1", "64", "7"])
def test_a_whole_number_lies_within_its_bounds(text):
    assert values.whole_number(1, 64)(text) == int(text)


@pytest.mark.parametrize("text", ["", "0", "65", "-1", "+1", "1.0", "1_0", "٣", " 1", "9" * 5000])
def test_what_is_no_whole_number_within_them_is_refused(text):
    assert refused(values.whole_number(1, 64), text) == "is not a whole number from 1 to 64"


@given(st.integers(1, 10**6), st.integers(0, 10**6))
def test_every_number_within_bounds_is_read(low, above):
    assert values.whole_number(low, low + above)(str(low + above)) == low + above


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("45m", 2700), ("2h", 7200), ("720h", 30 * 86400)]
)
def test_a_time_is_in_seconds_minutes_or_hours(text, seconds):
    assert values.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0h", "-5", "1d", "1.5h", "721h", "h", "1 h", "99999999"])
def test_what_is_no_time_is_refused(text):
    assert refused(values.duration, text) == "is not a time of up to 30 days"


def test_a_secret_is_one_word_of_ascii():
    assert values.one_line_secret("abc!~") == Secret("abc!~")
    for text in ("a b", "a\nb", "a\tb", "é", "a\x7f"):
        assert refused(values.one_line_secret, text) == "holds white space or characters outside ASCII"


def test_a_token_is_long_enough():
    assert values.long_secret(32)("x" * 32) == Secret("x" * 32)
    assert refused(values.long_secret(32), "x" * 31) == "is shorter than 32 characters"


def test_a_private_key_is_in_pem_form():
    kind = "PRIVATE" + " KEY"
    pem = f"-----BEGIN RSA {kind}-----\nMIIB\n-----END RSA {kind}-----"
    assert values.private_key(pem) == Secret(pem)
    for text in ("MIIB", "-----BEGIN CERTIFICATE-----", f"x {pem}"):
        assert refused(values.private_key, text) == "is not a private key in PEM form"


@pytest.mark.parametrize("text", ["https://host", "https://host/", "https://host/v1", "https://host/v1/"])
def test_a_servers_root_is_the_same_with_and_without_v1(text):
    assert values.server_root(text) == "https://host"
    assert values.as_written(values.server_root)(text) == text


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("host", "is not the URL of a server"),
        ("ftp://host", "is not the URL of a server"),
        ("https://", "is not the URL of a server"),
        ("https://host?a=1", "is not the URL of a server"),
        ("https://host#a", "is not the URL of a server"),
        ("https://[host", "is not a URL"),
        ("https://host:port", "is not a URL"),
        ("https://host:99999", "is not a URL"),
        ("https://ho st", "holds white space"),
        ("https://host\n", "holds white space"),
        ("https://user:pw@host", "holds a user name or password"),
        ("https://user@host", "holds a user name or password"),
    ],
)
@pytest.mark.parametrize("read", [values.server_root, values.web_url("https://host")])
def test_what_is_no_servers_url_is_refused(read, text, what):
    assert refused(read, text) == what


def test_a_proxy_is_an_address_over_http_and_nothing_more():
    assert values.http_proxy("http://proxy:3128/") == "http://proxy:3128"
    for text in ("proxy:3128", "https://proxy:3128", "socks5://proxy", "http://proxy/path", "http://"):
        assert refused(values.http_proxy, text) == "is not the URL of an HTTP proxy"
    # A password would be shown by `evalhook check`.
    assert refused(values.http_proxy, "http://user:pw@proxy") == "holds a user name or password"


@pytest.mark.parametrize(
    "text",
    ["https://github.com/a/b.git", "http://127.0.0.1/a", "/srv/library.git", "file:///srv/library.git"],
)
def test_a_remote_is_over_http_or_a_folder(text):
    assert values.remote_url(text) == text


@pytest.mark.parametrize(
    "text",
    ["git@github.com:a/b.git", "ssh://host/a", "git://host/a", "ext::sh -c id", "a/b", "", "https:///a"],
)
def test_a_remote_that_would_run_a_command_or_bypass_the_credentials_is_refused(text):
    refused(values.remote_url, text)


@pytest.mark.parametrize(
    "url", ["https://host", "http://127.0.0.1:8", "http://localhost", "http://[::1]", "/srv/x"]
)
def test_credentials_are_sent_encrypted_or_stay_on_this_machine(url):
    values.require_encryption(url)


@pytest.mark.parametrize(
    "url", ["http://host", "http://10.0.0.1", "http://localhost.example.edu", "http://127.0.0.1.nip.io"]
)
def test_plain_http_to_elsewhere_is_refused(url):
    assert refused(values.require_encryption, url) == "would send credentials unencrypted"
