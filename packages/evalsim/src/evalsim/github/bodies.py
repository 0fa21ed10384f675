"""The JSON bodies of GitHub's REST API, as far as its clients look at them."""

from __future__ import annotations

import zlib
from typing import TypeAlias

from evalsim.github.state import Comment, CommitStatus, Issue, Label, Pull, Repository

Body: TypeAlias = dict[str, object]


def user_id(login: str) -> int:
    """An account's number, another one for each login."""
    return zlib.crc32(login.lower().encode())


def user_body(login: str) -> Body:
    """A user or bot."""
    return {"login": login, "id": user_id(login), "type": "Bot" if login.endswith("[bot]") else "User"}


def label_body(label: Label) -> Body:
    """A label."""
    return {"name": label.name, "color": label.color, "description": label.description, "default": False}


def repository_body(repository: Repository, api: str, web: str) -> Body:
    """A repository."""
    return {
        "id": 1,
        "name": repository.name,
        "full_name": repository.full_name,
        "owner": user_body(repository.owner),
        "private": repository.private,
        "default_branch": repository.bare.default_branch,
        "url": f"{api}/repos/{repository.full_name}",
        "html_url": f"{web}/{repository.full_name}",
        "clone_url": f"{web}/{repository.full_name}.git",
        "permissions": {"admin": False, "push": True, "pull": True},
    }


def branch_body(repository: Repository, name: str, sha: str, api: str) -> Body:
    """A branch."""
    url = f"{api}/repos/{repository.full_name}/commits/{sha}"
    return {"name": name, "commit": {"sha": sha, "url": url}, "protected": False}


def reference_body(repository: Repository, name: str, sha: str, api: str) -> Body:
    """A git reference to a branch."""
    base = f"{api}/repos/{repository.full_name}/git"
    target = {"sha": sha, "type": "commit", "url": f"{base}/commits/{sha}"}
    return {"ref": f"refs/heads/{name}", "url": f"{base}/refs/heads/{name}", "object": target}


def node_id(repository: Repository, pull: Pull) -> str:
    """A pull request's id for GraphQL."""
    return f"PR_{repository.full_name.replace('/', '_')}_{pull.number}"


def pull_body(repository: Repository, pull: Pull, api: str, web: str) -> Body:
    """A pull request as it stands in a list."""
    number, root = pull.number, f"{api}/repos/{repository.full_name}"
    return {
        "id": number,
        "node_id": node_id(repository, pull),
        "number": number,
        "state": pull.state,
        "title": pull.title,
        "body": pull.body,
        "draft": False,
        "user": user_body(pull.user),
        "labels": [label_body(repository.labels.get(name, Label(name))) for name in pull.labels],
        "head": _side(pull.fork or repository, pull.head, api, web, pull.head_sha),
        "base": _side(repository, pull.base, api, web, ""),
        "url": f"{root}/pulls/{number}",
        "issue_url": f"{root}/issues/{number}",
        "html_url": f"{web}/{repository.full_name}/pull/{number}",
        "created_at": pull.created_at,
        "updated_at": pull.updated_at,
        "closed_at": pull.closed_at,
        "merged_at": pull.merged_at,
        "merge_commit_sha": pull.merge_commit_sha,
        "auto_merge": None if pull.auto_merge is None else {"merge_method": pull.auto_merge.method.lower()},
    }


def issue_body(repository: Repository, issue: Issue | Pull, api: str, web: str) -> Body:
    """An issue."""
    root = f"{api}/repos/{repository.full_name}"
    pull = {"pull_request": {"url": f"{root}/pulls/{issue.number}"}} if isinstance(issue, Pull) else {}
    return pull | {
        "id": issue.number,
        "number": issue.number,
        "state": issue.state,
        "title": issue.title,
        "body": issue.body,
        "user": user_body(issue.user),
        "labels": [label_body(repository.labels.get(name, Label(name))) for name in issue.labels],
        "comments": len(issue.comments),
        "url": f"{root}/issues/{issue.number}",
        "comments_url": f"{root}/issues/{issue.number}/comments",
        "html_url": f"{web}/{repository.full_name}/issues/{issue.number}",
        "created_at": issue.created_at,
        "updated_at": issue.created_at,
        "closed_at": issue.closed_at,
    }


def comment_body(comment: Comment) -> Body:
    """A comment of an issue."""
    return {
        "id": comment.number,
        "body": comment.body,
        "user": user_body(comment.user),
        "created_at": comment.created_at,
        "updated_at": comment.created_at,
    }


def status_body(status: CommitStatus) -> Body:
    """A status of a commit."""
    return {
        "id": 1,
        "state": status.state,
        "description": status.description,
        "target_url": status.target_url,
        "context": status.context,
        "created_at": status.created_at,
        "updated_at": status.created_at,
    }


def head_of(repository: Repository, pull: Pull) -> str | None:
    """The commit at the head of a pull request; its objects are in the repository whoever's branch it is."""
    return (pull.fork or repository).bare.branch(pull.head)


def _side(repository: Repository, branch: str, api: str, web: str, closed_at: str) -> Body:
    return {
        "label": f"{repository.owner}:{branch}",
        "ref": branch,
        "sha": repository.bare.branch(branch) or closed_at,
        "user": user_body(repository.owner),
        "repo": repository_body(repository, api, web),
    }


def worked_out(repository: Repository, pull: Pull, state: str) -> Body:
    """What GitHub works out of a pull request that is asked for alone; `state` is its mergeable state."""
    known = {"merged": pull.merged_at is not None, "mergeable_state": state}
    if state == "unknown":
        return known | {"mergeable": None}
    base, head = repository.bare.branch(pull.base), head_of(repository, pull)
    commits = repository.bare.commits_between(base or "", head or "")
    return known | {"mergeable": state != "dirty", "commits": commits}
