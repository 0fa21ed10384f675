"""The simulated GitHub: one ASGI app with the REST API, the git remotes and the controls.

The REST API's root is `<base>/api/v3` (what EVALHOOK_GITHUB_API_URL is to be), as GitHub Enterprise
has it; GraphQL's is `<base>/api/graphql`, and `<base>/owner/name.git` is the git remote.
A pull request of a public repository has its page at `<base>/owner/name/pull/N`.
`POST /sim/faults` asks for a fault (see Fault), `DELETE /sim/faults` ends them all. `PUT /sim/tokens` lets
the tokens of a JSON list in and no others, `PUT /sim/apps` gives apps other public keys. The controls have
no authentication: it is a simulation.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from evalcore.decoding import decode_json
from evalsim.asgi import (
    Answer,
    Receive,
    Scope,
    Send,
    header,
    json_answer,
    read_body,
    send_answer,
    serve_lifespan,
)
from evalsim.github.backend import serve_git
from evalsim.github.faults import Fault
from evalsim.github.pages import answer_page
from evalsim.github.request import Request
from evalsim.github.rest import answer_rest, operation_of
from evalsim.github.state import Repository, State, Token

API = "/api/v3"
GRAPHQL = "/api/graphql"
# As on GitHub, a remote's URL may end in `.git` or not.
GIT_PATH = re.compile(r"/([^/]+)/([^/]+?)(?:\.git)?(/info/refs|/git-upload-pack|/git-receive-pack)")


class Exchange(NamedTuple):
    """A call of the REST API and its answer, as the test suite checks them."""

    request: Request
    answer: Answer


class SimulatedGitHub:
    """The ASGI app; `state` is what a test looks into and prepares.

    `observers` are called with each REST call that was not answered by a fault, in any thread.
    """

    # Of the class: tests make many of them, and the fixture that checks every call cannot know each.
    observers: ClassVar[list[Callable[[Exchange], None]]] = []

    def __init__(self, root: Path, *, token: str | None = None) -> None:
        self.state = State(root)
        if token is not None:
            self.state.add_token(token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan":
            await serve_lifespan(receive, send)
            return
        path: str = scope["path"]
        # First: a push is streamed to git and may be larger than any body that is read here.
        git = GIT_PATH.fullmatch(path)
        if git:
            await self._git(scope, receive, send, f"{git[1]}/{git[2]}", git[3])
            return
        body = await read_body(receive)
        if body is None:
            await send_answer(send, json_answer(413, {"message": "Payload too large"}))
        elif path == "/sim/faults":
            await send_answer(send, self._control(scope["method"], body))
        elif path in {"/sim/tokens", "/sim/apps"} and scope["method"] == "PUT":
            await send_answer(send, self._rotate(path, body))
        elif path == GRAPHQL:
            await send_answer(send, await self._rest(scope, "/graphql", body))
        elif path.startswith(f"{API}/"):
            await send_answer(send, await self._rest(scope, path.removeprefix(API), body))
        else:
            page = answer_page(self.state, path) if scope["method"] == "GET" else None
            await send_answer(send, page or json_answer(404, {"message": "Not Found"}))

    def _control(self, method: str, body: bytes) -> Answer:
        if method == "DELETE":
            self.state.faults.clear()
        elif method == "POST":
            try:
                self.state.faults.add(decode_json(body, Fault))
            except msgspec.DecodeError as error:
                return json_answer(400, {"message": str(error)})
        return json_answer(200, self.state.faults.waiting)

    def _rotate(self, path: str, body: bytes) -> Answer:
        """Change who is let in from now on; tokens that an app has made already stay good, as GitHub's do."""
        try:
            if path == "/sim/tokens":
                self.state.set_tokens(decode_json(body, list[str]))
            else:
                for app_id, key in decode_json(body, dict[str, str]).items():
                    self.state.add_app(app_id, key)
        except msgspec.DecodeError as error:
            return json_answer(400, {"message": str(error)})
        return json_answer(200, {})

    async def _rest(self, scope: Scope, path: str, body: bytes) -> Answer:
        web = f"{scope.get('scheme', 'http')}://{header(scope, 'host') or 'localhost'}"
        request = Request(
            method=scope["method"],
            path=path,
            query=dict(parse_qsl(scope["query_string"].decode("latin-1"))),
            authorization=header(scope, "authorization") or "",
            body=body,
            web=web,
            api=f"{web}{API}",
        )
        fault = self.state.faults.take("api", operation_of(request.method, path))
        if fault:
            await asyncio.sleep(fault.delay)
            if not fault.answer_lost and not fault.is_delay_only:
                asked = () if fault.retry_after is None else (("Retry-After", str(fault.retry_after)),)
                return json_answer(fault.status or 500, {"message": fault.message}, asked)
        # In a thread: most answers run git, which would hold up every other request.
        answer = await asyncio.to_thread(answer_rest, self.state, request)
        for observe in self.observers:
            observe(Exchange(request, answer))
        if fault and fault.answer_lost:
            return json_answer(fault.status or 502, {"message": fault.message})
        return answer

    async def _git(self, scope: Scope, receive: Receive, send: Send, full_name: str, rest: str) -> None:
        service = "push" if "git-receive-pack" in rest + scope["query_string"].decode("latin-1") else "fetch"
        caller = self.state.bearer(_basic_password(scope))
        repository = self.state.repositories.get(full_name.lower())
        refusal = _refuse(repository, caller, service, sent=header(scope, "authorization") is not None)
        # One push is two requests; a fault counts once for the one that does the work.
        working = scope["method"] == "POST"
        fault = self.state.faults.take(service) if working and refusal is None else None
        if fault:
            await asyncio.sleep(fault.delay)
            if fault.status is not None and not fault.answer_lost:
                refusal = Answer(fault.status, fault.message.encode())
        if refusal is not None or repository is None:
            await send_answer(send, refusal or Answer(404))
            return
        # Without a status the repository's own hook refuses, as a protected branch does: git then reports it
        # by branch.
        hook = fault.message if fault and not (fault.is_delay_only or fault.answer_lost) else None
        answering = _lose if fault and fault.answer_lost else send
        await serve_git(
            scope,
            receive,
            answering,
            root=self.state.root,
            path=f"/{repository.full_name}.git{rest}",
            user=caller.login if caller else "",
            refusal=hook,
        )
        if fault and fault.answer_lost:
            await send_answer(send, Answer(fault.status or 502, fault.message.encode()))


async def _lose(message: object) -> None:
    """Take an answer that never arrives."""
    del message


def _basic_password(scope: Scope) -> str | None:
    scheme, _, value = (header(scope, "authorization") or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return None


def _refuse(
    repository: Repository | None, caller: Token | None, service: str, *, sent: bool
) -> Answer | None:
    """GitHub's refusal of a git request, if any: 401, 403 for a read-only token, 404."""
    asking = (("WWW-Authenticate", 'Basic realm="GitHub"'),)
    # A repository that is private and one that is not there are answered alike, so that nobody learns of it.
    if caller is None and (sent or repository is None or repository.private or service == "push"):
        return Answer(401, b"Authentication failed\n" if sent else b"Repository not found.\n", asking)
    if repository is None:
        return Answer(404, b"Repository not found.\n")
    level = "write" if service == "push" else "read"
    if caller is not None and repository.private and not caller.allows("contents", level="read"):
        return Answer(404, b"Repository not found.\n")
    may_write = caller is not None and caller.access == "write" and caller.allows("contents", level=level)
    if service == "push" and not may_write:
        return Answer(403, b"Write access to repository not granted.\n")
    return None
