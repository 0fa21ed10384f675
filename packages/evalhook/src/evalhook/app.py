"""The only wiring: settings -> the parts -> the ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, TypeAlias

import structlog
from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.di import Provide
from litestar.enums import MediaType
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, ScalarRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ASGIApp, ExceptionHandlersMap

from evalcore.effects import Effects, real_effects
from evalcore.secret import Scrubber
from evalcore.version import __version__
from evalhook import problems
from evalhook.config.settings import Settings
from evalhook.errors import Refusal
from evalhook.monitoring import metrics
from evalhook.monitoring.events import EventHub
from evalhook.monitoring.observers import Audience
from evalhook.problems import BusyBody, ErrorBody, ErrorDetail, Problem
from evalhook.security.auth import BearerAuth, PageDoor
from evalhook.security.proxies import Entrance
from evalhook.security.sessions import Sessions
from evalhook.security.throttle import Slowing
from evalhook.storage.space import GB, FreeSpace
from evalhook.storage.store import JobStore
from evalhook.web import page_routes, routes
from evalhook.web.page_routes import Watch
from evalhook.web.request_log import RequestLog, current_request_id
from evalhook.wiring import (
    Told,
    open_allowed,
    open_credentials,
    open_gateway,
    open_publisher,
    open_refresher,
    open_repositories,
)
from evalhook.worker.execution import Means
from evalhook.worker.intake import Gateway, Intake, Sources
from evalhook.worker.queue import Line, Slot
from evalhook.worker.refresh import Upkeep
from evalhook.worker.runner import Publisher, Worker, go_on
from evalhook.worker.service import Service

NOT_FOUND: Final = 404
INTERNAL: Final = 500
Lifespan: TypeAlias = AbstractAsyncContextManager[None]
log = structlog.stdlib.get_logger(__name__)


def create_app(
    settings: Settings,
    *,
    sources: Sources | None = None,
    gateway: Gateway | None = None,
    publisher: Publisher | None = None,
    effects: Effects | None = None,
    scrub: Scrubber | None = None,
    hub: EventHub | None = None,
) -> ASGIApp:
    """Make the application; what is not given is the real thing.

    Raises ConfigurationError where the state directory cannot be used; it is given up when the
    application's lifespan ends.
    """
    effects = effects or real_effects()
    scrub = scrub or Scrubber(settings.secrets)
    allowed = open_allowed(settings)
    sources = sources or open_repositories(settings)
    gateway = gateway or open_gateway(settings)
    store, slot = JobStore(settings.jobs_dir), Slot()
    store.open()
    told = Told(settings, store, slot, effects, hub or EventHub())
    line, clones = Line(settings.limits.queue), asyncio.Lock()
    means = Means(
        gateway=gateway,
        publisher=publisher or open_publisher(settings),
        effects=effects,
        runs_dir=settings.runs_dir,
        concurrency=settings.concurrency,
        scrub=scrub,
        limits=settings.limits,
        clones=clones,
    )
    refresh = open_refresher(settings) if publisher is None else None
    upkeep = Upkeep(refresh, settings.refresh_minutes * 60, effects.sleep) if refresh is not None else None
    audience = Audience([told.audience, *([upkeep] if upkeep is not None else [])])
    worker = Worker(store=store, slot=slot, line=line, means=means, audience=audience)
    service = Service(
        store=store,
        slot=slot,
        line=line,
        clones=clones,
        intake=Intake(sources, gateway, publish_cases=settings.publish_cases),
        worker=worker,
        effects=effects,
        space=FreeSpace(settings.state_dir, settings.min_free_gb * GB),
    )

    @asynccontextmanager
    async def life(_app: Litestar) -> AsyncIterator[None]:
        try:
            tasks = [
                asyncio.create_task(sources.prepare()),
                asyncio.create_task(allowed.keep_fresh(effects.sleep)),
            ]
            if upkeep is not None:
                tasks.append(asyncio.create_task(upkeep.run()))
            async with told.at_work():
                go_on(store, line, worker)
                yield
                slot.close()
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
                await worker.stop()
        finally:
            store.close()

    credentials = open_credentials(settings, effects, scrub)
    slowing = Slowing(monotonic=effects.monotonic, sleep=effects.sleep)
    sessions = Sessions(era=credentials.era)
    watch = Watch(told.hub, told.live, sessions, credentials, slowing)
    api = _api(service, told.metrics, watch, life, scrub)
    door = PageDoor(api, BearerAuth(api, credentials, slowing), sessions)
    return RequestLog(Entrance(door, trusted=settings.trusted_proxies, allowed=allowed))


def _api(
    service: Service,
    figures: metrics.Metrics,
    watch: Watch,
    life: Callable[[Litestar], Lifespan],
    scrub: Scrubber,
) -> Litestar:
    """Make the web application; what its handlers ask for by name is given here."""

    def given(value: object) -> Provide:
        return Provide(lambda: value, sync_to_thread=False, use_cache=True)

    return Litestar(
        route_handlers=[
            routes.evaluate,
            routes.show_job,
            routes.cancel_job,
            routes.publish_job,
            routes.list_jobs,
            routes.health,
            metrics.show_metrics,
            *page_routes.ROUTES,
        ],
        middleware=[metrics.HTTP.middleware],
        dependencies={
            "service": given(service),
            "metrics": given(figures),
            "watch": given(watch),
        },
        exception_handlers=_exception_handlers(scrub),
        lifespan=[life],
        openapi_config=_openapi(),
        logging_config=None,
        debug=False,
    )


def _exception_handlers(scrub: Callable[[str], str]) -> ExceptionHandlersMap:
    def answer(problem: Problem) -> Response[ErrorBody | BusyBody]:
        body = problem.body
        if isinstance(body, ErrorBody):
            body = ErrorBody(ErrorDetail(body.error.code, scrub(body.error.message)))
        return Response(body, status_code=problem.status, headers=problem.headers, media_type=MediaType.JSON)

    def refused(_: Request[Any, Any, State], error: Problem) -> Response[ErrorBody | BusyBody]:
        log.info("refused", status=error.status, code=error.code, reason=error.message)
        return answer(error)

    def domain(_: Request[Any, Any, State], error: Refusal) -> Response[ErrorBody | BusyBody]:
        return refused(_, problems.of_refusal(error))

    def framework(_: Request[Any, Any, State], error: HTTPException) -> Response[ErrorBody | BusyBody]:
        if error.status_code >= INTERNAL:
            return crashed(_, error)
        return answer(problems.of_status(error.status_code, _in_words(error), error.headers))

    def crashed(_: Request[Any, Any, State], error: Exception) -> Response[ErrorBody | BusyBody]:
        log.error("request_crashed", exc_info=error)
        return answer(problems.internal(current_request_id()))

    return {Problem: refused, Refusal: domain, HTTPException: framework, Exception: crashed}


def _in_words(error: HTTPException) -> str:
    if error.status_code == NOT_FOUND:
        return "there is nothing at this path; see /schema/openapi.json"
    details = error.extra if isinstance(error.extra, list) else []
    parts = [f"{item.get('key')}: {item.get('message')}" for item in details if isinstance(item, dict)]
    return "; ".join(parts) or error.detail


def _openapi() -> OpenAPIConfig:
    scheme = SecurityScheme(type="http", scheme="bearer", description="MINDROUTER_EVAL_WEBHOOK_TOKEN")
    return OpenAPIConfig(
        title="evalhook",
        version=__version__,
        description="Evaluates a component on the local models and commits the leaderboard back. "
        "Every path but /health needs the token, this page included; every answer has an X-Request-ID.",
        components=Components(security_schemes={routes.TOKEN: scheme}),
        render_plugins=[ScalarRenderPlugin(), JsonRenderPlugin()],
    )
