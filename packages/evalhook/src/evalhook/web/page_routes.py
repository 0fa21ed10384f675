"""The pages' handlers: sign in, sign out, the status page, its script and style, and a job's events."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Final
from urllib.parse import parse_qs

import structlog
from litestar import Request, Response, get, post
from litestar.datastructures import Headers, State
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.params import FromPath, SkipValidation
from litestar.response import Stream

from evalcore.reports.style import base_css, icon_svg
from evalcore.version import __version__
from evalhook import problems
from evalhook.monitoring.events import EventHub
from evalhook.monitoring.live import Live
from evalhook.problems import Problem
from evalhook.security.auth import Authenticator, client_of
from evalhook.security.oidc import Refused
from evalhook.security.sessions import Sessions, cookie, is_from_elsewhere, session_of
from evalhook.security.throttle import Throttle
from evalhook.web import event_stream, pages, schemas
from evalhook.web.body import read_bytes
from evalhook.web.pages import RunningJob, View
from evalhook.web.routes import NEEDS_TOKEN, TheService, errors
from evalhook.worker.service import Service

SHOWN_JOBS: Final = 25
# No inline script or style: text of others that was not escaped would still run nothing.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
STATIC_TYPES: Final = {
    "base.css": "text/css",
    "page.css": "text/css",
    "page.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
log = structlog.stdlib.get_logger(__name__)


class PageContext:
    """What the pages need beside the service."""

    def __init__(
        self, hub: EventHub, live: Live, sessions: Sessions, authenticator: Authenticator, throttle: Throttle
    ) -> None:
        self.hub = hub
        self.live = live
        self.sessions = sessions
        self._authenticator = authenticator
        self._throttle = throttle

    async def sign_in(self, client: str, token: bytes) -> str | None:
        """Begin a session where it is the shared token; otherwise return None, delayed by the throttle."""
        try:
            self._authenticator.check_shared(token)
        except Refused as refusal:
            await self._throttle.failed(client, f"sign-in: {refusal}")
            return None
        return self.sessions.open()


ThePageContext = NamedDependency[SkipValidation[PageContext]]
AnyRequest = Request[Any, Any, State]


@get("/", include_in_schema=False)
async def status(service: TheService, page_context: ThePageContext) -> Response[str]:
    """Show what runs and what ran."""
    return _html(pages.status_page(_view(service, page_context)))


@get("/login", include_in_schema=False, status_code=401)
async def login_form() -> Response[str]:
    """Ask for the token; this is what a stranger sees at `/`."""
    return _html(pages.login_page(), 401, {"WWW-Authenticate": "Bearer"})


@post("/login", include_in_schema=False, status_code=303)
async def sign_in(request: AnyRequest, page_context: ThePageContext) -> Response[str]:
    """Take the token and begin a session."""
    _require_own_site(request.headers)
    token = _token(await read_bytes(request.stream()))
    client = request.client.host if request.client is not None else "unknown"
    session = await page_context.sign_in(client, token.encode())
    if session is None:
        return _html(pages.login_page("That is not the token."), 401, {"WWW-Authenticate": "Bearer"})
    log.info("signed_in", client=client)
    return _back(cookie(session))


@post("/logout", include_in_schema=False, status_code=303)
async def sign_out(request: AnyRequest, page_context: ThePageContext) -> Response[str]:
    """End the session."""
    _require_own_site(request.headers)
    session = session_of(request.headers)
    if session is not None:
        page_context.sessions.close(session)
    return _back(cookie(""))


@get("/static/{name:str}", include_in_schema=False)
async def static(name: FromPath[str]) -> Response[bytes]:
    """Give the page's script, style or icon."""
    content = _STATIC.get(name)
    if content is None:
        raise problems.of_status(404, "there is no such file")
    # For minutes alone: the names carry no version, and a new service brings another script.
    headers = PAGE_HEADERS | {"Cache-Control": "public, max-age=300"}
    return Response(content, media_type=STATIC_TYPES[name], headers=headers)


@get(
    "/jobs/{job_id:str}/events",
    operation_id="events",
    summary="Follow a job as server-sent events until it ends",
    media_type="text/event-stream",
    response_description="Events `progress`, `model` and at the end `done`, each with JSON as its data",
    security=NEEDS_TOKEN,
    responses=errors(
        _400="invalid_request: the request cannot be read",
        _404="unknown_job: there is no such job",
        _503="not_ready: too many streams of events are open",
    ),
)
async def job_events(
    request: Request[Any, Any, State],
    job_id: FromPath[str],
    service: TheService,
    page_context: ThePageContext,
) -> Stream:
    """Follow a job. Each event is whole: a stream that broke is simply opened again."""
    service.find(job_id)
    client = client_of(request.scope)
    events = event_stream.JobEvents(job_id, page_context.hub, page_context.live, service.find, client)
    return Stream(events, media_type="text/event-stream", headers=event_stream.HEADERS)


ROUTES: Final = [status, login_form, sign_in, sign_out, static, job_events]


def _view(service: Service, context: PageContext) -> View:
    jobs = service.newest(SHOWN_JOBS + 1)
    live = context.live.running()
    running = None
    if live is not None:
        shown = schemas.view(service.find(live.job_id))
        running = RunningJob(shown, live.progress(), tuple(live.models()))
    others = [job for job in jobs if live is None or job.job_id != live.job_id][:SHOWN_JOBS]
    return View(
        version=__version__,
        shown_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        running=running,
        jobs=tuple(schemas.view(job) for job in others),
        more=service.count() - SHOWN_JOBS - (live is not None),
        sentences={job.job_id: job.outbox.sentence for job in others if job.outbox.sentence},
    )


def _token(body: bytes) -> str:
    try:
        # However many fields a form of 4 KiB may hold, no more than these are decoded.
        fields = parse_qs(body.decode(), strict_parsing=True, max_num_fields=4)
    except ValueError:
        return ""
    return fields.get("token", [""])[0].strip()


# Signing in too: a form of another site could try tokens from the addresses of its visitors.
def _require_own_site(headers: Headers) -> None:
    if is_from_elsewhere(headers):
        raise Problem(403, "forbidden", "another site sent this form; open the page itself and do it there")


def _html(page: str, status_code: int = 200, headers: dict[str, str] | None = None) -> Response[str]:
    return Response(
        page,
        status_code=status_code,
        media_type=MediaType.HTML,
        headers=PAGE_HEADERS | (headers or {}),
    )


def _back(set_cookie: str) -> Response[str]:
    headers = PAGE_HEADERS | {"Location": "/", "Set-Cookie": set_cookie}
    return Response("", status_code=303, media_type=MediaType.HTML, headers=headers)


# Read once, by names of ours: no path of a request ever reaches the file system.
_SHARED: Final = {"base.css": base_css(), "icon.svg": icon_svg()}
_STATIC: Final = _SHARED | {
    name: files("evalhook.web").joinpath("static", name).read_bytes()
    for name in STATIC_TYPES
    if name not in _SHARED
}
