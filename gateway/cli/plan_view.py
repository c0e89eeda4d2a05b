"""A plan as data, and the data in words. The admin API gives the same data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from gateway.change.plan import Plan, RoutePlan
from gateway.config.shares import percent
from gateway.control.admin.masking import masked

# `rollback --all` may move a thousand routes; their first twenty tell what is happening.
_MOST: Final = 20


def plan_data(plan: Plan) -> dict[str, Any]:
    """Shares and moves in percent."""
    return {
        "summary": plan.summary,
        "routes": [_route(route) for route in plan.routes],
        "notes": list(plan.notes),
        # What is on a terminal is in a CI job's log, too.
        "diff": masked(plan.diff, plan.before.text, plan.after.text),
    }


def plan_lines(data: Mapping[str, Any]) -> Iterator[str]:
    yield data["summary"]
    routes: Sequence[Mapping[str, Any]] = data["routes"]
    for route in routes[:_MOST]:
        for line in _moves(route, named=len(routes) > 1):
            yield f"  {line}"
    if len(routes) > _MOST:
        yield f"  and so on, for {len(routes) - _MOST} more routes"
    for note in data.get("notes", ()):
        yield f"note: {note}"


def _moves(route: Mapping[str, Any], *, named: bool) -> Iterator[str]:
    where = f"{route['label']}: " if named else ""
    if not route["before"]:
        yield f"{where}is a route of its own again, {_shares(route['after'])}"
        return
    if not route["after"]:
        yield f"{where}is no route any more; its requests go where the other routes say"
        return
    if not route["moves"]:
        yield f"{where}nobody moves"
    for move in route["moves"]:
        who = "everybody moves" if move["share"] == 100 else f"{_number(move['share'])} % of the users move"
        yield f"{where}{who} from {move['from']} to {move['to']}"


def _route(route: RoutePlan) -> dict[str, Any]:
    return {
        "label": route.label,
        "before": {backend: weight / 100 for backend, weight in route.before},
        "after": {backend: weight / 100 for backend, weight in route.after},
        "moves": [{"from": source, "to": target, "share": share / 100} for source, target, share in route.moves],
    }


def _shares(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{backend} {_number(share)} %" for backend, share in shares.items())


def _number(share: float) -> str:
    return percent(round(share * 100))
