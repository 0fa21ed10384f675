"""The few pieces of ASGI that the simulation needs: types, a bounded body, an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeAlias, TypeVar

import msgspec

from evalsim.github import bodies

# ASGI's messages are plain dictionaries; each server types them in its own way.
Scope: TypeAlias = Any
Message: TypeAlias = Any
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

BODY_LIMIT = 4 * 1024 * 1024


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


def json_answer(status: int, value: object, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """An answer in JSON, as GitHub labels it."""
    content = ("Content-Type", "application/json; charset=utf-8")
    return Answer(status, msgspec.json.encode(value), (content, *headers))


def header(scope: Scope, name: str) -> str | None:
    """A request header's value."""
    wanted = name.lower().encode()
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == wanted), None)


async def read_body(receive: Receive) -> bytes | None:
    """The whole request body, or None where it is larger than any API call of ours."""
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > BODY_LIMIT:
            return None
    return body


async def send_answer(send: Send, answer: Answer) -> None:
    """Send an answer whole."""
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def serve_lifespan(receive: Receive, send: Send) -> None:
    """Tell the server that there is nothing to start and nothing to stop."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


DOCUMENTATION = "https://docs.github.com/rest"
PER_PAGE = 30

Wanted = TypeVar("Wanted", bound=msgspec.Struct)


class ApiError(Exception):
    """An error as GitHub answers it."""

    def __init__(self, status: int, message: str, errors: list[object] | None = None) -> None:
        super().__init__(message)
        body: bodies.Body = {"message": message, "documentation_url": DOCUMENTATION, "status": str(status)}
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
    login: str = ""
    """Who calls, once that is known."""

    def decode(self, kind: type[Wanted]) -> Wanted:
        """The body as a Struct; GitHub's error for anything else."""
        try:
            return msgspec.json.decode(self.body or b"{}", type=kind)
        except msgspec.ValidationError as error:
            raise ApiError(422, "Invalid request.\n\n" + str(error)) from error
        except msgspec.DecodeError as error:
            raise ApiError(400, "Problems parsing JSON") from error


def not_found() -> ApiError:
    """GitHub's answer for what is not there, or not to be seen."""
    return ApiError(404, "Not Found")


def page_of(request: Request, items: list[bodies.Body]) -> Answer:
    """One page of a list, with links to the next and the last."""
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
