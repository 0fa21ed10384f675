"""Pull requests on GitHub: which are ours, opened once, labelled once."""

from __future__ import annotations

import pytest

from evalcore.git.errors import InsecureRemote
from evalcore.git.setting_names import SettingNames
from evalcore.github.transport import GitHubUnreachable
from evalsim.github import Fault, SimulatedGitHub
from evalsim.testing import REPOSITORY, git

BRANCH = "eval-results/budget-0123456789ab-20260101T000000Z"


def test_pull_request_is_opened_once_and_labelled_once(app: SimulatedGitHub, push_branch, client) -> None:
    push_branch(BRANCH)
    first = client().open_pull_request(BRANCH, "main", "Title", "Body")
    again = client().open_pull_request(BRANCH, "main", "Title", "Body")
    assert first == again
    assert first.url.endswith(f"/{REPOSITORY}/pull/1")
    client().add_labels(first, ["eval-results", "automerge"])
    labelled = client().pull_request_of(BRANCH, "main")
    assert labelled is not None
    assert labelled.labels == ("eval-results", "automerge")
    app.state.faults.add(Fault(on="labels.add", status=500))
    client().add_labels(labelled, ["automerge"])  # there already: nothing is asked of GitHub


def test_only_results_of_that_component_are_listed_newest_first(push_branch, client) -> None:
    newer = BRANCH.replace("20260101", "20260102")
    others = ("eval-results/budget-extra-0123456789ab-20260101T000000Z", "eval-results/budget-x", "topic")
    for branch in (BRANCH, newer, *others):
        push_branch(branch)
        client().open_pull_request(branch, "main", branch, "")
    assert [pull.branch for pull in client().results_pull_requests("budget", "main")] == [newer, BRANCH]
    assert client().results_pull_requests("budget", "trunk") == []
    assert client().results_pull_requests("b.dget", "main") == []


def test_pull_requests_of_other_accounts_and_of_forks_are_none_of_ours(
    app: SimulatedGitHub, push_branch, client
) -> None:
    fork = app.state.add_repository("mallory/prompt-library", app.state.repositories[REPOSITORY].bare.path)
    commit = git(fork.bare.path, "commit-tree", "main^{tree}", "-p", "main", "-m", "x")
    git(fork.bare.path, "branch", BRANCH, commit)
    push_branch(BRANCH)
    app.state.add_token("ghp_mallory", login="Mallory")
    client(token="ghp_mallory").open_pull_request(BRANCH, "main", "Theirs", "")
    with client()._opened("open a fork's") as repository:
        repository.create_pull(base="main", head=f"mallory:{BRANCH}", title="Fork's", body="")
    assert client().open_results("main") == []
    theirs = client().pull_request_of(BRANCH, "main")
    assert theirs is not None
    assert not theirs.is_ours
    assert client().pull_request_of(BRANCH, "trunk") is None
    (trusted,) = client(trusted=["mallory"]).open_results("main")
    assert (trusted.number, trusted.is_ours) == (1, True)


def test_an_account_is_known_by_its_token_an_apps_too_and_may_stay_unknown(
    app: SimulatedGitHub, client, capsys: pytest.CaptureFixture[str]
) -> None:
    app.state.add_token("ghs_app", login="evaluator[bot]")
    assert client().account() == "evaluator-bot"
    assert client(token="ghs_app").account() == "evaluator[bot]"
    app.state.faults.add(Fault(on="user", status=403))
    app.state.faults.add(Fault(on="graphql", status=404))
    names = SettingNames(trusted_publishers="EVALHOOK_TRUSTED_PUBLISHERS")
    assert client(names=names).account() is None
    assert "EVALHOOK_TRUSTED_PUBLISHERS" in capsys.readouterr().out
    app.state.faults.clear()
    app.state.faults.add(Fault(on="user", status=500))
    with pytest.raises(GitHubUnreachable):
        client().account()


def test_pull_request_whose_answer_was_lost_is_found(app: SimulatedGitHub, push_branch, client) -> None:
    push_branch(BRANCH)
    app.state.faults.add(Fault(on="pulls.create", answer_lost=True, times=1))
    assert client().open_pull_request(BRANCH, "main", "Title", "Body").number == 1
    assert len(app.state.repositories[REPOSITORY].pulls) == 1


@pytest.mark.usefixtures("app")
def test_repository_is_looked_at(client) -> None:
    assert client().check() == "main"


def test_plain_http_is_refused_beyond_loopback(client) -> None:
    with pytest.raises(InsecureRemote, match="plain HTTP"):
        client("http://github.example.invalid/api/v3")
    client("http://github.example.invalid/api/v3", allow_http=True)
