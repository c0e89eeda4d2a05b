"""The table that serves, as the admin API shows it."""

from __future__ import annotations

from gateway.config.loader import Loaded
from gateway.config.rule_of import rule_of
from gateway.control.admin.views import RouteView, route_view
from gateway.control.live import LiveConfig
from gateway.routing.table import Table

# What the workers count under what no route names.
DEFAULT = "default"


class LiveTable:
    """Made anew for each version, when it is first asked for: a status a second would read the same file again."""

    def __init__(self, live: LiveConfig) -> None:
        self._live = live
        self._made_of: Loaded | None = None
        self._routes: list[RouteView] = []
        self._rest: RouteView | None = None

    @property
    def routes(self) -> list[RouteView]:
        """In order of precedence."""
        self._follow()
        return self._routes

    @property
    def rest(self) -> RouteView:
        """What no route names."""
        self._follow()
        assert self._rest is not None
        return self._rest

    def _follow(self) -> None:
        loaded = self._live.loaded
        if self._made_of is loaded:
            return
        config, positions = loaded.config, loaded.positions()
        views = [
            (rule_of(route), route_view(route, positions.line(("routes", index)), config.defaults.sticky))
            for index, route in enumerate(config.routes)
        ]
        self._routes = Table(views).in_order()
        self._rest = RouteView(
            label=DEFAULT,
            path="",
            methods=[],
            host=None,
            group=None,
            sticky="none",
            line=positions.line(("default",)),
            to={config.default: 100.0},
        )
        self._made_of = loaded
