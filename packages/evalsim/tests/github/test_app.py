"""The simulated GitHub: PyGithub and git work against it, and it refuses as GitHub does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import github
import httpx
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from github import Auth, Github

from evalsim.github import Fault, SimulatedGitHub
from evalsim.github.command import command as github_command
from evalsim.github.state import Label
from evalsim.serving import running
from evalsim.testing import GITHUB_TOKEN, REPOSITORY, git


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SimulatedGitHub, str]]:
    app = SimulatedGitHub(tmp_path_factory.mktemp("github"), token=GITHUB_TOKEN)
    with running(app) as url:
        yield app, url


@pytest.fixture
def simulated(served: tuple[SimulatedGitHub, str], tmp_path: Path) -> tuple[SimulatedGitHub, str]:
    """The simulated GitHub with a repository of this test's own."""
    app, _ = served
    seed = tmp_path / "seed"
    seed.mkdir()
    (seed / "README.md").write_text("hello\n")
    app.state.faults.clear()
    app.state.root = tmp_path / "root"
    app.state.add_repository(REPOSITORY, seed)
    return served


@pytest.fixture
def repository(simulated: tuple[SimulatedGitHub, str]) -> Iterator[github.Repository.Repository]:
    client = Github(
        auth=Auth.Token(GITHUB_TOKEN),
        base_url=f"{simulated[1]}/api/v3",
        retry=None,
        seconds_between_writes=None,
    )
    yield client.get_repo(REPOSITORY)
    client.close()


@pytest.fixture(scope="module")
def app_key() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def remote(url: str, token: str = GITHUB_TOKEN) -> str:
    return url.replace("://", f"://x-access-token:{token}@") + f"/{REPOSITORY}.git"


def push_branch(url: str, folder: Path, branch: str, file: str, text: str) -> None:
    if not folder.exists():
        git(folder.parent, "clone", "-q", remote(url), str(folder))
    git(folder, "checkout", "-q", "-B", branch, "origin/main")
    (folder / file).write_text(text)
    git(folder, "add", file)
    git(folder, "commit", "-q", "-m", f"Change {file}")
    git(folder, "push", "-q", "origin", branch)


@contextmanager
def git_refuses(words: str = "") -> Iterator[None]:
    """Expect git to fail, with these words."""
    with pytest.raises(subprocess.CalledProcessError) as failure:
        yield
    assert words in failure.value.stderr.decode()


def test_pushed_branch_becomes_a_pull_request_that_can_be_merged(
    simulated, repository, tmp_path: Path
) -> None:
    app, url = simulated
    push_branch(url, tmp_path / "clone", "topic", "new.txt", "new\n")
    pull = repository.create_pull(base="main", head="topic", title="Add", body="Why")
    pull.add_to_labels("eval-results", "automerge")
    assert [label.name for label in repository.get_pull(pull.number).labels] == ["eval-results", "automerge"]
    assert repository.get_pull(pull.number).mergeable is True
    assert pull.merge().merged
    bare = app.state.repositories[REPOSITORY].bare
    assert bare.file("main", "new.txt") == b"new\n"
    assert len(git(bare.path, "rev-list", "--merges", "main").split()) == 1
    assert repository.get_pull(pull.number).merged


def test_merge_conflict_is_a_conflict(simulated, repository, tmp_path: Path) -> None:
    _, url = simulated
    for branch in ("one", "two"):
        push_branch(url, tmp_path / "clone", branch, "README.md", f"{branch}\n")
    first, second = (repository.create_pull(base="main", head=b, title=b, body="") for b in ("one", "two"))
    first.merge()
    assert repository.get_pull(second.number).mergeable is False
    assert repository.get_pull(second.number).mergeable_state == "dirty"
    with pytest.raises(github.GithubException) as refused:
        second.merge()
    assert refused.value.status == 405


def test_pulls_are_listed_by_state_base_and_head(simulated, repository, tmp_path: Path) -> None:
    _, url = simulated
    for branch in ("one", "two"):
        push_branch(url, tmp_path / "clone", branch, f"{branch}.txt", branch)
        repository.create_pull(base="main", head=branch, title=branch, body="")
    assert [pull.head.ref for pull in repository.get_pulls(state="open", base="main")] == ["two", "one"]
    assert [pull.head.ref for pull in repository.get_pulls(head="acme:one")] == ["one"]
    repository.get_pulls(head="acme:one")[0].edit(state="closed")
    assert [pull.head.ref for pull in repository.get_pulls()] == ["two"]
    assert [pull.head.ref for pull in repository.get_pulls(state="all", base="nowhere")] == []


def test_pull_requests_name_who_opened_them_and_whose_branch_they_are_of(
    simulated, repository, tmp_path: Path
) -> None:
    app, url = simulated
    fork = app.state.add_repository("mallory/prompt-library", app.state.repositories[REPOSITORY].bare.path)
    git(
        fork.bare.path,
        "branch",
        "topic",
        git(fork.bare.path, "commit-tree", "main^{tree}", "-p", "main", "-m", "x"),
    )
    push_branch(url, tmp_path / "clone", "topic", "ours.txt", "ours")
    app.state.add_token("ghp_mallory", login="mallory")
    with Github(auth=Auth.Token("ghp_mallory"), base_url=f"{url}/api/v3", retry=None) as client:
        theirs = client.get_repo(REPOSITORY).create_pull(
            base="main", head="mallory:topic", title="x", body=""
        )
    repository.create_pull(base="main", head="topic", title="Ours", body="")
    assert [(pull.user.login, pull.head.repo.full_name) for pull in repository.get_pulls()] == [
        ("evaluator-bot", REPOSITORY),
        ("mallory", "mallory/prompt-library"),
    ]
    assert [pull.user.login for pull in repository.get_pulls(head="mallory:topic")] == ["mallory"]
    assert repository.get_pull(theirs.number).merge().merged


def test_an_apps_token_is_told_whose_it_is_by_graphql_alone(simulated) -> None:
    app, url = simulated
    app.state.add_token("ghs_app", login="evaluator[bot]")
    for token, status in ((GITHUB_TOKEN, 200), ("ghs_app", 403)):
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.get(f"{url}/api/v3/user", headers=headers).status_code == status
        query = {"query": "query { viewer { login } }"}
        viewer = httpx.post(f"{url}/api/graphql", headers=headers, json=query).json()["data"]["viewer"]
        assert viewer["login"] == app.state.tokens[token].login
    answer = httpx.post(f"{url}/api/graphql", headers=headers, json={"query": "{ rateLimit { nothing } }"})
    assert "Cannot query field 'rateLimit'" in answer.text


def test_long_lists_come_in_pages(simulated) -> None:
    app, url = simulated
    app.state.repositories[REPOSITORY].labels = {
        f"label-{number}": Label(f"label-{number}") for number in range(35)
    }
    with Github(
        auth=Auth.Token(GITHUB_TOKEN), base_url=f"{url}/api/v3", seconds_between_requests=None
    ) as client:
        repository = client.get_repo(REPOSITORY)
        assert repository.get_labels().totalCount == 35
        assert len(list(repository.get_labels())) == 35


def test_impossible_pull_requests_are_refused_in_githubs_words(simulated, repository, tmp_path: Path) -> None:
    _, url = simulated
    push_branch(url, tmp_path / "clone", "topic", "new.txt", "new\n")
    repository.create_pull(base="main", head="topic", title="Add", body="")
    for head, words in (
        ("topic", "A pull request already exists for acme:topic."),
        ("main", "No commits between main and main"),
        ("nowhere", "'field': 'head'"),
    ):
        with pytest.raises(github.GithubException, match="Validation Failed") as refused:
            repository.create_pull(base="main", head=head, title="Add", body="")
        assert refused.value.status == 422
        assert words in str(refused.value.data)


@pytest.mark.parametrize(
    ("token", "status", "words"),
    [
        ("wrong", 401, "Bad credentials"),
        ("reader", 403, "Resource not accessible by personal access token"),
    ],
)
def test_writing_needs_a_token_that_may(simulated, token: str, status: int, words: str) -> None:
    app, url = simulated
    app.state.add_token("reader", access="read")
    answer = httpx.post(
        f"{url}/api/v3/repos/{REPOSITORY}/labels",
        json={"name": "x"},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert (answer.status_code, answer.json()["message"]) == (status, words)


def test_unknown_repository_and_call_are_not_found(simulated) -> None:
    _, url = simulated
    for path in ("/repos/acme/nothing", f"/repos/{REPOSITORY}/wiki", f"/repos/{REPOSITORY}/pulls/9"):
        answer = httpx.get(f"{url}/api/v3{path}", headers={"Authorization": f"token {GITHUB_TOKEN}"})
        assert answer.status_code == 404


def test_git_reads_a_private_repository_with_a_token_only(simulated, tmp_path: Path) -> None:
    app, url = simulated
    plain = f"{url}/{REPOSITORY}.git"
    with git_refuses("could not read Username"):
        git(tmp_path, "clone", plain, "no")
    with git_refuses("Authentication failed"):
        git(tmp_path, "clone", remote(url, "wrong"), "no")
    app.state.repositories[REPOSITORY].private = False
    git(tmp_path, "clone", "-q", plain, "yes")
    assert (tmp_path / "yes" / "README.md").read_text() == "hello\n"


def test_pushing_needs_write_access_even_where_all_may_read(simulated, tmp_path: Path) -> None:
    app, url = simulated
    app.state.repositories[REPOSITORY].private = False
    app.state.add_token("reader", access="read")
    folder = tmp_path / "clone"
    git(tmp_path, "clone", "-q", remote(url, "reader"), str(folder))
    with git_refuses("403"):
        push_branch(url, folder, "topic", "new.txt", "new\n")


def test_faults_refuse_as_often_as_asked(simulated, repository, tmp_path: Path) -> None:
    app, url = simulated
    httpx.post(
        f"{url}/sim/faults", json={"on": "push", "message": "GH006: protected", "times": 1}
    ).raise_for_status()
    with git_refuses("GH006: protected"):
        push_branch(url, tmp_path / "clone", "topic", "new.txt", "new\n")
    push_branch(url, tmp_path / "clone", "topic", "new.txt", "new\n")
    app.state.faults.add(Fault(on="pulls.create", status=500, times=1))
    with pytest.raises(github.GithubException) as refused:
        repository.create_pull(base="main", head="topic", title="Add", body="")
    assert refused.value.status == 500
    assert list(repository.get_pulls()) == []
    app.state.faults.add(Fault(on="pulls.create", answer_lost=True))
    with pytest.raises(github.GithubException):
        repository.create_pull(base="main", head="topic", title="Add", body="")
    assert len(list(repository.get_pulls())) == 1
    assert httpx.delete(f"{url}/sim/faults").json() == []


def test_tokens_and_keys_are_changed_at_once_and_what_an_app_has_made_stays_good(tmp_path: Path) -> None:
    old_key, new_key = ("a" * 20, "b" * 20)
    app = SimulatedGitHub(tmp_path, token="old")
    app.state.add_app("77", old_key)
    minted, _ = app.state.mint(app.state.apps["77"])
    with running(app) as url:
        httpx.put(f"{url}/sim/tokens", json=["new"]).raise_for_status()
        httpx.put(f"{url}/sim/apps", json={"77": new_key}).raise_for_status()
        assert httpx.put(f"{url}/sim/tokens", json={"new": 1}).status_code == 400
    assert app.state.bearer("old") is None
    assert app.state.bearer("new") is not None
    assert app.state.bearer(minted) is not None
    assert app.state.apps["77"].public_key == new_key


def test_push_whose_answer_is_lost_has_happened(simulated, tmp_path: Path) -> None:
    app, url = simulated
    app.state.faults.add(Fault(on="push", answer_lost=True, times=1))
    with git_refuses():
        push_branch(url, tmp_path / "clone", "topic", "new.txt", "new\n")
    assert app.state.repositories[REPOSITORY].bare.branch("topic")


def test_app_gets_an_installation_token_that_git_accepts_too(
    simulated, app_key: tuple[str, str], tmp_path: Path
) -> None:
    app, url = simulated
    private, public = app_key
    app.state.add_app("77", public)
    with github.GithubIntegration(auth=Auth.AppAuth(77, private), base_url=f"{url}/api/v3") as integration:
        installation = integration.get_repo_installation("acme", "prompt-library")
        token = integration.get_access_token(installation.id).token
    git(tmp_path, "clone", "-q", remote(url, token), "clone")
    assert (tmp_path / "clone" / "README.md").exists()


def test_large_push_is_streamed(simulated, tmp_path: Path) -> None:
    app, url = simulated
    folder = tmp_path / "clone"
    git(tmp_path, "clone", "-q", remote(url), str(folder))
    (folder / "big.bin").write_bytes(bytes(range(256)) * 4096 + os.urandom(3_000_000))
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "Big")
    git(folder, "push", "-q", "origin", "HEAD:refs/heads/big")
    assert app.state.repositories[REPOSITORY].bare.branch("big") == git(folder, "rev-parse", "HEAD")


def test_remotes_url_may_lack_its_ending(simulated, tmp_path: Path) -> None:
    _, url = simulated
    git(tmp_path, "clone", "-q", remote(url).removesuffix(".git"), "clone")
    assert (tmp_path / "clone" / "README.md").exists()


def test_command_serves_what_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "seed").mkdir()
    (tmp_path / "seed" / "README.md").write_text("hello\n")
    program = "from evalsim.github.command import command; command()"
    options = ["--root", "root", "--port", "0", "--token", GITHUB_TOKEN, "--repository", f"{REPOSITORY}=seed"]
    options += ["--token", "github-actions=ghs_of-a-job"]
    command = [sys.executable, "-c", program, *options]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        api = process.stderr.readline().strip().partition("EVALHOOK_GITHUB_API_URL=")[2]
        headers = {"Authorization": f"Bearer {GITHUB_TOKEN}"}
        answer = httpx.get(f"{api}/repos/{REPOSITORY}", headers=headers, timeout=10)
        another = {"Authorization": "Bearer ghs_of-a-job"}
        logins = [
            httpx.get(f"{api}/user", headers=each, timeout=10).json()["login"] for each in (headers, another)
        ]
        process.terminate()
    assert answer.json()["full_name"] == REPOSITORY
    assert logins == ["evaluator-bot", "github-actions"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--repository", "no-owner"], "no-owner is not OWNER/NAME"),
        (["--repository", f"{REPOSITORY}=not-there"], "there is no folder not-there"),
        (["--host", "256.0.0.1"], "cannot listen on 256.0.0.1:0"),
    ],
)
def test_command_names_what_it_cannot_use(tmp_path: Path, options: list[str], words: str) -> None:
    told = ["--root", str(tmp_path), "--port", "0", "--token", GITHUB_TOKEN, *options]
    result = CliRunner().invoke(github_command, told)
    assert result.exit_code == 2
    assert words in result.output


def test_branches_are_listed_with_their_commits(simulated, repository, tmp_path: Path) -> None:
    app, url = simulated
    push_branch(url, tmp_path / "clone", "topic", "new.txt", "new\n")
    bare = app.state.repositories[REPOSITORY].bare
    listed = {branch.name: branch.commit.sha for branch in repository.get_branches()}
    assert listed == {"main": bare.branch("main"), "topic": bare.branch("topic")}


def set_auto_merge(repository: github.Repository.Repository, pull: github.PullRequest.PullRequest) -> str:
    """Ask for auto-merge; give GitHub's refusal, or an empty text."""
    try:
        repository.get_pull(pull.number).enable_automerge()
    except github.GithubException as error:
        (refusal,) = error.data["errors"]
        assert refusal["type"] == "UNPROCESSABLE"
        return str(refusal["message"])
    return ""


def test_auto_merge_is_refused_in_githubs_words_and_merges_once_it_may(
    simulated, repository, tmp_path: Path
) -> None:
    app, url = simulated
    kept = app.state.repositories[REPOSITORY]
    push_branch(url, tmp_path / "clone", "topic", "new.txt", "new\n")
    pull = repository.create_pull(base="main", head="topic", title="Add", body="")
    assert set_auto_merge(repository, pull) == "Pull request Auto merge is not allowed for this repository"
    kept.allow_auto_merge = True
    assert set_auto_merge(repository, pull) == "Pull request Pull request is in clean status"
    kept.required_contexts = ("checks",)
    kept.merge_methods = ("SQUASH",)
    assert "merging is not allowed on this repository" in set_auto_merge(repository, pull)
    kept.merge_methods = ("MERGE",)
    assert repository.get_pull(pull.number).mergeable_state == "blocked"
    with pytest.raises(github.GithubException, match="is expected"):
        pull.merge()
    assert set_auto_merge(repository, pull) == ""
    head = kept.bare.branch("topic")
    for state, merged in (("pending", False), ("failure", False), ("success", True)):
        requester = repository.requester
        requester.requestJsonAndCheck(
            "POST", f"{repository.url}/statuses/{head}", input={"state": state, "context": "checks"}
        )
        assert repository.get_pull(pull.number).merged is merged


def test_pull_request_of_a_commit_is_the_merged_one_that_brought_it(
    simulated, repository, tmp_path: Path
) -> None:
    app, url = simulated
    bare = app.state.repositories[REPOSITORY].bare

    def numbers(commit: str) -> list[int]:
        _, found = repository.requester.requestJsonAndCheck("GET", f"{repository.url}/commits/{commit}/pulls")
        return [each["number"] for each in found]

    first = bare.branch("main")
    push_branch(url, tmp_path / "clone", "topic", "new.txt", "new\n")
    commit = bare.branch("topic")
    pull = repository.create_pull(base="main", head="topic", title="Add", body="")
    assert (numbers(first), numbers(commit)) == ([], [pull.number])
    pull.merge()
    push_branch(url, tmp_path / "clone", "later", "later.txt", "later\n")
    later = repository.create_pull(base="main", head="later", title="Later", body="")
    later.merge()
    assert (numbers(first), numbers(commit), numbers(bare.branch("main"))) == (
        [],
        [pull.number],
        [later.number],
    )


def test_pull_request_has_comments_as_an_issue_has(simulated, repository, tmp_path: Path) -> None:
    push_branch(simulated[1], tmp_path / "clone", "topic", "new.txt", "new\n")
    pull = repository.create_pull(base="main", head="topic", title="Add", body="")
    pull.create_issue_comment("one")
    assert [each.body for each in pull.get_issue_comments()] == ["one"]
