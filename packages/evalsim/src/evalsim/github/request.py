"""A REST request to the simulated GitHub, and what every call answers alike: errors, and lists by pages."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import msgspec

from evalcore.decoding import decode_json
from evalsim.asgi import Answer, json_answer
from evalsim.github.bodies import Body

DOCUMENTATION = "https://docs.github.com/rest"
PER_PAGE = 30
"""Items of a page, unless `per_page` asks for more or fewer."""

Wanted = TypeVar("Wanted", bound=msgspec.Struct)


class ApiError(Exception):
    """An error as GitHub answers it."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: list[object] | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        body: Body = {"message": message, "documentation_url": DOCUMENTATION, "status": str(status)}
        if errors is not None:
            body["errors"] = errors
        self.answer = json_answer(status, body, headers)


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
            return decode_json(self.body or b"{}", kind)
        except msgspec.ValidationError as error:
            raise ApiError(422, "Invalid request.\n\n" + str(error)) from error
        except msgspec.DecodeError as error:
            raise ApiError(400, "Problems parsing JSON") from error


def not_found() -> ApiError:
    """GitHub's answer for what is not there, or not to be seen."""
    return ApiError(404, "Not Found")


def page_of(request: Request, items: list[Body]) -> Answer:
    """One page of a list, with links to the next and the last."""
    # GitHub gives at most 100 a page, whatever is asked for.
    size = min(_number(request, "per_page", PER_PAGE), 100)
    page = _number(request, "page", 1)
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


def _number(request: Request, name: str, otherwise: int) -> int:
    """A number of the query, from 1; what is none, GitHub takes for one that is not there."""
    text = request.query.get(name, "")
    return int(text) if text.isdecimal() and int(text) else otherwise
