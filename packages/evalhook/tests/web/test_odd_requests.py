"""Whatever a client sends is refused in words: it is no error of the service, and leaves no traceback."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import unquote

import pytest

JSON = {"content-type": "application/json"}
BODIES = [
    rb'{"skill_name": "\ud800"}',
    rb'{"\ud800": 1}',
    rb'{"skill_name": "memo", "models": ["\udfff"]}',
    rb'{"skill_name": "memo", "git_sha": "\u0000aaaaaaa"}',
    '{"skill_name": "memo", "git_sha": "\uff41\uff41\uff41\uff41\uff41\uff41\uff41"}'.encode(),
    b'{"skill_name": "memo", "replicates": 1e400}',
    b'{"skill_name": "memo", "replicates": 1e308}',
    b'{"skill_name": "memo", "replicates": -0}',
    b'{"skill_name": "memo", "replicates": ' + b"9" * 3_900 + b"}",
    b'{"skill_name": "memo", "models": [""]}',
    b'{"skill_name": ".."}',
    b'{"skill_name": 5}',
    b"[" * 4_000,
    b'{"a":' * 800,
    b"\xff\xfe",
    b"\xef\xbb\xbf{}",
    b"",
    b"null",
]
PATHS = [
    "/jobs?limit=%EF%BC%91",
    "/jobs?limit=1e1",
    "/jobs?limit=%00",
    "/jobs?limit=" + "9" * 5_000,
    "/jobs?%ED%A0%80=1",
    "/jobs/%00",
    "/jobs/%ff",
    "/jobs/%2e%2e/%2e%2e",
    "/jobs/" + "a" * 5_000,
    "/jobs/x/events?%",
    "//jobs",
    "/jobs//events",
    "/static/..%2fpages.py",
    "/static/page.css%00",
    "/login?x=%ff",
    "/%F0%9F%92%A9",
]
HEADERS = [
    {"origin": "http://[::"},
    {"origin": "http://[bad"},
    {"origin": "null"},
    {"host": ""},
    {"host": "\xff"},
    {"sec-fetch-site": "\xe9"},
    {"accept": "\xff"},
    {"accept": "*/*," * 3_000},
    {"content-type": ";"},
    {"content-type": "application/json; charset=utf-16"},
    {"content-type": "application/json; charset"},
    {"content-encoding": "gzip"},
    {"cookie": '__Host-evalhook="\\777"'},
    {"cookie": "a=b; __Host-evalhook"},
    {"x-request-id": "\n"},
    {"x-forwarded-for": "," * 5_000},
    {"range": "bytes=0-"},
    {"upgrade": "h2c"},
]
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"]
ODD: list[tuple[str, str, dict[str, str], bytes]] = [
    *(("POST", "/evaluate", JSON, body) for body in BODIES),
    *(("POST", "/login", {}, body) for body in BODIES),
    *((method, path, {}, b"") for path in PATHS for method in METHODS),
    *(
        (method, path, headers, b"token=x")
        for headers in HEADERS
        for method, path in (
            ("GET", "/"),
            ("GET", "/jobs"),
            ("GET", "/health"),
            ("GET", "/static/page.css"),
            ("POST", "/evaluate"),
            ("POST", "/login"),
            ("POST", "/logout"),
        )
    ),
]


async def answered(app: Any, method: str, path: str, headers: dict[str, str], body: bytes) -> int:
    """The status of an answer to a request that no client library would send."""
    sent: list[dict[str, Any]] = []
    bodies = iter([body])

    async def receive() -> dict[str, Any]:
        if (part := next(bodies, None)) is not None:
            return {"type": "http.request", "body": part, "more_body": False}
        await asyncio.sleep(5)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        await asyncio.sleep(0)

    target, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(target, errors="replace"),
        "raw_path": target.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("hook", 80),
        "root_path": "",
        "state": {},
    }
    async with asyncio.timeout(8):
        await app(scope, receive, send)
    return int(sent[0]["status"])


@pytest.mark.parametrize("has_token", [True, False], ids=["with a token", "without one"])
def test_no_odd_request_is_an_error_of_the_service(world, capsys, has_token: bool) -> None:  # noqa: FBT001
    shown = {"authorization": f"Bearer {world.token}"} if has_token else {}
    failed = []

    async def tell(client: Any) -> None:
        for method, path, headers, body in ODD:
            status = await answered(client._transport.app, method, path, headers | shown, body)
            if status >= 500:
                failed.append((status, method, path[:60], str(headers)[:80], body[:60]))

    world.story(tell)
    assert failed == []
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
