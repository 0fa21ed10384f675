"""Settings: each one missing, wrong, from a file; no secret ever shown."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest

from evalcore.errors import ConfigurationError
from evalcore.secret import MASK, Scrubber, Secret
from evalhook.config.settings import GitHubApp, GitHubToken, inspect_settings, read_settings

Environment = Callable[..., dict[str, str]]
KIND = "RSA PRIVATE" + " KEY"  # in two parts: scanners for keys would take it for one
PEM = f"-----BEGIN {KIND}-----\nMIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf\n-----END {KIND}-----"
NEEDED = (
    "MINDROUTER_EVAL_WEBHOOK_TOKEN",
    "MINDROUTER_BASE_URL",
    "MINDROUTER_API_KEY",
    "EVALHOOK_PROMPT_LIBRARY",
    "EVALHOOK_STATE_DIR",
)


def test_defaults_are_the_documented_ones(environment: Environment) -> None:
    settings = read_settings(environment())
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert (settings.default_branch, settings.concurrency, settings.retention_days) == ("main", 16, 90)
    assert settings.github_api_url == "https://api.github.com"
    assert not settings.allow_http
    assert settings.data_sets is None


def test_commit_back_defaults_to_pull_requests(environment: Environment) -> None:
    chosen = environment(EVALHOOK_GITHUB_REPO="owner/name", GITHUB_TOKEN="ghp_abcdefgh")
    del chosen["EVALHOOK_COMMIT_BACK"]
    settings = read_settings(chosen)
    assert settings.commit_back == "pr"
    assert settings.github == GitHubToken(Secret("ghp_abcdefgh"))


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("is_empty", [True, False])
def test_a_missing_or_empty_setting_is_named(environment: Environment, name: str, is_empty: bool) -> None:  # noqa: FBT001
    chosen = environment()
    if is_empty:
        chosen[name] = " "
    else:
        del chosen[name]
    with pytest.raises(ConfigurationError) as caught:
        read_settings(chosen)
    assert caught.value.where == name
    assert "is not set" in caught.value.line
    assert "\n" not in caught.value.line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MINDROUTER_EVAL_WEBHOOK_TOKEN", "x" * 31),
        ("MINDROUTER_EVAL_WEBHOOK_TOKEN", "x" * 31 + "\n" + "y"),
        ("MINDROUTER_BASE_URL", "mindrouter.example"),
        ("MINDROUTER_BASE_URL", "ftp://mindrouter.example"),
        ("MINDROUTER_BASE_URL", "https://user:secret-pass@mindrouter.example"),
        ("MINDROUTER_API_KEY", "two words"),
        ("EVALHOOK_BIND", "8080"),
        ("EVALHOOK_BIND", "localhost:99999"),
        ("EVALHOOK_BIND", ":9090"),
        ("EVALHOOK_COMMIT_BACK", "branch"),
        ("EVALHOOK_DEFAULT_BRANCH", "--upload-pack=evil"),
        ("EVALHOOK_DEFAULT_BRANCH", "a..b"),
        ("EVALHOOK_GITHUB_REPO", "just-a-name"),
        ("EVALHOOK_GITHUB_REPO", "owner/name/more"),
        ("EVALHOOK_TRUSTED_PUBLISHERS", "github-actions[bot] ci-bot"),
        ("EVALHOOK_TRUSTED_PUBLISHERS", "bot@example.org"),
        ("EVALHOOK_GITHUB_API_URL", "http://github.example/api/v3"),
        ("EVALHOOK_PROMPT_LIBRARY_URL", "http://github.example/o/n.git"),
        ("EVALHOOK_PROMPT_LIBRARY_URL", "ext::sh -c id"),
        ("EVALHOOK_PROMPT_LIBRARY_URL", "git@github.com:o/n.git"),
        ("EVALHOOK_PROMPT_LIBRARY_URL", "https://token@github.com/o/n.git"),
        ("EVALHOOK_CONCURRENCY", "0"),
        ("EVALHOOK_CONCURRENCY", "1_6"),
        ("EVALHOOK_CONCURRENCY", "\u0661\u0666"),
        ("EVALHOOK_CONCURRENCY", "9" * 5000),
        ("EVALHOOK_RETENTION_DAYS", "-1"),
        ("EVALHOOK_ALLOW_HTTP", "maybe"),
        ("EVALHOOK_COMMIT_SUFFIX", "one\ntwo"),
        ("EVALHOOK_GITHUB_APP_PRIVATE_KEY", "not a key"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_never_shown(
    environment: Environment, name: str, value: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_settings(environment(**{name: value}))
    assert caught.value.where == name
    assert caught.value.hint
    if len(value) > 4:
        assert value not in caught.value.line.removeprefix(name)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:80/o/n.git", "http://localhost/o/n.git", "http://[::1]/o/n.git"]
)
def test_plain_http_is_allowed_to_loopback(environment: Environment, url: str) -> None:
    assert read_settings(environment(EVALHOOK_PROMPT_LIBRARY_URL=url)).prompt_library_url == url


def test_plain_http_is_allowed_where_the_operator_says_so(environment: Environment) -> None:
    url = "http://git.internal/o/n.git"
    chosen = environment(EVALHOOK_PROMPT_LIBRARY_URL=url, EVALHOOK_ALLOW_HTTP="1")
    assert read_settings(chosen).prompt_library_url == url


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
def test_mindrouters_root_is_the_same_with_and_without_v1(environment: Environment, suffix: str) -> None:
    settings = read_settings(environment(MINDROUTER_BASE_URL=f"https://router.example{suffix}"))
    assert settings.mindrouter_base_url == "https://router.example"


def test_data_sets_url_needs_the_path(environment: Environment) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_settings(environment(EVALHOOK_DATA_SETS_URL="https://github.com/o/d.git"))
    assert caught.value.where == "EVALHOOK_DATA_SETS"


@pytest.mark.parametrize("mode", ["pr", "push"])
def test_committing_back_needs_credentials(environment: Environment, mode: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_settings(environment(EVALHOOK_COMMIT_BACK=mode, EVALHOOK_GITHUB_REPO="o/n"))
    assert caught.value.where == "GITHUB_TOKEN"


def test_pull_requests_need_the_repository(environment: Environment) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_settings(environment(EVALHOOK_COMMIT_BACK="pr", GITHUB_TOKEN="ghp_abcdefgh"))
    assert caught.value.where == "EVALHOOK_GITHUB_REPO"


def test_an_app_takes_the_place_of_the_token(environment: Environment) -> None:
    app = {"EVALHOOK_GITHUB_APP_ID": "7", "EVALHOOK_GITHUB_APP_PRIVATE_KEY": PEM}
    settings = read_settings(environment(EVALHOOK_COMMIT_BACK="pr", EVALHOOK_GITHUB_REPO="o/n", **app))
    assert settings.github == GitHubApp(7, Secret(PEM))


@pytest.mark.parametrize("half", ["EVALHOOK_GITHUB_APP_ID", "EVALHOOK_GITHUB_APP_PRIVATE_KEY"])
def test_half_an_app_names_the_other_half(environment: Environment, half: str) -> None:
    app = {"EVALHOOK_GITHUB_APP_ID": "7", "EVALHOOK_GITHUB_APP_PRIVATE_KEY": PEM}
    missing = next(name for name in app if name != half)
    with pytest.raises(ConfigurationError) as caught:
        read_settings(environment(**{half: app[half]}))
    assert caught.value.where == missing


def test_token_and_app_together_are_refused(environment: Environment) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_settings(environment(GITHUB_TOKEN="ghp_abcdefgh", EVALHOOK_GITHUB_APP_ID="7"))
    assert caught.value.where == "GITHUB_TOKEN"


def test_every_secret_may_come_from_a_file(environment: Environment, tmp_path: Path) -> None:
    chosen = environment(EVALHOOK_COMMIT_BACK="pr", EVALHOOK_GITHUB_REPO="o/n")
    secrets = {
        "MINDROUTER_EVAL_WEBHOOK_TOKEN": "w" * 40,
        "MINDROUTER_API_KEY": "mr2_file",
        "GITHUB_TOKEN": "ghp_file",
        "EVALHOOK_DATA_SETS_TOKEN": "ghp_read",
    }
    for name, value in secrets.items():
        file = tmp_path / name
        file.write_text(f"{value}\n")
        chosen.pop(name, None)
        chosen[f"{name}_FILE"] = str(file)
    settings = read_settings(chosen)
    assert {secret.reveal() for secret in settings.secrets} == set(secrets.values())


def test_a_private_key_comes_from_a_file_with_its_lines(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(PEM)
    app = {"EVALHOOK_GITHUB_APP_ID": "7", "EVALHOOK_GITHUB_APP_PRIVATE_KEY_FILE": str(tmp_path / "key.pem")}
    settings = read_settings(environment(EVALHOOK_GITHUB_REPO="o/n", **app))
    assert settings.github == GitHubApp(7, Secret(PEM))


@pytest.mark.parametrize("contents", [None, b"", b"\xff\xfe", b"x" * 70_000])
def test_an_unusable_secret_file_is_named_by_its_setting(
    environment: Environment, tmp_path: Path, contents: bytes | None
) -> None:
    file = tmp_path / "secret"
    if contents is not None:
        file.write_bytes(contents)
    chosen = environment(MINDROUTER_API_KEY_FILE=str(file))
    del chosen["MINDROUTER_API_KEY"]
    with pytest.raises(ConfigurationError) as caught:
        read_settings(chosen)
    assert caught.value.where == "MINDROUTER_API_KEY"
    assert "MINDROUTER_API_KEY_FILE" in caught.value.line


def test_a_secret_given_twice_is_refused(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("mr2_other")
    with pytest.raises(ConfigurationError, match="both set"):
        read_settings(environment(MINDROUTER_API_KEY_FILE=str(tmp_path / "key")))


def test_no_secret_is_shown_by_settings_or_errors(environment: Environment) -> None:
    settings = read_settings(environment(GITHUB_TOKEN="ghp_never-to-be-seen"))
    shown = f"{settings!r} {settings} {settings.token} {settings.secrets!r}"
    assert MASK in shown
    for secret in settings.secrets:
        assert secret.reveal() not in shown


def test_a_secret_is_not_copied_out() -> None:
    with pytest.raises(TypeError):
        copy.deepcopy(Secret("hush"))


def test_the_scrubber_masks_every_secret_line_by_line() -> None:
    scrub = Scrubber([Secret("ghp_0123456789"), Secret(PEM), Secret("short")])
    text = scrub(f"push of ghp_0123456789 failed: {PEM.splitlines()[1]} short")
    assert "ghp_0123456789" not in text
    assert "MIIBOg" not in text
    assert text.endswith("short")


def test_inspection_collects_every_mistake_at_once(environment: Environment) -> None:
    chosen = environment(EVALHOOK_BIND="nowhere", EVALHOOK_CONCURRENCY="many")
    del chosen["MINDROUTER_API_KEY"]
    inspection = inspect_settings(chosen)
    assert inspection.settings is None
    assert {p.where for p in inspection.problems} == {
        "EVALHOOK_BIND",
        "EVALHOOK_CONCURRENCY",
        "MINDROUTER_API_KEY",
    }
