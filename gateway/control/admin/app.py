"""The admin listener: health, readiness, metrics and the live table. It runs in the control process.

It has no authentication yet, so it is for this machine only: it listens on loopback addresses and answers to
loopback names.
"""

from __future__ import annotations

import http
from typing import Literal

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from gateway.config.model import RouteConfig
from gateway.control.live import LiveConfig
from gateway.control.loopback import LoopbackOnly
from gateway.control.supervisor import Supervisor
from gateway.version import __version__


class Problem(BaseModel):
    """RFC 9457."""

    title: str
    status: int
    detail: str = ""


class WorkerView(BaseModel):
    """``version`` and ``digest`` are of the configuration that it serves; 0 and "" before it does."""

    number: int
    pid: int
    state: Literal["starting", "ready", "draining", "ended"]
    version: int
    digest: str


class ConfigView(BaseModel):
    """``rejected`` means that the file is bad now and that the version given here, an older one, stays live."""

    state: Literal["live", "rejected"]
    version: int
    digest: str
    since: float
    problems: list[str]


class Readiness(BaseModel):
    ready: bool
    planned: int
    workers: list[WorkerView]
    config: ConfigView


class Share(BaseModel):
    backend: str
    percent: float


class RouteView(BaseModel):
    """A route as it serves now; ``methods`` is empty where it takes all."""

    label: str
    path: str
    methods: list[str]
    host: str | None
    to: list[Share]
    sticky: str
    group: str | None


class RoutesView(BaseModel):
    """``routes`` are in order of precedence; what none of them matches goes to ``default``."""

    config: ConfigView
    default: str
    routes: list[RouteView]
    workers: list[WorkerView]


def admin_app(live: LiveConfig, supervisor: Supervisor, registry: CollectorRegistry) -> LoopbackOnly:
    """The ASGI application."""
    app = FastAPI(title="Strangler gateway", version=__version__, openapi_url="/api/openapi.json")

    @app.get("/healthz", response_class=PlainTextResponse)
    async def healthz() -> str:
        """The control process is alive."""
        return "ok\n"

    @app.get("/readyz", responses={503: {"model": Readiness}})
    async def readyz(response: Response) -> Readiness:
        """200 as long as requests are served here, by however many workers.

        A bad routes.yaml does not change that: the version before it stays live. If it did, one bad edit, seen by
        every instance at once, would make the load balancer take all of them out. The same goes for a worker that
        dies: less capacity is better than none. Both show in the answer and in the metrics.
        """
        ready = bool(supervisor.ready) and not supervisor.stopping
        response.status_code = 200 if ready else 503
        return Readiness(ready=ready, planned=supervisor.planned, workers=_workers(supervisor), config=_config(live))

    @app.get("/metrics", response_class=PlainTextResponse)
    async def metrics(request: Request) -> Response:
        """Prometheus' text format, summed over all workers that are and were."""
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": content_type})

    @app.get("/api/v1/routes")
    async def routes() -> RoutesView:
        """The table that serves now."""
        config = live.loaded.config
        return RoutesView(
            config=_config(live),
            default=config.default,
            routes=[_route(route, config.defaults.sticky) for route in live.routes],
            workers=_workers(supervisor),
        )

    @app.exception_handler(HTTPException)
    async def refuse(request: Request, error: HTTPException) -> Response:
        problem = Problem(title=http.HTTPStatus(error.status_code).phrase, status=error.status_code)
        return JSONResponse(
            problem.model_dump(), error.status_code, headers=error.headers, media_type="application/problem+json"
        )

    return LoopbackOnly(app)


def _config(live: LiveConfig) -> ConfigView:
    return ConfigView(
        state="rejected" if live.problems else "live",
        version=live.version,
        digest=live.loaded.digest,
        since=live.since,
        problems=[str(problem) for problem in live.problems],
    )


def _workers(supervisor: Supervisor) -> list[WorkerView]:
    return [
        WorkerView(number=number, pid=each.pid, state=each.state.value, version=each.version, digest=each.digest)
        for number, each in sorted(supervisor.workers.items())
    ]


def _route(route: RouteConfig, sticky: str) -> RouteView:
    return RouteView(
        label=route.label,
        path=route.path,
        methods=list(route.methods or ()),
        host=route.host,
        to=[Share(backend=backend, percent=weight / 100) for backend, weight in route.weights],
        sticky=route.sticky or sticky,
        group=route.group,
    )
