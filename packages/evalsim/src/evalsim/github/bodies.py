"""The JSON bodies of GitHub's REST API: every field that GitHub's description of it requires.

What no client of ours looks at has a fixed value; `tests/test_github_description.py` checks the bodies.
"""

from __future__ import annotations

import zlib
from typing import Final, TypeAlias
from urllib.parse import quote

from evalsim.github.state import App, Comment, CommitStatus, Issue, Label, Pull, Repository

Body: TypeAlias = dict[str, object]
ELSEWHERE: Final = "https://github.invalid"
"""Where links lead that nobody follows."""
NEVER: Final = "2026-01-01T00:00:00Z"
"""When accounts, repositories and apps were made."""
USER_LINKS: Final = (
    "avatar_url", "events_url", "followers_url", "following_url", "gists_url", "html_url",
    "organizations_url", "received_events_url", "repos_url", "starred_url", "subscriptions_url", "url",
)  # fmt: skip
REPOSITORY_LINKS: Final = (
    "archive_url", "assignees_url", "blobs_url", "branches_url", "collaborators_url", "comments_url",
    "commits_url", "compare_url", "contents_url", "contributors_url", "deployments_url", "downloads_url",
    "events_url", "forks_url", "git_commits_url", "git_refs_url", "git_tags_url", "git_url", "hooks_url",
    "issue_comment_url", "issue_events_url", "issues_url", "keys_url", "labels_url", "languages_url",
    "merges_url", "milestones_url", "notifications_url", "pulls_url", "releases_url", "ssh_url",
    "stargazers_url", "statuses_url", "subscribers_url", "subscription_url", "svn_url", "tags_url",
    "teams_url", "trees_url",
)  # fmt: skip
REPOSITORY_COUNTS: Final = (
    "forks", "forks_count", "open_issues", "open_issues_count", "size", "stargazers_count", "watchers",
    "watchers_count", "network_count", "subscribers_count",
)  # fmt: skip
REPOSITORY_FLAGS: Final = (
    "fork", "archived", "disabled", "has_projects", "has_wiki", "has_pages", "has_discussions",
    "has_downloads",
)  # fmt: skip


def user_id(login: str) -> int:
    """An account's number, another one for each login."""
    # Without a register: the same login has the same number in every process. Case is nothing to GitHub.
    return zlib.crc32(login.lower().encode())


def user_body(login: str) -> Body:
    """A user or bot."""
    links = {name: f"{ELSEWHERE}/users/{quote(login)}/{name}" for name in USER_LINKS}
    return links | {
        "login": login,
        "id": user_id(login),
        "node_id": f"U_{user_id(login)}",
        "gravatar_id": "",
        "type": "Bot" if login.endswith("[bot]") else "User",
        "site_admin": False,
    }


def account_body(login: str) -> Body:
    """An account that is asked for alone."""
    texts = dict.fromkeys(("name", "company", "blog", "location", "email", "hireable", "bio"))
    counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    times = {"created_at": NEVER, "updated_at": NEVER}
    return user_body(login) | texts | counts | times | {"user_view_type": "public"}


def label_body(label: Label) -> Body:
    """A label."""
    number = user_id(label.name)
    return {
        "id": number,
        "node_id": f"L_{number}",
        "url": f"{ELSEWHERE}/labels/{number}",
        "name": label.name,
        "color": label.color,
        "description": label.description,
        "default": False,
    }


def repository_body(repository: Repository, api: str, web: str) -> Body:
    """A repository."""
    links = {name: f"{ELSEWHERE}/{repository.full_name}/{name}" for name in REPOSITORY_LINKS}
    nulls = dict.fromkeys(("description", "homepage", "language", "mirror_url", "license"))
    times = dict.fromkeys(("created_at", "updated_at", "pushed_at"), NEVER)
    zeros, flags = dict.fromkeys(REPOSITORY_COUNTS, 0), dict.fromkeys(REPOSITORY_FLAGS, False)
    return (
        links
        | nulls
        | times
        | zeros
        | flags
        | {
            "id": 1,
            "node_id": f"R_{repository.full_name.replace('/', '_')}",
            "has_issues": True,
            "allow_auto_merge": repository.allow_auto_merge,
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
    )


def branch_body(repository: Repository, name: str, sha: str, api: str) -> Body:
    """A branch as it stands in a list."""
    url = f"{api}/repos/{repository.full_name}/commits/{sha}"
    return {"name": name, "commit": {"sha": sha, "url": url}, "protected": False}


def commit_body(repository: Repository, sha: str, api: str) -> Body:
    """A commit."""
    names = ("sha", "tree", "message", "parents", "name", "email", "time")
    shown = dict(zip(names, repository.bare.commit(sha), strict=True))
    root, who = f"{api}/repos/{repository.full_name}", {"name": shown["name"], "email": shown["email"]}
    return {
        "sha": shown["sha"],
        "node_id": f"C_{sha}",
        "url": f"{root}/commits/{sha}",
        "html_url": f"{ELSEWHERE}/{repository.full_name}/commit/{sha}",
        "comments_url": f"{root}/commits/{sha}/comments",
        "commit": {
            "url": f"{root}/git/commits/{sha}",
            "author": who | {"date": shown["time"]},
            "committer": who | {"date": shown["time"]},
            "message": shown["message"],
            "comment_count": 0,
            "tree": {"sha": shown["tree"], "url": f"{root}/git/trees/{shown['tree']}"},
        },
        "author": None,
        "committer": None,
        "parents": [
            {"sha": parent, "url": f"{root}/commits/{parent}"} for parent in shown["parents"].split()
        ],
    }


def full_branch_body(repository: Repository, name: str, sha: str, api: str) -> Body:
    """A branch that is asked for alone."""
    root = f"{api}/repos/{repository.full_name}/branches/{name}"
    return {
        "name": name,
        "commit": commit_body(repository, sha, api),
        "_links": {"html": f"{ELSEWHERE}/{repository.full_name}/tree/{name}", "self": root},
        "protected": False,
        "protection": {"enabled": False},
        "protection_url": f"{root}/protection",
    }


def reference_body(repository: Repository, name: str, sha: str, api: str) -> Body:
    """A git reference to a branch."""
    base = f"{api}/repos/{repository.full_name}/git"
    target = {"sha": sha, "type": "commit", "url": f"{base}/commits/{sha}"}
    where = f"refs/heads/{name}"
    return {"ref": where, "node_id": f"REF_{name}", "url": f"{base}/{where}", "object": target}


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


def status_body(status: CommitStatus) -> Body:
    """A status of a commit."""
    return {
        "id": 1,
        "node_id": "SC_1",
        "url": f"{ELSEWHERE}/statuses/{status.sha}",
        "avatar_url": None,
        "creator": None,
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


def app_body(app: App) -> Body:
    """A GitHub App."""
    return {
        "id": int(app.app_id),
        "slug": f"evaluator-{app.app_id}",
        "node_id": f"A_{app.app_id}",
        "owner": user_body("owner"),
        "name": "Evaluator",
        "description": None,
        "external_url": ELSEWHERE,
        "html_url": f"{ELSEWHERE}/apps/evaluator-{app.app_id}",
        "created_at": NEVER,
        "updated_at": NEVER,
        "permissions": app.permissions,
        "events": [],
    }


def installation_body(app: App, api: str) -> Body:
    """Where an App is installed."""
    root = f"{api}/app/installations/{app.installation}"
    return {
        "id": app.installation,
        "app_id": int(app.app_id),
        "app_slug": f"evaluator-{app.app_id}",
        "account": user_body("owner"),
        "target_id": user_id("owner"),
        "target_type": "User",
        "single_file_name": None,
        "repository_selection": "all",
        "access_tokens_url": f"{root}/access_tokens",
        "html_url": f"{ELSEWHERE}/installations/{app.installation}",
        "repositories_url": f"{api}/installation/repositories",
        "events": [],
        "permissions": app.permissions,
        "created_at": NEVER,
        "updated_at": NEVER,
        "suspended_by": None,
        "suspended_at": None,
    }
