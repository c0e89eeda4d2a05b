"""The running gateway as the admin API sees it."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.config.loader import Loaded
from gateway.config.model import RouteConfig
from gateway.config.rule_of import rule_of
from gateway.control.figures.sampler import Sampler
from gateway.control.live import LiveConfig
from gateway.control.supervisor import Supervisor
from gateway.routing.table import Table


class LiveTable:
    """The routes that serve, in order of precedence, with their lines in the file. Made anew for each version."""

    def __init__(self, live: LiveConfig) -> None:
        self._live = live
        self._made_of: Loaded | None = None
        self._routes: list[tuple[RouteConfig, int]] = []
        self._default_line = 0

    @property
    def routes(self) -> list[tuple[RouteConfig, int]]:
        self._follow()
        return self._routes

    @property
    def default_line(self) -> int:
        """Where the file names the backend for everything else."""
        self._follow()
        return self._default_line

    def _follow(self) -> None:
        loaded = self._live.loaded
        if self._made_of is loaded:
            return
        positions = loaded.positions()
        entries = list(enumerate(loaded.config.routes))
        table = Table([(rule_of(route), (route, positions.line(("routes", index)))) for index, route in entries])
        self._routes = table.in_order()
        self._default_line = positions.line(("default",))
        self._made_of = loaded


@dataclass(frozen=True, slots=True)
class Running:
    """What there is to see."""

    live: LiveConfig
    supervisor: Supervisor
    sampler: Sampler
    table: LiveTable = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "table", LiveTable(self.live))
