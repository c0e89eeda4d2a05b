"""How far the migration is, endpoint by endpoint, and how it came there.

The control process imports neither app: the endpoints are those that `gateway coverage --save` has left in the state
folder. Where they go is what serves now, and their requests are those of the metrics page.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from itertools import accumulate
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from prometheus_client import CollectorRegistry

from gateway.config.loader import load_text
from gateway.config.problem import ConfigError
from gateway.control.admin.running import Running
from gateway.control.dashboard.burn_down_chart import drawing, thinned
from gateway.control.dashboard.overview import Count, colours
from gateway.control.dashboard.page import page
from gateway.history.history import History
from gateway.migrate.burn_down import Point, burn_down
from gateway.migrate.coverage import Coverage, State, cover
from gateway.migrate.next_move import next_moves, perhaps_unused
from gateway.migrate.report import TITLES, beside, cells, honesty
from gateway.migrate.saved import Saved, load
from gateway.migrate.traffic import from_families

# Reading a version takes some milliseconds, and more points than these are not told apart.
_MOST_VERSIONS = 60


def covering_routes(running: Running, registry: CollectorRegistry) -> APIRouter:
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    history = running.live.history

    @router.get("/coverage")
    async def coverage_page() -> Response:
        try:
            saved = None if history.folder is None else await asyncio.to_thread(load, history.folder)
        except (OSError, ValueError) as error:
            return page("coverage_missing.html", page="coverage", why=f"What is kept cannot be read: {error}.")
        if saved is None:
            return page("coverage_missing.html", page="coverage", why="")
        config = running.live.loaded.config
        traffic = from_families(registry.collect(), "this gateway", time.time())
        covered = cover(saved.targets, config, saved.legacy, traffic)
        points = await asyncio.to_thread(past_points, history, saved)
        hues = colours(config.backends, saved.legacy)
        return page("coverage.html", page="coverage", **_shown(covered, saved, points, hues.get(saved.new, 1)))

    return router


def past_points(history: History, saved: Saved) -> list[Point]:
    """What was left to move, by version; versions whose texts are not kept are left out."""
    versions = []
    for entry in thinned(history.entries(), _MOST_VERSIONS):
        try:
            text = history.text(entry.version)
            versions.append((entry.at, load_text(text, keep_unset=True).config))
        except (KeyError, ConfigError):
            continue
    return list(burn_down(saved.targets, versions, saved.legacy))


def _shown(covered: Coverage, saved: Saved, points: list[Point], new: int) -> Mapping[str, Any]:
    return {
        "covered": covered,
        "saved": saved,
        "beside": list(beside(covered)),
        "counts": _counts(covered, new),
        "drawing": drawing(points, time.time()),
        "titles": [title.capitalize() for title in TITLES],
        "rows": [(row.state, cells(row)) for row in (*covered.rows, *covered.only_new)],
        "steps": next_moves(covered, saved.new),
        "unused": perhaps_unused(covered),
        "note": honesty(covered),
    }


def _counts(covered: Coverage, new: int) -> tuple[Count, ...]:
    """The bar. The new app's colour is what has moved; the old one's is what nobody has ported yet."""
    places: tuple[tuple[State, int], ...] = (("moved", new), ("canary", -1), ("both", 3), ("legacy only", 0))
    scale = 100 / max(1, len(covered.rows))
    numbers = [covered.count(state) for state, _ in places]
    starts = accumulate(numbers, initial=0)
    return tuple(
        Count(state, hue, number, round(scale * start, 3), round(scale * number, 3))
        for (state, hue), number, start in zip(places, numbers, starts, strict=False)
    )
