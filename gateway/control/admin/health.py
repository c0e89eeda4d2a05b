"""Alive, ready, and the metrics page: what machines ask for."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from pydantic import BaseModel

from gateway.control.admin.running import Running
from gateway.control.admin.tokens import Right
from gateway.control.admin.views import ConfigView, WorkerView, config_view, worker_views


class Readiness(BaseModel):
    """Who may not read, such as a load balancer, is told whether it is ready, and no more."""

    ready: bool
    planned: int | None = None
    workers: list[WorkerView] | None = None
    config: ConfigView | None = None


def health_routes(running: Running, registry: CollectorRegistry) -> APIRouter:
    router = APIRouter(tags=["health"])
    live, supervisor = running.live, running.supervisor

    @router.get("/healthz", response_class=PlainTextResponse)
    async def healthz() -> str:
        """The control process is alive."""
        return "ok\n"

    @router.get(
        "/readyz",
        responses={503: {"model": Readiness, "description": "No worker serves."}},
        response_model_exclude_none=True,
    )
    async def readyz(request: Request, response: Response) -> Readiness:
        """200 as long as requests are served here, by however many workers.

        A bad routes.yaml does not change that: the version before it stays live. If it did, one bad edit, seen by
        every instance at once, would make the load balancer take all of them out. The same goes for a worker that
        dies: less capacity is better than none. Both show in the answer and in the metrics.
        """
        ready = bool(supervisor.ready) and not supervisor.stopping
        response.status_code = 200 if ready else 503
        if request.state.right < Right.READ:
            return Readiness(ready=ready)
        return Readiness(
            ready=ready, planned=supervisor.planned, workers=worker_views(supervisor), config=config_view(live)
        )

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics(request: Request) -> Response:
        """Prometheus' text format, summed over all workers that are and were."""
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": content_type})

    return router
