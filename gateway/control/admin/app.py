"""The admin listener. It runs in the control process, and stands in no request's way."""

from __future__ import annotations

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from gateway.control.admin.access import Access
from gateway.control.admin.changes import change_routes
from gateway.control.admin.changing import Changing
from gateway.control.admin.describing import describe
from gateway.control.admin.events import Events, event_routes
from gateway.control.admin.guard import Guard
from gateway.control.admin.health import health_routes
from gateway.control.admin.login import login_routes
from gateway.control.admin.problem import ANY, answer_with_problems
from gateway.control.admin.running import Running
from gateway.control.admin.seeing import seeing_routes
from gateway.control.admin.versions import history_routes
from gateway.control.dashboard.changing import changing_routes
from gateway.control.dashboard.covering import covering_routes
from gateway.control.dashboard.files import Files
from gateway.control.dashboard.looking import looking_routes
from gateway.version import __version__


def admin_app(
    running: Running, events: Events, changing: Changing, registry: CollectorRegistry, access: Access
) -> ASGIApp:
    """The ASGI application."""
    app = FastAPI(
        title="Strangler gateway",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses=ANY,
    )
    answer_with_problems(app)
    app.include_router(health_routes(running, registry))
    app.include_router(seeing_routes(running))
    app.include_router(event_routes(events))
    app.include_router(change_routes(changing))
    app.include_router(history_routes(running.live.history))
    app.include_router(login_routes(access))
    app.include_router(looking_routes(running, changing.path))
    app.include_router(covering_routes(running, registry))
    app.include_router(changing_routes(running, changing))
    app.mount("/static", Files())
    describe(app)
    return Guard(app, access)
