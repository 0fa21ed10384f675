"""The ASGI application: the API's and the pages' routes, behind the checks that every request passes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Response, Router
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.plugins.prometheus import PrometheusConfig
from litestar.status_codes import HTTP_404_NOT_FOUND
from litestar.types import ASGIApp

from evalcore.effects import Effects
from evalcore.secret import Scrubber
from evalcore.version import __version__
from evalhook.config.settings import Settings
from evalhook.monitoring.events import EventHub
from evalhook.outward import Outward
from evalhook.security.auth import BearerAuth, SessionAuth
from evalhook.security.proxies import ProxyGuard
from evalhook.web import page_routes, routes
from evalhook.web.answer_headers import AnswerHeaders
from evalhook.web.error_handlers import error_handlers
from evalhook.web.page_routes import PageContext
from evalhook.web.request_log import RequestLog
from evalhook.wiring import Parts, outward
from evalhook.worker.intake import Gateway, RepositoryReader
from evalhook.worker.publish_retries import Publisher


def create_app(
    settings: Settings,
    *,
    sources: RepositoryReader | None = None,
    gateway: Gateway | None = None,
    publisher: Publisher | None = None,
    effects: Effects | None = None,
    scrub: Scrubber | None = None,
    hub: EventHub | None = None,
) -> ASGIApp:
    """Make the application; what is not given is the real thing.

    Raises ConfigurationError where the state directory cannot be used; it is released when the
    application's lifespan ends.
    """
    scrub = scrub or Scrubber(settings.secrets)
    parts = Parts(
        settings,
        sources=sources,
        gateway=gateway,
        publisher=publisher,
        effects=effects,
        scrub=scrub,
        hub=hub,
    )
    api = _api(parts, outward(settings, scrub))
    # Outermost first: a request gets its id, must come from an allowed address over HTTPS, and then show
    # a session or a token, before any route is looked up.
    bearer = BearerAuth(api, parts.authenticator, parts.throttle)
    authenticated = SessionAuth(api, bearer, parts.sessions)
    guarded = ProxyGuard(authenticated, trusted=parts.trusted_proxies, allowed=parts.allowed)
    # Headers outside of the checks: a refusal is an answer that a browser may open, too.
    return RequestLog(AnswerHeaders(guarded))


def _api(parts: Parts, scrub: Outward) -> Litestar:
    page_context = PageContext(parts.hub, parts.live, parts.sessions, parts.authenticator, parts.throttle)
    # Litestar's own figures of requests; paths as templates, so that no caller can make new series.
    requests = PrometheusConfig(app_name="evalhook", prefix="evalhook_http", group_path=True)

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        async with parts.running():
            yield

    def provided(value: object) -> Provide:
        return Provide(lambda: value, sync_to_thread=False, use_cache=True)

    return Litestar(
        route_handlers=[*routes.ROUTES, *page_routes.ROUTES],
        middleware=[requests.middleware],
        dependencies={
            "service": provided(parts.service),
            "metrics": provided(parts.metrics),
            "page_context": provided(page_context),
        },
        exception_handlers=error_handlers(scrub),
        lifespan=[lifespan],
        openapi_config=_openapi(),
        # Litestar would set up logging of its own beside ours, which masks secrets.
        logging_config=None,
        debug=False,
    )


def _openapi() -> OpenAPIConfig:
    scheme = SecurityScheme(type="http", scheme="bearer", description="MINDROUTER_EVAL_WEBHOOK_TOKEN")
    return OpenAPIConfig(
        title="evalhook",
        version=__version__,
        description="Evaluates a component on the local models and commits the leaderboard back. "
        "Every path needs the token or, to read jobs, a session of the status page; but not /health, /login, "
        "/logout and /static. Every answer has an X-Request-ID.",
        components=Components(security_schemes={routes.TOKEN: scheme}),
        # No page for readers: those of Litestar take their script from another server, in its newest version.
        render_plugins=[JsonRenderPlugin()],
        openapi_router=Router("/schema", route_handlers=[], include_in_schema=False, after_request=_no_page),
    )


def _no_page(answer: Response[Any]) -> Response[Any]:
    """Refuse what Litestar would answer with a page of its own: every refusal is JSON in one envelope."""
    if answer.status_code == HTTP_404_NOT_FOUND:
        raise NotFoundException
    return answer
