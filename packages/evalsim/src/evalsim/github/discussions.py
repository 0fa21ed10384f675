"""The JSON bodies of pull requests, issues and comments, as `bodies` has the others."""

from __future__ import annotations

from evalsim.github.bodies import ELSEWHERE, Body, label_body, repository_body, user_body
from evalsim.github.state import Comment, Issue, Label, Pull, Repository


def node_id(repository: Repository, pull: Pull) -> str:
    """A pull request's id for GraphQL."""
    return f"PR_{repository.full_name.replace('/', '_')}_{pull.number}"


def pull_body(repository: Repository, pull: Pull, api: str, web: str) -> Body:
    """A pull request as it stands in a list."""
    number, root = pull.number, f"{api}/repos/{repository.full_name}"
    page, asked = f"{web}/{repository.full_name}/pull/{number}", pull.auto_merge
    links = {
        "self": f"{root}/pulls/{number}",
        "html": page,
        "issue": f"{root}/issues/{number}",
        "comments": f"{root}/issues/{number}/comments",
        "review_comments": f"{root}/pulls/{number}/comments",
        "review_comment": f"{root}/pulls/comments{{/number}}",
        "commits": f"{root}/pulls/{number}/commits",
        "statuses": f"{root}/statuses/{pull.head_sha or head_of(repository, pull)}",
    }
    named = ("comments", "review_comments", "review_comment", "commits", "statuses")
    return {f"{name}_url": links[name] for name in named} | {
        "_links": {name: {"href": link} for name, link in links.items()},
        "assignee": None,
        "milestone": None,
        "locked": False,
        "author_association": "CONTRIBUTOR",
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "id": number,
        "node_id": node_id(repository, pull),
        "number": number,
        "state": pull.state,
        "title": pull.title,
        "body": pull.body,
        "draft": False,
        "user": user_body(pull.user),
        # In a pull request GitHub describes a label's description as a text.
        "labels": [
            (shown := label_body(repository.labels.get(name, Label(name))))
            | {"description": shown["description"] or ""}
            for name in pull.labels
        ],
        "head": _side(pull.fork or repository, pull.head, api, web, pull.head_sha),
        "base": _side(repository, pull.base, api, web, ""),
        "url": f"{root}/pulls/{number}",
        "issue_url": f"{root}/issues/{number}",
        "html_url": page,
        "created_at": pull.created_at,
        "updated_at": pull.updated_at,
        "closed_at": pull.closed_at,
        "merged_at": pull.merged_at,
        "merge_commit_sha": pull.merge_commit_sha,
        "auto_merge": None
        if asked is None
        else {
            "enabled_by": user_body(pull.user),
            "merge_method": asked.method.lower(),
            "commit_title": "",
            "commit_message": "",
        },
    }


def file_body(repository: Repository, name: str, api: str) -> Body:
    """A file that a pull request changes."""
    links = {each: f"{ELSEWHERE}/{repository.full_name}/{each}" for each in ("blob_url", "raw_url")}
    counts = dict.fromkeys(("additions", "deletions", "changes"), 0)
    return (
        counts
        | links
        | {
            "sha": None,
            "filename": name,
            "status": "modified",
            "contents_url": f"{api}/repos/{repository.full_name}/contents",
        }
    )


def issue_body(repository: Repository, issue: Issue | Pull, api: str, web: str) -> Body:
    """An issue."""
    root = f"{api}/repos/{repository.full_name}"
    page = f"{web}/{repository.full_name}/issues/{issue.number}"
    pull: Body = {}
    if isinstance(issue, Pull):
        page = f"{web}/{repository.full_name}/pull/{issue.number}"
        links = {"html_url": page, "diff_url": f"{page}.diff", "patch_url": f"{page}.patch"}
        pull = {"pull_request": {"url": f"{root}/pulls/{issue.number}", **links}}
    return pull | {
        "node_id": f"I_{issue.number}",
        "assignee": None,
        "milestone": None,
        "locked": False,
        "author_association": "CONTRIBUTOR",
        "repository_url": root,
        "events_url": f"{root}/issues/{issue.number}/events",
        "labels_url": f"{root}/issues/{issue.number}/labels{{/name}}",
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
        "html_url": page,
        "created_at": issue.created_at,
        "updated_at": issue.created_at,
        "closed_at": issue.closed_at,
    }


def comment_body(comment: Comment) -> Body:
    """A comment of an issue."""
    return {
        "node_id": f"IC_{comment.number}",
        "url": f"{ELSEWHERE}/comments/{comment.number}",
        "html_url": f"{ELSEWHERE}/comments/{comment.number}",
        "issue_url": f"{ELSEWHERE}/issues",
        "author_association": "CONTRIBUTOR",
        "id": comment.number,
        "body": comment.body,
        "user": user_body(comment.user),
        "created_at": comment.created_at,
        "updated_at": comment.created_at,
    }


def head_of(repository: Repository, pull: Pull) -> str | None:
    """The commit at the head of a pull request; its objects are in the repository whoever's branch it is."""
    return (pull.fork or repository).bare.branch(pull.head)


def _side(repository: Repository, branch: str, api: str, web: str, closed_at: str) -> Body:
    return {
        "label": f"{repository.owner}:{branch}",
        "ref": branch,
        # A branch is deleted after its merge, and GitHub still says where it stood.
        "sha": repository.bare.branch(branch) or closed_at,
        "user": user_body(repository.owner),
        "repo": repository_body(repository, api, web),
    }


def worked_out(repository: Repository, pull: Pull, state: str) -> Body:
    """What GitHub works out of a pull request that is asked for alone; `state` is its mergeable state."""
    base, head = repository.bare.branch(pull.base), head_of(repository, pull)
    is_known = state != "unknown" and base is not None and head is not None
    counts = dict.fromkeys(("additions", "deletions", "changed_files", "review_comments"), 0)
    return counts | {
        "merged": pull.merged_at is not None,
        "merged_by": None if pull.merged_at is None else user_body(pull.user),
        "maintainer_can_modify": False,
        "comments": len(pull.comments),
        "mergeable": state != "dirty" if is_known else None,
        "mergeable_state": state,
        "commits": repository.bare.commits_between(base or "", head or "") if is_known else 0,
    }
