"""The REST calls that the service and the demo make, answered as GitHub documents them.

Source: https://docs.github.com/en/rest (pulls, issues/labels, branches, git/refs, repos, users, apps).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias, TypeVar
from urllib.parse import unquote

import jwt
import msgspec

from evalsim.github import shapes
from evalsim.github.asgi import Answer, json_answer
from evalsim.github.repository import MergeConflictError
from evalsim.github.state import App, Label, Pull, Repository, State, Token

DOCUMENTATION = "https://docs.github.com/rest"
PER_PAGE = 30

Wanted = TypeVar("Wanted", bound=msgspec.Struct)


class ApiError(Exception):
    """An error as GitHub answers it."""

    def __init__(self, status: int, message: str, errors: list[object] | None = None) -> None:
        super().__init__(message)
        body: shapes.Body = {"message": message, "documentation_url": DOCUMENTATION, "status": str(status)}
        if errors is not None:
            body["errors"] = errors
        self.answer = json_answer(status, body)


class Request(NamedTuple):
    """A REST request, taken apart."""

    method: str
    path: str
    query: dict[str, str]
    authorization: str
    body: bytes
    web: str
    """The root of the web pages and git remotes; the API is under `api`."""
    api: str

    def decode(self, kind: type[Wanted]) -> Wanted:
        """The body as a Struct; GitHub's error for anything else."""
        try:
            return msgspec.json.decode(self.body or b"{}", type=kind)
        except msgspec.ValidationError as error:
            raise ApiError(422, "Invalid request.\n\n" + str(error)) from error
        except msgspec.DecodeError as error:
            raise ApiError(400, "Problems parsing JSON") from error


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


class NewLabel(msgspec.Struct):
    """The body of POST labels."""

    name: str
    color: str = "ededed"
    description: str | None = None


class LabelNames(msgspec.Struct):
    """The body of POST issues/N/labels."""

    labels: list[str]


class MergeRequest(msgspec.Struct):
    """The body of PUT pulls/N/merge."""

    commit_title: str | None = None
    sha: str | None = None
    merge_method: str = "merge"


def _not_found() -> ApiError:
    return ApiError(404, "Not Found")


def _pull(repository: Repository, number: str) -> Pull:
    found = next((pull for pull in repository.pulls if pull.number == int(number)), None)
    if found is None:
        raise _not_found()
    return found


def _show(repository: Repository, pull: Pull, request: Request, *, full: bool = True) -> shapes.Body:
    return shapes.pull_body(repository, pull, request.api, request.web, full=full)


def get_repository(state: State, repository: Repository, request: Request) -> Answer:
    """GET /repos/O/R."""
    del state
    return json_answer(200, shapes.repository_body(repository, request.api, request.web))


def list_branches(state: State, repository: Repository, request: Request) -> Answer:
    """GET /repos/O/R/branches."""
    del state
    found = repository.bare.branches().items()
    bodies = [shapes.branch_body(repository, name, sha, request.api) for name, sha in found]
    return _page(request, bodies)


def get_branch(state: State, repository: Repository, request: Request, name: str) -> Answer:
    """GET /repos/O/R/branches/NAME."""
    del state
    sha = repository.bare.branch(name)
    if sha is None:
        raise ApiError(404, "Branch not found")
    return json_answer(200, shapes.branch_body(repository, name, sha, request.api))


def get_reference(state: State, repository: Repository, request: Request, name: str) -> Answer:
    """GET /repos/O/R/git/ref/heads/NAME."""
    del state
    sha = repository.bare.branch(name)
    if sha is None:
        raise _not_found()
    return json_answer(200, shapes.reference_body(repository, name, sha, request.api))


def get_contents(state: State, repository: Repository, request: Request, path: str) -> Answer:
    """GET /repos/O/R/contents/PATH?ref=, raw whatever media type is asked for."""
    del state
    contents = repository.bare.file(request.query.get("ref", repository.bare.default_branch), path)
    if contents is None:
        raise _not_found()
    return Answer(200, contents, (("Content-Type", "application/vnd.github.raw+json; charset=utf-8"),))


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
        and query.get("head", f"{repository.owner}:{pull.head}") == f"{repository.owner}:{pull.head}"
    ]
    if query.get("direction") == "asc":
        found.reverse()
    return _page(request, [_show(repository, pull, request, full=False) for pull in found])


def create_pull(state: State, repository: Repository, request: Request) -> Answer:
    """POST /repos/O/R/pulls."""
    wanted = request.decode(NewPull)
    head = wanted.head.removeprefix(f"{repository.owner}:")
    _refuse_impossible_pull(repository, head, wanted.base)
    repository.issue_count += 1
    now = state.now()
    pull = Pull(
        number=repository.issue_count,
        title=wanted.title,
        body=wanted.body or "",
        head=head,
        base=wanted.base,
        user=_caller(state, request).login,
        created_at=now,
        updated_at=now,
    )
    repository.pulls.append(pull)
    return json_answer(201, _show(repository, pull, request))


def _refuse_impossible_pull(repository: Repository, head: str, base: str) -> None:
    bare = repository.bare
    for field, branch in (("head", head), ("base", base)):
        if bare.branch(branch) is None:
            problem: list[object] = [{"resource": "PullRequest", "field": field, "code": "invalid"}]
            raise ApiError(422, "Validation Failed", problem)
    if any(pull.state == "open" and (pull.head, pull.base) == (head, base) for pull in repository.pulls):
        raise _validation(f"A pull request already exists for {repository.owner}:{head}.")
    if bare.commits_between(f"refs/heads/{base}", f"refs/heads/{head}") == 0:
        raise _validation(f"No commits between {base} and {head}")


def _validation(message: str) -> ApiError:
    errors: list[object] = [{"resource": "PullRequest", "code": "custom", "message": message}]
    return ApiError(422, "Validation Failed", errors)


def get_pull(state: State, repository: Repository, request: Request, number: str) -> Answer:
    """GET /repos/O/R/pulls/N."""
    del state
    return json_answer(200, _show(repository, _pull(repository, number), request))


def edit_pull(state: State, repository: Repository, request: Request, number: str) -> Answer:
    """PATCH /repos/O/R/pulls/N."""
    pull, wanted = _pull(repository, number), request.decode(EditPull)
    pull.title = wanted.title if wanted.title is not None else pull.title
    pull.body = wanted.body if wanted.body is not None else pull.body
    if wanted.state == "closed" and pull.state == "open":
        _close(state, repository, pull)
    pull.updated_at = state.now()
    return json_answer(200, _show(repository, pull, request))


def merge_pull(state: State, repository: Repository, request: Request, number: str) -> Answer:
    """PUT /repos/O/R/pulls/N/merge: a merge commit, or 405 where it cannot be, 409 for a moved head."""
    pull, wanted = _pull(repository, number), request.decode(MergeRequest)
    head = repository.bare.branch(pull.head)
    if pull.state == "closed" or head is None:
        raise ApiError(405, "Pull Request is not mergeable")
    if wanted.sha not in {None, head}:
        raise ApiError(409, "Head branch was modified. Review and try the merge again.")
    title = wanted.commit_title or f"Merge pull request #{pull.number} from {repository.owner}/{pull.head}"
    try:
        commit = repository.bare.merge(pull.base, head, f"{title}\n\n{pull.title}")
    except MergeConflictError as error:
        raise ApiError(405, "Pull Request is not mergeable") from error
    _close(state, repository, pull)
    pull.merged_at, pull.merge_commit_sha = pull.closed_at, commit
    merged = {"sha": commit, "merged": True, "message": "Pull Request successfully merged"}
    return json_answer(200, merged)


def _close(state: State, repository: Repository, pull: Pull) -> None:
    pull.state, pull.closed_at = "closed", state.now()
    pull.head_sha = repository.bare.branch(pull.head) or ""


def list_labels(state: State, repository: Repository, request: Request) -> Answer:
    """GET /repos/O/R/labels."""
    del state
    return _page(request, [shapes.label_body(label) for label in repository.labels.values()])


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
    pull = _pull(repository, number)
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
    names = _pull(repository, number).labels
    return json_answer(200, [shapes.label_body(repository.labels.get(name, Label(name))) for name in names])


def _page(request: Request, items: list[shapes.Body]) -> Answer:
    size = min(int(request.query.get("per_page", PER_PAGE)), 100)
    page = max(int(request.query.get("page", 1)), 1)
    start = (page - 1) * size
    last = max(-(-len(items) // size), 1)
    others = "".join(
        f"&{name}={value}" for name, value in request.query.items() if name not in {"page", "per_page"}
    )
    wanted = {"next": page + 1, "last": last} if page < last else {}
    link = ", ".join(
        f'<{request.api}{request.path}?page={target}&per_page={size}{others}>; rel="{name}"'
        for name, target in wanted.items()
    )
    links = (("Link", link),) if link else ()
    return json_answer(200, items[start : start + size], links)


Handler: TypeAlias = Callable[..., Answer]

REPOSITORY_ROUTES: tuple[tuple[str, str, Handler, str], ...] = (
    ("GET", r"", get_repository, ""),
    ("GET", r"/branches", list_branches, ""),
    ("GET", r"/branches/(.+)", get_branch, ""),
    ("GET", r"/git/refs?/heads/(.+)", get_reference, ""),
    ("GET", r"/contents/(.+)", get_contents, ""),
    ("GET", r"/pulls", list_pulls, "pulls.list"),
    ("POST", r"/pulls", create_pull, "pulls.create"),
    ("GET", r"/pulls/(\d+)", get_pull, ""),
    ("PATCH", r"/pulls/(\d+)", edit_pull, ""),
    ("PUT", r"/pulls/(\d+)/merge", merge_pull, "pulls.merge"),
    ("GET", r"/labels", list_labels, ""),
    ("POST", r"/labels", create_label, ""),
    ("GET", r"/issues/(\d+)/labels", issue_labels, ""),
    ("POST", r"/issues/(\d+)/labels", add_labels, "labels.add"),
)


def operation_of(method: str, path: str) -> str:
    """The name under which faults know a call; empty for the others."""
    if re.fullmatch(r"/app/installations/\d+/access_tokens", path):
        return "installation"
    rest = re.sub(r"^/repos/[^/]+/[^/]+", "", path)
    return next(
        (name for verb, route, _, name in REPOSITORY_ROUTES if verb == method and re.fullmatch(route, rest)),
        "",
    )


def answer_rest(state: State, request: Request) -> Answer:
    """Answer one REST call."""
    try:
        return _answer(state, request)
    except ApiError as error:
        return error.answer


def _answer(state: State, request: Request) -> Answer:
    if request.path.startswith("/app") or re.fullmatch(r"/repos/[^/]+/[^/]+/installation", request.path):
        return _answer_app(state, request)
    caller = _caller(state, request)
    if request.path == "/user":
        return json_answer(200, shapes.user_body(caller.login))
    found = re.fullmatch(r"/repos/([^/]+/[^/]+)(/.*)?", request.path)
    repository = state.repositories.get(found[1].lower()) if found else None
    if found is None or repository is None:
        raise _not_found()
    if request.method != "GET" and caller.access != "write":
        raise ApiError(403, "Resource not accessible by personal access token")
    for method, pattern, handler, _ in REPOSITORY_ROUTES:
        match = re.fullmatch(pattern, found[2] or "")
        if match and method == request.method:
            return handler(state, repository, request, *map(unquote, match.groups()))
    raise _not_found()


def _caller(state: State, request: Request) -> Token:
    scheme, _, value = request.authorization.partition(" ")
    if not request.authorization:
        raise ApiError(401, "Requires authentication")
    known = state.bearer(value.strip()) if scheme.lower() in {"token", "bearer"} else None
    if known is None:
        raise ApiError(401, "Bad credentials")
    return known


def _answer_app(state: State, request: Request) -> Answer:
    app = _calling_app(state, request)
    installation = {"id": app.installation, "app_id": int(app.app_id), "account": shapes.user_body("owner")}
    if request.path == "/app":
        return json_answer(200, {"id": int(app.app_id), "slug": "evaluator", "name": "Evaluator"})
    if request.path.endswith("/installation"):
        full_name = request.path.removeprefix("/repos/").removesuffix("/installation")
        if full_name.lower() not in state.repositories:
            raise _not_found()
        return json_answer(200, installation)
    if request.method == "POST" and request.path == f"/app/installations/{app.installation}/access_tokens":
        token, expires = state.mint(app)
        when = expires.strftime("%Y-%m-%dT%H:%M:%SZ")
        permissions = {"contents": "write", "pull_requests": "write"}
        return json_answer(201, {"token": token, "expires_at": when, "permissions": permissions})
    raise _not_found()


def _calling_app(state: State, request: Request) -> App:
    token = request.authorization.partition(" ")[2].strip()
    try:
        issuer = str(jwt.decode(token, options={"verify_signature": False}).get("iss", ""))
        app = state.apps[issuer]
        jwt.decode(token, app.public_key, algorithms=["RS256"], options={"verify_iat": False})
    except (jwt.InvalidTokenError, KeyError) as error:
        raise ApiError(401, "A JSON web token could not be decoded") from error
    return app
