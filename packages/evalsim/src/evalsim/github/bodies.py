"""The JSON bodies of GitHub's REST API: every field that GitHub's description of it requires.

Those of pull requests, issues and their comments are in `discussions`.

What no client of ours looks at has a fixed value; `tests/test_github_description.py` checks the bodies.
"""

from __future__ import annotations

import zlib
from typing import Final, TypeAlias
from urllib.parse import quote

from evalsim.github.state import App, CommitStatus, Label, Repository

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
