"""What the environment chooses of pull requests, and where git finds the repository."""

from __future__ import annotations

import pytest

from evalcli.workflows.environment import GitHubAccess, github_access
from evalcli.workflows.publishing import pull_request_options, web_root
from evalcore.errors import ConfigurationError
from evalcore.publishing.pull_request import PullRequestOptions


def access(**environ: str) -> GitHubAccess:
    return github_access({"GITHUB_TOKEN": "ghp_token"} | environ, "owner/name")


def test_nothing_is_chosen_where_nothing_is_set() -> None:
    assert pull_request_options({}) == PullRequestOptions()


def test_what_is_set_is_chosen_as_the_service_has_it() -> None:
    environ = {
        "EVALHOOK_COMMIT_SUFFIX": "[skip ci]",
        "EVALHOOK_AUTO_MERGE": "1",
        "EVALHOOK_DASHBOARD_URL": " https://owner.github.io/name \n",
        "EVALHOOK_PUBLISH_REPORTS": "1",
    }
    assert pull_request_options(environ) == PullRequestOptions(
        commit_suffix="[skip ci]",
        auto_merge=True,
        dashboard_url="https://owner.github.io/name",
        publish_reports=True,
    )


@pytest.mark.parametrize("value", ["0", "", "true", "yes"])
def test_only_1_switches_something_on(value: str) -> None:
    """An unset variable of a workflow is the empty text."""
    environ = {"EVALHOOK_AUTO_MERGE": value, "EVALHOOK_PUBLISH_REPORTS": value}
    assert pull_request_options(environ) == PullRequestOptions()
    assert pull_request_options(environ, publish_reports=True).publish_reports


@pytest.mark.parametrize("url", ["owner.github.io/name", "ftp://x", "javascript:alert(1)"])
def test_a_dashboard_is_a_site(url: str) -> None:
    with pytest.raises(ConfigurationError, match="is not the address of a site") as error:
        pull_request_options({"EVALHOOK_DASHBOARD_URL": url})
    assert error.value.where == "EVALHOOK_DASHBOARD_URL"


@pytest.mark.parametrize(
    ("environ", "root"),
    [
        ({}, "https://github.com"),
        # The runner of github.com names its server too; what the API says counts before it.
        ({"GITHUB_SERVER_URL": "https://elsewhere.example"}, "https://github.com"),
        ({"GITHUB_API_URL": "https://git.example/api/v3"}, "https://git.example"),
        ({"GITHUB_API_URL": "https://git.example/api/v3/"}, "https://git.example"),
        (
            {"GITHUB_API_URL": "https://api.git.example", "GITHUB_SERVER_URL": "https://git.example/"},
            "https://git.example",
        ),
    ],
)
def test_git_remotes_are_where_the_api_is(environ: dict[str, str], root: str) -> None:
    assert web_root(access(**environ), environ) == root


def test_an_api_that_does_not_tell_where_its_remotes_are_is_named_with_what_would() -> None:
    environ = {"GITHUB_API_URL": "https://api.git.example"}
    with pytest.raises(ConfigurationError, match="does not say where the git remotes are") as error:
        web_root(access(**environ), environ)
    assert error.value.where == "GITHUB_API_URL"
    assert "GITHUB_SERVER_URL" in (error.value.hint or "")
