"""`GET /api/v1/status`: everything that the dashboard and `gateway status` show, in one document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field

from gateway.config.backend import BackendConfig
from gateway.config.model import Config
from gateway.control.admin.limit_view import LimitView, limit_views
from gateway.control.admin.running import Running
from gateway.control.admin.views import ConfigView, RouteView, WorkerView, config_view, worker_views
from gateway.control.figures.figures import Figure, Figures
from gateway.health.board import Address


class FigureView(BaseModel):
    """``rate`` is of the last 10 seconds, ``error_ratio``, ``p50`` and ``p95`` of the last minute."""

    requests: int = Field(description="Since the start of the gateway.")
    rate: float = Field(description="Requests a second.")
    errors: int = Field(description="Answers with a status of 500 and above, since the start of the gateway.")
    error_ratio: float = Field(description="Share of the requests that were errors, 0 to 1.")
    p50: float | None = Field(description="Seconds; null without traffic. Interpolated in a histogram.")
    p95: float | None = Field(description="Seconds; null without traffic. Interpolated in a histogram.")
    in_flight: int


class AddressView(BaseModel):
    """One address of a remote app. ``ejected`` is for what its requests met, or for its health."""

    address: str
    health: Literal["up", "down", "unknown"] | None = Field(description="By active checks; null where there are none.")
    since: float | None = Field(description="Since when it is so, in seconds since the epoch; null without checks.")
    reason: str = Field(description="What was wrong at the last check, while it is down; or why it cannot be checked.")
    ejected: int = Field(description="In how many workers it gets no requests.")
    trouble: str = Field(description="What to say of it to people; empty while all is well.")


class BackendView(FigureView):
    """``address`` is the import string of an embedded app, and the URLs of a remote one."""

    name: str
    kind: Literal["embedded", "remote"]
    address: str
    addresses: list[AddressView] = Field(default=[], description="Of a remote app, one by one.")
    limit: LimitView | None = Field(default=None, description="Null where there is none.")


class BreakerView(BaseModel):
    """In how many workers the breaker of a backend on a route is in each state."""

    closed: int = 0
    half_open: int = 0
    open: int = 0
    trouble: str = Field(default="", description="What to say of it to people; empty while all is well.")


class RouteStatus(RouteView):
    """``observed`` is in percent, of the last minute's requests; empty without traffic."""

    observed: dict[str, float]
    backends: dict[str, FigureView]
    breakers: dict[str, BreakerView] = Field(default={}, description="Of the backends that have one.")
    limit: LimitView | None = Field(default=None, description="Null where there is none.")


class Migration(BaseModel):
    """A route has moved when nothing of it goes to the default backend any more."""

    routes_moved: int
    routes_total: int
    traffic: dict[str, float] = Field(description="Share of the last minute's requests by backend, 0 to 1.")


class Status(BaseModel):
    """``routes`` are in order of precedence. The last one, labelled ``default``, is what no route names."""

    config: ConfigView
    default: str
    planned: int = Field(description="How many workers there should be.")
    workers: list[WorkerView]
    backends: list[BackendView]
    routes: list[RouteStatus]
    migration: Migration
    refused: dict[str, int] = Field(
        default={}, description="What was refused within the last minute, by reason as in gateway_refused_total."
    )


def status_of(running: Running) -> Status:
    figures = running.sampler.figures()
    config = running.live.loaded.config
    lanes = {label: sorted(names) for label, names in _lanes(figures, config).items()}
    breakers = _breakers(running)
    limits = limit_views(running.sampler, figures)
    routes = [
        _route(
            view,
            lanes.get(view.label, ()),
            figures,
            breakers=breakers.get(view.label, {}),
            limit=limits.get(("route", view.label)),
        )
        for view in (*running.table.routes, running.table.rest)
    ]
    whole = {name: figures.figure(lane for lane in figures.lanes() if lane[1] == name) for name in config.backends}
    return Status(
        config=config_view(running.live),
        default=config.default,
        planned=running.supervisor.planned,
        workers=worker_views(running.supervisor),
        backends=[
            _backend(name, backend, whole[name], running, limits.get(("backend", name)))
            for name, backend in config.backends.items()
        ],
        routes=routes,
        migration=_migration(config, whole),
        refused=figures.refused(),
    )


def _lanes(figures: Figures, config: Config) -> dict[str, set[str]]:
    """Every backend that has served a route: also one that the route does not name, by an override."""
    lanes: dict[str, set[str]] = {}
    for label, backend in figures.lanes():
        if backend in config.backends:
            lanes.setdefault(label, set()).add(backend)
    return lanes


def _breakers(running: Running) -> dict[str, dict[str, BreakerView]]:
    """By route, then by backend."""
    planned = running.supervisor.planned
    views: dict[str, dict[str, BreakerView]] = {}
    for (label, backend), states in running.sampler.breakers.items():
        away = states.get("open", 0) + states.get("half_open", 0)
        where = f" in {away} of {planned} workers" if away < planned else ""
        trouble = f"is left alone{where}: its breaker is open" if away else ""
        views.setdefault(label, {})[backend] = BreakerView(**states, trouble=trouble)
    return views


def _route(
    view: RouteView,
    served: Iterable[str],
    figures: Figures,
    *,
    breakers: dict[str, BreakerView],
    limit: LimitView | None,
) -> RouteStatus:
    by_backend = {backend: figures.figure([(view.label, backend)]) for backend in dict.fromkeys((*view.to, *served))}
    # An override's lane, or one that the route has left, is shown for as long as it does something.
    shown = {name: each for name, each in by_backend.items() if name in view.to or each.recent or each.in_flight}
    recent = sum(each.recent for each in shown.values())
    # Constructed, not validated: all of it is ours, and there may be hundreds every second.
    return RouteStatus.model_construct(
        **view.__dict__,
        observed={name: round(100 * each.recent / recent, 2) for name, each in shown.items()} if recent else {},
        backends={name: FigureView.model_construct(**_values(each)) for name, each in shown.items()},
        breakers=breakers,
        limit=limit,
    )


def _backend(
    name: str, backend: BackendConfig, figure: Figure, running: Running, limit: LimitView | None
) -> BackendView:
    return BackendView(
        name=name,
        kind="remote" if backend.app is None else "embedded",
        address=", ".join(backend.addresses) if backend.app is None else backend.app,
        addresses=[_address(Address(name, url), running) for url in backend.addresses],
        limit=limit,
        **_values(figure),
    )


def _address(address: Address, running: Running) -> AddressView:
    checked = running.checker.checked.get(address)
    ejected = running.sampler.ejected.get(address, 0)
    down = checked is not None and checked.up is False
    troubles = []
    if checked is not None and checked.reason:
        troubles.append(f"is down: {checked.reason}" if down else checked.reason)
    if ejected:
        planned = running.supervisor.planned
        where = f" in {ejected} of {planned} workers" if ejected < planned else ""
        troubles.append(f"gets no requests{where}")
    return AddressView(
        address=address.url,
        health=None if checked is None else "unknown" if checked.up is None else "up" if checked.up else "down",
        since=None if checked is None else round(checked.since, 3),
        reason="" if checked is None else checked.reason,
        ejected=ejected,
        trouble=", ".join(troubles),
    )


def _migration(config: Config, whole: Mapping[str, Figure]) -> Migration:
    recent = sum(figure.recent for figure in whole.values())
    return Migration(
        routes_moved=sum(dict(route.weights).get(config.default, 0) == 0 for route in config.routes),
        routes_total=len(config.routes),
        traffic={name: round(each.recent / recent, 4) if recent else 0.0 for name, each in whole.items()},
    )


def _values(figure: Figure) -> dict[str, Any]:
    """Rounded to what means something, so that a figure that stands still does not seem to move."""
    return {
        "requests": figure.requests,
        "rate": round(figure.rate, 2),
        "errors": figure.errors,
        "error_ratio": round(figure.error_ratio, 4),
        "p50": figure.p50 and round(figure.p50, 5),
        "p95": figure.p95 and round(figure.p95, 5),
        "in_flight": figure.in_flight,
    }
