"""Pull requests: listed, opened, changed, merged. Source: https://docs.github.com/en/rest/pulls."""

from __future__ import annotations

import msgspec

from evalsim.asgi import Answer, json_answer
from evalsim.github import bodies, discussions
from evalsim.github.repository import MergeConflictError, run_git
from evalsim.github.request import ApiError, Request, not_found, page_of
from evalsim.github.state import Pull, Repository, State


class NewPull(msgspec.Struct):
    """The body of POST pulls."""

    title: str
    head: str
    base: str
    body: str | None = None


class EditPull(msgspec.Struct):
    """The body of PATCH pulls/N."""

    title: str | None = None
    body: str | None = None
    state: str | None = None


class MergeRequest(msgspec.Struct):
    """The body of PUT pulls/N/merge."""

    commit_title: str | None = None
    sha: str | None = None
    merge_method: str = "merge"


def find_pull(repository: Repository, number: str) -> Pull:
    """A pull request by its number."""
    found = next((pull for pull in repository.pulls if pull.number == int(number)), None)
    if found is None:
        raise not_found()
    return found


def _show(repository: Repository, pull: Pull, request: Request, *, full: bool = True) -> bodies.Body:
    shown = discussions.pull_body(repository, pull, request.api, request.web)
    if not full:
        return shown
    return shown | discussions.worked_out(repository, pull, mergeable_state(repository, pull))


def _label(repository: Repository, pull: Pull) -> str:
    return f"{(pull.fork or repository).owner}:{pull.head}"


def list_pulls(state: State, repository: Repository, request: Request) -> Answer:
    """GET /repos/O/R/pulls, filtered by state, head (`owner:branch`) and base; the newest first."""
    del state
    query = request.query
    wanted = query.get("state", "open")
    found = [
        pull
        for pull in reversed(repository.pulls)
        if wanted in {"all", pull.state}
        and query.get("base", pull.base) == pull.base
        and query.get("head", _label(repository, pull)) == _label(repository, pull)
    ]
    if query.get("direction") == "asc":
        found.reverse()
    return page_of(request, [_show(repository, pull, request, full=False) for pull in found])


def pulls_of_commit(state: State, repository: Repository, request: Request, sha: str) -> Answer:
    """GET /repos/O/R/commits/SHA/pulls: the merged one that brought a commit to the default branch.

    Of a commit that the default branch lacks, the open ones that hold it.
    """
    del state
    bare = repository.bare
    if not bare.holds_commit(sha):
        raise ApiError(422, f"No commit found for SHA: {sha}")
    on_default = bare.is_ancestor(sha, bare.branch(bare.default_branch) or "")
    found = []
    for pull in repository.pulls:
        head = pull.head_sha or discussions.head_of(repository, pull) or ""
        if on_default:
            # The merge brought it: its first parent lacks the commit, the merge has it.
            merged = pull.merge_commit_sha
            is_it = (
                merged is not None
                and bare.is_ancestor(sha, merged)
                and not bare.is_ancestor(sha, f"{merged}^")
            )
        else:
            is_it = pull.state == "open" and bare.is_ancestor(sha, head)
        if is_it:
            found.append(_show(repository, pull, request, full=False))
    return page_of(request, found)


def create_pull(state: State, repository: Repository, request: Request) -> Answer:
    """POST /repos/O/R/pulls."""
    wanted = request.decode(NewPull)
    owner, _, head = wanted.head.rpartition(":")
    fork = state.repositories.get(f"{owner}/{repository.name}".lower()) if owner else None
    if fork is not None and fork is not repository:
        # As on GitHub, one store of objects serves a repository and its forks.
        run_git(repository.bare.path, "fetch", "-q", str(fork.bare.path), f"refs/heads/{head}")
    _refuse_impossible_pull(repository, fork or repository, head, wanted.base)
    repository.issue_count += 1
    now = state.now()
    pull = Pull(
        number=repository.issue_count,
        title=wanted.title,
        body=wanted.body or "",
        head=head,
        base=wanted.base,
        user=request.login,
        created_at=now,
        updated_at=now,
        fork=None if fork is repository else fork,
    )
    repository.pulls.append(pull)
    return json_answer(201, _show(repository, pull, request))


def _refuse_impossible_pull(repository: Repository, source: Repository, head: str, base: str) -> None:
    tips = {"head": source.bare.branch(head), "base": repository.bare.branch(base)}
    for field, tip in tips.items():
        if tip is None:
            problem: list[object] = [{"resource": "PullRequest", "field": field, "code": "invalid"}]
            raise ApiError(422, "Validation Failed", problem)
    if any(
        pull.state == "open"
        and (pull.fork or repository) is source
        and (pull.head, pull.base) == (head, base)
        for pull in repository.pulls
    ):
        raise _validation(f"A pull request already exists for {source.owner}:{head}.")
    if repository.bare.commits_between(str(tips["base"]), str(tips["head"])) == 0:
        raise _validation(f"No commits between {base} and {head}")


def _validation(message: str) -> ApiError:
    errors: list[object] = [{"resource": "PullRequest", "code": "custom", "message": message}]
    return ApiError(422, "Validation Failed", errors)


def get_pull(state: State, repository: Repository, request: Request, number: str) -> Answer:
    """GET /repos/O/R/pulls/N."""
    del state
    return json_answer(200, _show(repository, find_pull(repository, number), request))


def list_files(state: State, repository: Repository, request: Request, number: str) -> Answer:
    """GET /repos/O/R/pulls/N/files: what the head changes since it left the base."""
    del state
    pull = find_pull(repository, number)
    names = repository.bare.changed_files(pull.base, discussions.head_of(repository, pull) or pull.head_sha)
    return page_of(request, [discussions.file_body(repository, name, request.api) for name in names])


def edit_pull(state: State, repository: Repository, request: Request, number: str) -> Answer:
    """PATCH /repos/O/R/pulls/N."""
    pull, wanted = find_pull(repository, number), request.decode(EditPull)
    pull.title = wanted.title if wanted.title is not None else pull.title
    pull.body = wanted.body if wanted.body is not None else pull.body
    if wanted.state == "closed" and pull.state == "open":
        _close(state, repository, pull)
    pull.updated_at = state.now()
    return json_answer(200, _show(repository, pull, request))


def merge_pull(state: State, repository: Repository, request: Request, number: str) -> Answer:
    """PUT /repos/O/R/pulls/N/merge: a merge commit, or 405 where it cannot be, 409 for a moved head."""
    pull, wanted = find_pull(repository, number), request.decode(MergeRequest)
    head = discussions.head_of(repository, pull)
    if pull.state == "closed" or head is None:
        raise ApiError(405, "Pull Request is not mergeable")
    # The caller names the head that it has seen: what was pushed since is not merged unseen.
    if wanted.sha not in {None, head}:
        raise ApiError(409, "Head branch was modified. Review and try the merge again.")
    lacking = [name for name in repository.required_contexts if not _has_succeeded(repository, head, name)]
    if lacking and pull.base == repository.bare.default_branch:
        raise ApiError(405, f'Required status check "{lacking[0]}" is expected.')
    try:
        commit = _merge(state, repository, pull, head, wanted.commit_title)
    except MergeConflictError as error:
        raise ApiError(405, "Pull Request is not mergeable") from error
    merged = {"sha": commit, "merged": True, "message": "Pull Request successfully merged"}
    return json_answer(200, merged)


def mergeable_state(repository: Repository, pull: Pull) -> str:
    """Say as GitHub does whether a pull request can be merged."""
    bare = repository.bare
    base, head = bare.branch(pull.base), discussions.head_of(repository, pull)
    if pull.state == "closed" or base is None or head is None:
        return "unknown"
    try:
        bare.merged_tree(base, head)
    except MergeConflictError:
        return "dirty"
    if pull.base == bare.default_branch and not all(
        _has_succeeded(repository, head, name) for name in repository.required_contexts
    ):
        return "blocked"
    newest = {status.context: status.state for status in repository.statuses if status.sha == head}
    return "clean" if set(newest.values()) <= {"success"} else "unstable"


def merge_what_waits(state: State, repository: Repository) -> None:
    """Merge the pull requests that are set to merge and lack nothing any more."""
    for pull in repository.pulls:
        head = discussions.head_of(repository, pull)
        if pull.auto_merge and head and mergeable_state(repository, pull) in {"clean", "unstable"}:
            _merge(state, repository, pull, head, None)


def _has_succeeded(repository: Repository, commit: str, context: str) -> bool:
    states = [
        status.state for status in repository.statuses if (status.sha, status.context) == (commit, context)
    ]
    # The newest of a context alone counts.
    return states[-1:] == ["success"]


def _merge(state: State, repository: Repository, pull: Pull, head: str, title: str | None) -> str:
    title = title or f"Merge pull request #{pull.number} from {repository.owner}/{pull.head}"
    commit = repository.bare.merge(pull.base, head, f"{title}\n\n{pull.title}")
    _close(state, repository, pull)
    pull.merged_at, pull.merge_commit_sha = pull.closed_at, commit
    return commit


def _close(state: State, repository: Repository, pull: Pull) -> None:
    pull.state, pull.closed_at = "closed", state.now()
    # While the branch is still there: it may be deleted next.
    pull.head_sha = discussions.head_of(repository, pull) or ""
