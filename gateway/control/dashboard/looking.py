"""The pages that show something and change nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from gateway.change.diff import unified
from gateway.control.admin.masking import masked
from gateway.control.admin.running import Running
from gateway.control.admin.seeing import series_of
from gateway.control.admin.status import status_of
from gateway.control.dashboard import words
from gateway.control.dashboard.chart import Chart, chart
from gateway.control.dashboard.choosing import KINDS, fits
from gateway.control.dashboard.diff_lines import diff_lines
from gateway.control.dashboard.overview import colours
from gateway.control.dashboard.page import page
from gateway.control.dashboard.past import past
from gateway.control.dashboard.surroundings import may_change, surroundings


@dataclass(frozen=True, slots=True)
class Picture:
    """``say`` writes a value of the chart."""

    title: str
    say: Callable[[float | None], str]
    chart: Chart


def looking_routes(running: Running, file: Path) -> APIRouter:
    """``file`` is the routes file that is live, or was before somebody broke it."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    history = running.live.history

    @router.get("/")
    async def overview_page(request: Request, q: str = "", show: str = "") -> Response:
        around = surroundings(request, running, file, status_of(running), back="")
        rows = [(row, not fits(row, q, show)) for row in around["view"].rows]
        return page(
            "overview.html",
            page="overview",
            rows=rows,
            q=q,
            show=show,
            kinds=KINDS,
            shown=sum(not hidden for _, hidden in rows),
            **charts_of(running, ""),
            **around,
        )

    @router.get("/charts")
    async def charts(route: str = "") -> Response:
        """For the script, which puts them in the place of the old ones."""
        return page("_charts.html", **charts_of(running, route))

    @router.get("/history")
    async def history_page(request: Request) -> Response:
        around = surroundings(request, running, file, status_of(running), back="")
        entries = past(history.entries())
        oldest = entries[-1].version if entries else 1
        return page("history.html", page="history", entries=entries, oldest=oldest, **around)

    @router.get("/diff")
    async def diff_page(
        request: Request, older: Annotated[int, Query(alias="from")], newer: Annotated[int, Query(alias="to")]
    ) -> Response:
        try:
            texts = [await asyncio.to_thread(history.text, number) for number in (older, newer)]
        except KeyError as error:
            return _not_kept(error)
        lines = diff_lines(masked(unified(texts[0], texts[1], f"version {older}", f"version {newer}"), *texts))
        return page(
            "diff.html",
            page="history",
            older=older,
            newer=newer,
            entries=past(history.entries()),
            live=running.live.version,
            lines=lines,
            may_change=may_change(request),
        )

    @router.get("/version")
    async def version_page(number: int) -> Response:
        try:
            lines = masked(await asyncio.to_thread(history.text, number)).splitlines()
        except KeyError as error:
            return _not_kept(error)
        return page("version.html", page="history", number=number, lines=lines)

    return router


def charts_of(running: Running, route: str) -> Mapping[str, Any]:
    """What _charts.html shows: of the route with this label, or of all of them together."""
    config = running.live.loaded.config
    hues = colours(config.backends, config.default)
    found = series_of(running, route).series
    series = {name: found[name] for name in hues if name in found}
    rate = chart({name: each.rate for name, each in series.items()}, least=1.0)
    errors = chart({name: each.error_ratio for name, each in series.items()}, least=0.01)
    p95 = chart({name: each.p95 for name, each in series.items()}, least=0.01)
    return {
        "charts_of": route,
        "hues": hues,
        "charts": (
            Picture("Requests a second", words.rate, rate),
            Picture("Errors", words.ratio, errors),
            Picture("p95", words.seconds, p95),
        ),
    }


def _not_kept(error: KeyError) -> Response:
    return page(
        "message.html",
        status=404,
        page="history",
        title=f"Version {error.args[0]} is not kept",
        text="The history keeps the newest versions. See there which they are.",
    )
