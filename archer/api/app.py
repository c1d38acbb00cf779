"""The application: guards around routes over services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib.metadata import version
from typing import Any

from anyio import to_thread
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from archer.api import errors, paths
from archer.api.auth import reach_of
from archer.api.guards.asgi import ASGIApp
from archer.api.guards.bodies import Bodies
from archer.api.guards.origins import Origins
from archer.api.guards.rates import RateGuard
from archer.api.guards.requests import Requests
from archer.api.guards.slow import SlowReaders
from archer.api.hooks import Hooks
from archer.api.problems import ProblemBody
from archer.api.services import Services
from archer.api.settings import Settings

THREADS = 12
"""Requests that are worked on at once; more would only wait for each other, and for connections of the store."""
DESCRIPTION = """Submit media jobs, watch them, fetch what they gave.

Errors are RFC 9457 problems (`application/problem+json`); the page behind `type` says what helps. Lists are paged by cursor. Send
`Idempotency-Key` with `POST /v1/jobs`, so that it can be sent again. Events are server-sent and resume with `Last-Event-ID`.
"""


def create_app(settings: Settings) -> FastAPI:
    """The application for a server with these settings. Raises: see `Services.opened`."""
    paths.register()
    from archer.api.dashboard import mount
    from archer.api.routes import routers

    services = Services.opened(settings)
    app = FastAPI(
        title="Cinemill",
        version=version("cinemill"),
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: (
            f"{route.tags[0]}_{route.name}" if route.tags else route.name
        ),
    )
    app.state.services = services
    app.state.routes = [route for router in routers() for route in router.routes]
    errors.install(app)
    for router in routers():
        app.include_router(router)
    mount.install(app)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # FastAPI's own way
    return app


def guarded(app: FastAPI) -> ASGIApp:
    """The application with its guards: what a server runs."""
    services: Services = app.state.services
    settings = services.settings
    inner: ASGIApp = Bodies(app, most=settings.most_body, patience_s=settings.body_s)
    inner = RateGuard(inner, rates=services.rates)
    inner = Origins(inner, names=settings.answers_for)
    inner = SlowReaders(inner, patience_s=settings.send_s)
    return Requests(inner, metrics=services.metrics)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    parts: Services = app.state.services
    hooks = Hooks(
        parts.hooks,
        parts.history,
        reach=partial(reach_of, parts.keys),
        owners=parts.queue.owners,
        places=parts.callable_urls,
        waits_s=parts.settings.hook_waits_s,
        metrics=parts.metrics,
    )
    to_thread.current_default_thread_limiter().total_tokens = THREADS
    running = [asyncio.create_task(parts.tail.run()), asyncio.create_task(hooks.run())]
    try:
        yield
    finally:
        for task in running:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        parts.database.close()


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        model = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
        for name, definition in model.pop("$defs", {}).items():
            made["components"]["schemas"][name] = definition
        made["components"]["schemas"]["Problem"] = model
        app.openapi_schema = made
    return app.openapi_schema
