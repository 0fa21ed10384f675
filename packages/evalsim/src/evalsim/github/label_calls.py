"""Labels of a repository and of a pull request. Source: https://docs.github.com/en/rest/issues/labels."""

from __future__ import annotations

import msgspec

from evalsim.github import shapes
from evalsim.github.asgi import Answer, json_answer
from evalsim.github.calls import ApiError, Request, page_of
from evalsim.github.pull_calls import find_pull
from evalsim.github.state import Label, Repository, State


class NewLabel(msgspec.Struct):
    """The body of POST labels."""

    name: str
    color: str = "ededed"
    description: str | None = None


class LabelNames(msgspec.Struct):
    """The body of POST issues/N/labels."""

    labels: list[str]


def list_labels(state: State, repository: Repository, request: Request) -> Answer:
    """GET /repos/O/R/labels."""
    del state
    return page_of(request, [shapes.label_body(label) for label in repository.labels.values()])


def create_label(state: State, repository: Repository, request: Request) -> Answer:
    """POST /repos/O/R/labels."""
    del state
    wanted = request.decode(NewLabel)
    if wanted.name.lower() in (name.lower() for name in repository.labels):
        errors: list[object] = [{"resource": "Label", "code": "already_exists", "field": "name"}]
        raise ApiError(422, "Validation Failed", errors)
    label = Label(wanted.name, wanted.color, wanted.description)
    repository.labels[label.name] = label
    return json_answer(201, shapes.label_body(label))


def add_labels(state: State, repository: Repository, request: Request, number: str) -> Answer:
    """POST /repos/O/R/issues/N/labels; labels that the repository lacks are made, as GitHub does."""
    pull = find_pull(repository, number)
    for name in _label_names(request):
        repository.labels.setdefault(name, Label(name))
        if name not in pull.labels:
            pull.labels = [*pull.labels, name]
    pull.updated_at = state.now()
    return issue_labels(state, repository, request, number)


def _label_names(request: Request) -> list[str]:
    # GitHub takes both {"labels": [...]} and, from older clients, the bare list.
    try:
        return msgspec.json.decode(request.body, type=list[str])
    except msgspec.ValidationError:
        wanted = request.decode(LabelNames)
        return wanted.labels


def issue_labels(state: State, repository: Repository, request: Request, number: str) -> Answer:
    """GET /repos/O/R/issues/N/labels."""
    del state, request
    names = find_pull(repository, number).labels
    return json_answer(200, [shapes.label_body(repository.labels.get(name, Label(name))) for name in names])
