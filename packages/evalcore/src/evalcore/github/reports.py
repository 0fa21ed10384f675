"""What is shown on GitHub beside results: statuses of commits, issues of failures, comments on regressions.

Every step looks first whether it is done, by marks in the texts, so that doing it again doubles nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import islice
from typing import Final, Literal

from github.Issue import Issue
from github.PaginatedList import PaginatedList
from github.PullRequest import PullRequest
from github.Repository import Repository

from evalcore.github.client import MOST_PULLS, GitHub, slug_of
from evalcore.structs import Frozen

LABEL: Final = "eval-failure"
CONTEXT: Final = "evaluator/local"
MOST_ISSUES: Final = 500
MOST_COMMENTS: Final = 500
StatusState = Literal["pending", "success", "failure", "error"]


class CommitStatus(Frozen, frozen=True):
    """What stands beside a commit."""

    state: StatusState
    description: str
    """At most 140 characters."""
    url: str | None


class Note(Frozen, frozen=True):
    """A text for the issue of a component, or for a pull request."""

    issue_mark: str
    """In the body of the component's issue, where readers do not see it."""
    job_mark: str
    """In the text about one job."""
    text: str
    since: datetime
    """Nothing of the job was written before."""


class GitHubReports(GitHub):
    """Sets statuses and keeps issues; each call may be made again after any failure."""

    def set_status(self, commit: str, status: CommitStatus) -> None:
        """Set the status of a commit; raises RepositoryError."""
        body: dict[str, str] = {
            "state": status.state,
            "description": status.description,
            "context": CONTEXT,
        }
        if status.url is not None:
            body["target_url"] = status.url
        with self._opened("set the commit's status") as repository:
            # PyGithub's own create_status fetches the commit first.
            where = f"{repository.url}/statuses/{commit}"
            repository.requester.requestJsonAndCheck("POST", where, input=body)

    def comment_on_head(self, commit: str, note: Note) -> str | None:
        """Comment once on the open pull request whose head a commit is; None where there is none.

        That of a fork is none: what is evaluated of a fork is nobody's wish here. Returns its page.
        """
        with self._opened("comment on the pull request") as repository:
            for pull in _pulls_of(repository, commit):
                # GitHub also lists pull requests that contain the commit below their head.
                if pull.state == "open" and pull.head.sha == commit and self._is_of_repository(pull):
                    _comment_once(repository.get_issue(pull.number), note)
                    return pull.html_url
        return None

    def comment_on_origin(self, commit: str, note: Note) -> str | None:
        """Comment once on the pull request that brought a commit; None where none did.

        Returns the pull request's page.
        """
        with self._opened("comment on the pull request") as repository:
            # One with results brought no version, whatever GitHub connects it with.
            pulls = [pull for pull in _pulls_of(repository, commit) if slug_of(pull.head.ref) is None]
            origin = next((pull for pull in pulls if pull.merged_at is not None), pulls[0] if pulls else None)
            if origin is None:
                return None
            _comment_once(repository.get_issue(origin.number), note)
            return origin.html_url

    def tell_failure(self, title: str, note: Note) -> str:
        """Open the component's issue, or comment on the one there is, open again where it was closed.

        Returns the issue's page.
        """
        with self._opened("tell the failure in an issue") as repository:
            issue = _find(repository, note.issue_mark)
            if issue is None:
                body = _marked(note, note.issue_mark)
                return repository.create_issue(title=title, body=body, labels=[LABEL]).html_url
            _comment_once(issue, note)
            if issue.state == "closed":
                issue.edit(state="open")
            return issue.html_url

    def tell_success(self, note: Callable[[], Note], issue_mark: str) -> None:
        """Close the component's open issue with a comment; nothing happens where there is none."""
        with self._opened("close the issue of the failure") as repository:
            issue = _find(repository, issue_mark)
            if issue is not None and issue.state == "open":
                _comment_once(issue, note())
                issue.edit(state="closed", state_reason="completed")


def _pulls_of(repository: Repository, commit: str) -> list[PullRequest]:
    """List the pull requests that GitHub connects with a commit."""
    # PyGithub's own Commit.get_pulls fetches the commit first.
    where = f"{repository.url}/commits/{commit}/pulls"
    return list(islice(PaginatedList(PullRequest, repository.requester, where, None), MOST_PULLS))


def _find(repository: Repository, mark: str) -> Issue | None:
    found = repository.get_issues(state="all", labels=[LABEL], sort="created", direction="desc")
    ours = [issue for issue in islice(found, MOST_ISSUES) if mark in (issue.body or "")]
    # An open one counts before any that were closed by hand and replaced.
    return next((issue for issue in ours if issue.state == "open"), ours[0] if ours else None)


def _comment_once(issue: Issue, note: Note) -> None:
    if note.job_mark in (issue.body or ""):
        return
    # Since the job began: an issue that is open for long has more comments than are looked at.
    comments = islice(issue.get_comments(since=note.since), MOST_COMMENTS)
    if not any(note.job_mark in (comment.body or "") for comment in comments):
        issue.create_comment(_marked(note))


def _marked(note: Note, *marks: str) -> str:
    return "\n".join([note.text, *marks, note.job_mark]) + "\n"
