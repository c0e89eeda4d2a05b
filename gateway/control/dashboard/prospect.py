"""A plan as the pages show it: what would happen, before it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.change.moving import Weights
from gateway.change.plan import Plan, RoutePlan
from gateway.config.model import Config
from gateway.control.admin.masking import masked
from gateway.control.dashboard import words
from gateway.control.dashboard.diff_lines import DiffLine, diff_lines
from gateway.control.dashboard.overview import Share, shares, to_text


@dataclass(frozen=True, slots=True)
class RouteProspect:
    label: str
    before: tuple[Share, ...]
    before_text: str
    after: tuple[Share, ...]
    after_text: str
    moves: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prospect:
    """The page sends ``change``, its JSON, and ``digest``, the text it is made for, to have exactly this done."""

    change: str
    digest: str
    summary: str
    routes: tuple[RouteProspect, ...]
    notes: tuple[str, ...]
    lines: list[DiffLine]


def prospect(plan: Plan, digest: str, change: str, hues: Mapping[str, int]) -> Prospect:
    return Prospect(
        change=change,
        digest=digest,
        summary=plan.summary,
        routes=tuple(_route(each, plan.after.config, hues) for each in plan.routes),
        notes=plan.notes,
        lines=diff_lines(masked(plan.diff, plan.before.text, plan.after.text)),
    )


def _route(route: RoutePlan, after: Config, hues: Mapping[str, int]) -> RouteProspect:
    sticky = {each.label: each.sticky or after.defaults.sticky for each in after.routes}
    # Without a key nobody is anybody: each request draws its own lot.
    who = "its requests" if sticky.get(route.label) == "none" else "its users"
    return RouteProspect(
        label=route.label,
        before=shares(_percents(route.before), hues),
        before_text=to_text(_percents(route.before)) or "not there",
        after=shares(_percents(route.after), hues),
        after_text=to_text(_percents(route.after)) or "removed",
        moves=tuple(
            f"{words.percent(share / 100)} % of {who} move from {source} to {target}"
            for source, target, share in route.moves
        ),
    )


def _percents(weights: Weights) -> dict[str, float]:
    return {backend: weight / 100 for backend, weight in weights}
