"""What there is to see: the table, the live figures and their charts."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from gateway.control.admin.problem import Refusal
from gateway.control.admin.running import Running
from gateway.control.admin.status import Status, status_of
from gateway.control.admin.table import DEFAULT
from gateway.control.admin.views import (
    ConfigView,
    RouteView,
    WorkerView,
    config_view,
    etag,
    worker_views,
)
from gateway.control.figures.figures import STEP, Point


class RoutesView(BaseModel):
    """``routes`` are in order of precedence; what none of them matches goes to ``default``."""

    config: ConfigView
    default: str
    routes: list[RouteView]
    workers: list[WorkerView]


class Chart(BaseModel):
    """One number a step, oldest first. ``p95`` is in seconds, null where there was no request."""

    rate: list[float]
    error_ratio: list[float]
    p95: list[float | None]


class Series(BaseModel):
    step: float = Field(description="Seconds from point to point.")
    end: float = Field(description="The end of the last step, in seconds since the epoch.")
    series: dict[str, Chart] = Field(description="By backend.")


def seeing_routes(running: Running) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["seeing"])
    live, supervisor = running.live, running.supervisor

    @router.get("/routes")
    async def routes(response: Response) -> RoutesView:
        """The table that serves now."""
        response.headers["etag"] = etag(live)
        return RoutesView(
            config=config_view(live),
            default=live.loaded.config.default,
            routes=running.table.routes,
            workers=worker_views(supervisor),
        )

    @router.get("/status", response_model=Status)
    async def status() -> Response:
        """Version, workers, and live figures by route and backend."""
        # Made into text here: FastAPI would check all of it once more.
        text = status_of(running).model_dump_json()
        return Response(text, media_type="application/json", headers={"etag": etag(live)})

    @router.get("/series")
    async def series(
        route: Annotated[str, Query(description="A route's label, or `default`; left out: all together.")] = "",
    ) -> Series:
        """The last 15 minutes, in steps of 10 seconds."""
        config = live.loaded.config
        if route and route != DEFAULT and all(each.label != route for each in config.routes):
            raise Refusal(404, f"no route is called '{route}'; GET /api/v1/routes lists them", kind="unknown-route")
        return series_of(running, route)

    return router


def series_of(running: Running, route: str) -> Series:
    """Of the route with this label; "" is all routes together."""
    figures = running.sampler.figures()
    return Series(
        step=STEP,
        end=round(time.time() - (time.monotonic() - figures.step_at), 1),
        series={name: _chart(figures.points((route, name))) for name in running.live.loaded.config.backends},
    )


def _chart(points: Iterable[Point]) -> Chart:
    chart = Chart(rate=[], error_ratio=[], p95=[])
    for point in points:
        chart.rate.append(round(point.rate, 2))
        chart.error_ratio.append(round(point.error_ratio, 4))
        chart.p95.append(point.p95 and round(point.p95, 5))
    return chart
