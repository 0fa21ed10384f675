"""Git's smart HTTP: each request is handed to `git http-backend` and its answer streamed back."""

from __future__ import annotations

import asyncio
import subprocess
from functools import cache
from pathlib import Path

from evalsim.asgi import Receive, Scope, Send, header
from evalsim.github.repository import git_environment

CHUNK = 64 * 1024
HEADERS_LIMIT = 100
END_SECONDS = 5.0
"""How long the backend may take to end once everything is said."""


@cache
def backend_program() -> str:
    """Where git keeps its HTTP backend."""
    command = ["git", "--exec-path"]
    folder = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return str(Path(folder.strip()) / "git-http-backend")


async def serve_git(
    scope: Scope, receive: Receive, send: Send, *, root: Path, path: str, user: str, refusal: str | None
) -> None:
    """Answer one request of a git client; `refusal` makes the repository's hook refuse a push."""
    environment = git_environment() | _cgi(scope, root, path, user)
    if refusal:
        environment["EVALSIM_REFUSE_PUSH"] = refusal
    process = await asyncio.create_subprocess_exec(
        backend_program(),
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    # Beside the answer: git answers while it still reads, and either side would wait for the other.
    feeding = asyncio.create_task(_feed(process, receive))
    try:
        await _answer(process, send)
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Wait for the backend, which ends by itself once its streams are closed; insist where it does not.

    Killing one that is just ending would take its exit code from asyncio, which warns of it.
    """
    try:
        await asyncio.wait_for(process.wait(), END_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def _cgi(scope: Scope, root: Path, path: str, user: str) -> dict[str, str]:
    variables = {
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": path,
        "REQUEST_METHOD": scope["method"],
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "REMOTE_ADDR": "127.0.0.1",
    }
    optional = {
        "REMOTE_USER": user or None,
        "CONTENT_TYPE": header(scope, "content-type"),
        "CONTENT_LENGTH": header(scope, "content-length"),
        "HTTP_CONTENT_ENCODING": header(scope, "content-encoding"),
        "GIT_PROTOCOL": header(scope, "git-protocol"),
    }
    return variables | {name: value for name, value in optional.items() if value is not None}


async def _feed(process: asyncio.subprocess.Process, receive: Receive) -> None:
    stdin = process.stdin
    assert stdin is not None  # noqa: S101 - asked for above
    try:
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                # Cut off within what was announced: git would wait for the rest for ever, at full speed.
                process.kill()
                return
            stdin.write(message.get("body", b""))
            await stdin.drain()
            more = message.get("more_body", False)
    except (BrokenPipeError, ConnectionResetError):
        return  # The backend has answered without reading on, as it does for a refusal.
    finally:
        stdin.close()


async def _answer(process: asyncio.subprocess.Process, send: Send) -> None:
    stdout = process.stdout
    assert stdout is not None  # noqa: S101 - asked for above
    status, headers = 200, []  # CGI: no Status line means 200
    for _ in range(HEADERS_LIMIT):
        line = (await stdout.readline()).rstrip(b"\r\n")
        if not line:
            break
        name, _, value = line.partition(b": ")
        if name.lower() == b"status":
            status = int(value.split()[0])
        else:
            headers.append((name.lower(), value))
    # A program that says nothing has failed; git always names a content type.
    if not headers:
        status = 500
    await send({"type": "http.response.start", "status": status, "headers": headers})
    while chunk := await stdout.read(CHUNK):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
