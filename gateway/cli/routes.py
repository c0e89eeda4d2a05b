"""`gateway routes`: the table, in order of precedence."""

from __future__ import annotations

import typer

from gateway.cli.columns import print_columns
from gateway.cli.routes_file import DEFAULT_FILE, AsJson, RoutesFile, RoutesOption, load_or_exit, print_json
from gateway.config.loader import Loaded
from gateway.config.model import Config, RouteConfig
from gateway.config.rule_of import rule_of
from gateway.config.shares import shares_text
from gateway.routing.table import Table


def routes(routes: RoutesFile = None, routes_option: RoutesOption = DEFAULT_FILE, as_json: AsJson = False) -> None:
    """Print the routes in order of precedence.

    Of all routes that match a request, the first in this order takes it.
    """
    loaded = load_or_exit(routes or routes_option, as_json)
    config = loaded.config
    if as_json:
        data = [_as_data(line, route, config) for line, route in _in_order(loaded)]
        print_json({"source": loaded.source, "digest": loaded.digest, "default": config.default, "routes": data})
    else:
        print_table(loaded)


def print_table(loaded: Loaded, most: int | None = None) -> None:
    """Print the table, or the first ``most`` routes of it."""
    config = loaded.config
    entries = _in_order(loaded)
    print_columns(
        ("ROUTE", "TO", "STICKY", "GROUP", "LINE"),
        [
            (
                _title(route),
                shares_text(route.weights),
                (route.sticky or config.defaults.sticky) if _is_split(route) else "-",
                route.group or "-",
                str(line),
            )
            for line, route in entries[:most]
        ],
        numbers=("LINE",),
    )
    if most is not None and len(entries) > most:
        typer.echo(f"and {len(entries) - most} more routes; `gateway routes` prints all")
    typer.echo(f"everything else goes to {config.default}")


def _in_order(loaded: Loaded) -> list[tuple[int, RouteConfig]]:
    """The routes with their lines, in order of precedence."""
    positions = loaded.positions()
    table = Table([(rule_of(route), (index, route)) for index, route in enumerate(loaded.config.routes)])
    return [(positions.line(("routes", index)), route) for index, route in table.in_order()]


def _title(route: RouteConfig) -> str:
    """What the route is called and, if that does not say it, what it matches."""
    if route.name is None:
        return route.label
    return f"{route.name} ({route.model_copy(update={'name': None}).label})"


def _is_split(route: RouteConfig) -> bool:
    return sum(weight > 0 for _, weight in route.weights) > 1


def _as_data(line: int, route: RouteConfig, config: Config) -> dict[str, object]:
    return {
        "route": route.label,
        "path": route.path,
        "methods": list(route.methods or ()),
        "host": route.host,
        "headers": dict(route.headers),
        "query": dict(route.query),
        "to": {backend: weight / 100 for backend, weight in route.weights},
        "sticky": route.sticky or config.defaults.sticky,
        "group": route.group,
        "line": line,
    }
