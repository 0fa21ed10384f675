"""Statuses, issues and comments beside results: each done again after any failure doubles nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from evalcore.errors import RepositoryError
from evalcore.github.reports import CONTEXT, LABEL, CommitStatus, GitHubReports, Note
from evalcore.github.tokens import FixedToken
from evalcore.secret import Secret
from evalsim.github import Fault, Repository, SimulatedGitHub
from evalsim.testing import GITHUB_TOKEN, REPOSITORY, git

MARK = "<!-- evaluator: memo -->"


@pytest.fixture
def repository(app: SimulatedGitHub) -> Repository:
    return app.state.repositories[REPOSITORY]


@pytest.fixture
def reports(api: str, repository: Repository) -> GitHubReports:
    del repository  # which is made for this test
    return GitHubReports(REPOSITORY, FixedToken(Secret(GITHUB_TOKEN)), api_url=api, retries=0)


def note(job: str = "1", text: str = "It failed.", mark: str = MARK) -> Note:
    return Note(mark, f"<!-- job {job} -->", text, datetime.now(UTC) - timedelta(days=1))


def comments(issue) -> list[str]:
    return [comment.body for comment in issue.comments]


# issues of failures


def test_the_first_failure_opens_an_issue_with_its_label_and_marks(reports, repository) -> None:
    url = reports.tell_failure("memo fails", note())
    (issue,) = repository.issues
    assert (issue.title, issue.labels, issue.state) == ("memo fails", [LABEL], "open")
    assert issue.body.splitlines() == ["It failed.", MARK, "<!-- job 1 -->"]
    assert url.endswith(f"/{REPOSITORY}/issues/{issue.number}")


def test_the_same_failure_again_changes_nothing(reports, repository) -> None:
    assert reports.tell_failure("t", note()) == reports.tell_failure("t", note())
    (issue,) = repository.issues
    assert comments(issue) == []


def test_the_next_failure_of_the_component_is_a_comment_once(reports, repository) -> None:
    reports.tell_failure("t", note("1"))
    for _ in range(2):
        reports.tell_failure("t", note("2", "Again."))
    (issue,) = repository.issues
    assert comments(issue) == ["Again.\n<!-- job 2 -->\n"]


def test_another_component_has_an_issue_of_its_own(reports, repository) -> None:
    reports.tell_failure("t", note())
    reports.tell_failure("t", note(mark="<!-- evaluator: memo-two -->"))
    assert len(repository.issues) == 2


def test_a_closed_issue_is_opened_again_by_a_new_failure(reports, repository) -> None:
    reports.tell_failure("t", note("1"))
    repository.issues[0].state = "closed"
    reports.tell_failure("t", note("2"))
    (issue,) = repository.issues
    assert (issue.state, len(issue.comments)) == ("open", 1)


def test_of_several_issues_the_open_one_goes_on(reports, repository) -> None:
    reports.tell_failure("t", note("1"))
    repository.issues[0].state = "closed"
    repository.issues[0].body = "somebody else's"
    reports.tell_failure("t", note("2"))
    repository.issues[0].body = MARK
    repository.issues[0].state = "closed"
    reports.tell_failure("t", note("3"))
    assert [len(issue.comments) for issue in repository.issues] == [0, 1]


def test_an_issue_without_the_label_is_nobodys_business(reports, repository) -> None:
    reports.tell_failure("t", note("1"))
    repository.issues[0].labels = []
    reports.tell_failure("t", note("2"))
    assert len(repository.issues) == 2


def test_what_broke_off_after_the_work_was_done_is_not_done_twice(reports, repository, app) -> None:
    reports.tell_failure("t", note("1"))
    app.state.faults.add(Fault(on="comments.create", status=502, times=1, answer_lost=True))
    with pytest.raises(RepositoryError):
        reports.tell_failure("t", note("2"))
    reports.tell_failure("t", note("2"))
    assert len(repository.issues[0].comments) == 1


def test_a_new_issue_whose_answer_was_lost_is_found_again(reports, repository, app) -> None:
    app.state.faults.add(Fault(on="issues.create", status=502, times=1, answer_lost=True))
    with pytest.raises(RepositoryError):
        reports.tell_failure("t", note("1"))
    reports.tell_failure("t", note("1"))
    assert len(repository.issues) == 1


# and of success


def test_success_closes_the_issue_with_one_comment(reports, repository) -> None:
    reports.tell_failure("t", note("1"))
    for _ in range(2):
        reports.tell_success(lambda: note("2", "It works."), MARK)
    (issue,) = repository.issues
    assert (issue.state, comments(issue)) == ("closed", ["It works.\n<!-- job 2 -->\n"])


def test_success_without_an_open_issue_writes_nothing_and_words_nothing(reports, repository) -> None:
    def unwanted() -> Note:
        raise AssertionError("nothing is to be written")

    reports.tell_success(unwanted, MARK)
    reports.tell_failure("t", note("1"))
    repository.issues[0].state = "closed"
    reports.tell_success(unwanted, MARK)
    assert comments(repository.issues[0]) == []


def test_success_of_one_component_leaves_the_issue_of_another(reports, repository) -> None:
    reports.tell_failure("t", note("1"))
    reports.tell_success(lambda: note("2"), "<!-- evaluator: other -->")
    assert repository.issues[0].state == "open"


# statuses


def test_a_status_stands_beside_the_commit_under_the_services_name(reports, repository) -> None:
    commit = repository.bare.branch("main")
    reports.set_status(commit, CommitStatus("success", "3 models", "https://host.example/jobs/1"))
    (status,) = repository.statuses
    assert (status.sha, status.state, status.description, status.context) == (
        commit,
        "success",
        "3 models",
        CONTEXT,
    )
    assert status.target_url == "https://host.example/jobs/1"


def test_a_status_without_a_page_has_none(reports, repository) -> None:
    commit = repository.bare.branch("main")
    reports.set_status(commit, CommitStatus("pending", "waits", None))
    assert repository.statuses[-1].target_url is None


def test_a_commit_that_github_does_not_know_is_an_error_in_one_line_without_the_token(reports) -> None:
    with pytest.raises(RepositoryError, match="set the commit's status") as caught:
        reports.set_status("0" * 40, CommitStatus("success", "x", None))
    assert "\n" not in caught.value.line
    assert GITHUB_TOKEN not in caught.value.line


# the pull request that brought a commit


@pytest.fixture
def merged(repository: Repository, client: Callable) -> Callable[..., str]:
    """Merge a branch with one commit by a pull request; gives the commit."""

    def merge(branch: str) -> str:
        bare = repository.bare.path
        commit = git(bare, "commit-tree", "main^{tree}", "-p", "main", "-m", branch)
        git(bare, "branch", branch, commit)
        client().open_pull_request(branch, "main", branch, "")
        pull = repository.pulls[-1]
        pull.merge_commit_sha = repository.bare.merge("main", commit, "Merge")
        pull.state, pull.head_sha = "closed", commit
        pull.merged_at = pull.closed_at = "2026-01-05T09:00:00Z"
        return commit

    return merge


def test_the_pull_request_that_brought_a_commit_has_one_comment(reports, repository, merged) -> None:
    commit = merged("bump")
    for _ in range(2):
        url = reports.comment_on_origin(commit, note(text="It is worse."))
    (pull,) = repository.pulls
    assert url.endswith(f"/pull/{pull.number}")
    assert comments(pull) == ["It is worse.\n<!-- job 1 -->\n"]


def test_another_job_has_a_comment_of_its_own(reports, repository, merged) -> None:
    commit = merged("bump")
    for job in ("1", "2"):
        reports.comment_on_origin(commit, note(job))
    assert len(repository.pulls[0].comments) == 2


def test_a_commit_that_no_pull_request_brought_has_no_comment(reports, repository) -> None:
    assert reports.comment_on_origin(repository.bare.branch("main"), note()) is None


def test_the_services_own_pull_request_is_no_origin(reports, repository, merged) -> None:
    commit = merged("eval-results/memo-0123456789ab-20260105T090000Z")
    assert reports.comment_on_origin(commit, note()) is None
    assert repository.pulls[0].comments == []
