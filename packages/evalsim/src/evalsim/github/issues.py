"""Issues, their comments, and labels. Source: https://docs.github.com/en/rest/issues."""

from __future__ import annotations

import msgspec

from evalcore.decoding import decode_json
from evalsim.asgi import Answer, json_answer
from evalsim.github import bodies, discussions
from evalsim.github.pulls import find_pull
from evalsim.github.request import ApiError, Request, not_found, page_of
from evalsim.github.state import Comment, Issue, Label, Pull, Repository, State


class NewIssue(msgspec.Struct):
    """The body of POST issues."""

    title: str
    body: str | None = None
    labels: list[str] = []


class EditIssue(msgspec.Struct):
    """The body of PATCH issues/N."""

    title: str | None = None
    body: str | None = None
    state: str | None = None
    state_reason: str | None = None


class NewComment(msgspec.Struct):
    """The body of POST issues/N/comments."""

    body: str


class NewLabel(msgspec.Struct):
    """The body of POST labels."""

    name: str
    color: str = "ededed"
    description: str | None = None


class LabelNames(msgspec.Struct):
    """The body of POST issues/N/labels."""

    labels: list[str]


def list_issues(state: State, repository: Repository, request: Request) -> Answer:
    """GET /repos/O/R/issues, filtered by state and labels; the newest first."""
    del state
    wanted = request.query.get("state", "open")
    labels = {label for label in request.query.get("labels", "").split(",") if label}
    found = [
        issue
        for issue in reversed(repository.issues)
        if wanted in {"all", issue.state} and labels <= set(issue.labels)
    ]
    if request.query.get("direction") == "asc":
        found.reverse()
    return page_of(request, [_show(repository, issue, request) for issue in found])


def create_issue(state: State, repository: Repository, request: Request) -> Answer:
    """POST /repos/O/R/issues; labels that the repository lacks are made, as GitHub does."""
    wanted = request.decode(NewIssue)
    if not wanted.title.strip():
        raise ApiError(422, "Validation Failed", [{"resource": "Issue", "code": "missing", "field": "title"}])
    for name in wanted.labels:
        repository.labels.setdefault(name, Label(name))
    repository.issue_count += 1
    issue = Issue(
        number=repository.issue_count,
        title=wanted.title,
        body=wanted.body or "",
        labels=list(wanted.labels),
        user=request.login,
        created_at=state.now(),
    )
    repository.issues.append(issue)
    return json_answer(201, _show(repository, issue, request))


def get_issue(state: State, repository: Repository, request: Request, number: str) -> Answer:
    """GET /repos/O/R/issues/N; each pull request is an issue too."""
    del state
    return json_answer(200, _show(repository, _discussed(repository, number), request))


def edit_issue(state: State, repository: Repository, request: Request, number: str) -> Answer:
    """PATCH /repos/O/R/issues/N."""
    issue, wanted = _find(repository, number), request.decode(EditIssue)
    issue.title = wanted.title if wanted.title is not None else issue.title
    issue.body = wanted.body if wanted.body is not None else issue.body
    if wanted.state == "closed":
        issue.state, issue.closed_at = "closed", state.now()
    elif wanted.state == "open":
        issue.state, issue.closed_at = "open", None
    return json_answer(200, _show(repository, issue, request))


def list_comments(state: State, repository: Repository, request: Request, number: str) -> Answer:
    """GET /repos/O/R/issues/N/comments?since=; the oldest first. A pull request's are those of its issue."""
    del state
    since = request.query.get("since", "")
    # As texts: GitHub writes all times in UTC and in one form.
    comments = [one for one in _discussed(repository, number).comments if one.created_at >= since]
    return page_of(request, [discussions.comment_body(comment) for comment in comments])


def create_comment(state: State, repository: Repository, request: Request, number: str) -> Answer:
    """POST /repos/O/R/issues/N/comments, N being an issue or a pull request."""
    issue, wanted = _discussed(repository, number), request.decode(NewComment)
    comment = Comment(len(issue.comments) + 1, wanted.body, request.login, state.now())
    issue.comments.append(comment)
    return json_answer(201, discussions.comment_body(comment))


def list_labels(state: State, repository: Repository, request: Request) -> Answer:
    """GET /repos/O/R/labels."""
    del state
    return page_of(request, [bodies.label_body(label) for label in repository.labels.values()])


def create_label(state: State, repository: Repository, request: Request) -> Answer:
    """POST /repos/O/R/labels."""
    del state
    wanted = request.decode(NewLabel)
    if wanted.name.lower() in (name.lower() for name in repository.labels):
        errors: list[object] = [{"resource": "Label", "code": "already_exists", "field": "name"}]
        raise ApiError(422, "Validation Failed", errors)
    label = Label(wanted.name, wanted.color, wanted.description)
    repository.labels[label.name] = label
    return json_answer(201, bodies.label_body(label))


def add_labels(state: State, repository: Repository, request: Request, number: str) -> Answer:
    """POST /repos/O/R/issues/N/labels; labels that the repository lacks are made, as GitHub does."""
    pull = find_pull(repository, number)
    for name in _label_names(request):
        repository.labels.setdefault(name, Label(name))
        if name not in pull.labels:
            pull.labels = [*pull.labels, name]
    pull.updated_at = state.now()
    return issue_labels(state, repository, request, number)


def issue_labels(state: State, repository: Repository, request: Request, number: str) -> Answer:
    """GET /repos/O/R/issues/N/labels."""
    del state, request
    names = find_pull(repository, number).labels
    return json_answer(200, [bodies.label_body(repository.labels.get(name, Label(name))) for name in names])


def _find(repository: Repository, number: str) -> Issue:
    found = next((issue for issue in repository.issues if issue.number == int(number)), None)
    if found is None:
        raise not_found()
    return found


def _discussed(repository: Repository, number: str) -> Issue | Pull:
    # Issues and pull requests share one row of numbers, and a pull request's comments are those of its issue.
    pull = next((pull for pull in repository.pulls if pull.number == int(number)), None)
    return pull if pull is not None else _find(repository, number)


def _show(repository: Repository, issue: Issue | Pull, request: Request) -> bodies.Body:
    return discussions.issue_body(repository, issue, request.api, request.web)


def _label_names(request: Request) -> list[str]:
    # GitHub takes both {"labels": [...]} and, from older clients, the bare list.
    try:
        return decode_json(request.body, list[str])
    except msgspec.ValidationError:
        wanted = request.decode(LabelNames)
        return wanted.labels
