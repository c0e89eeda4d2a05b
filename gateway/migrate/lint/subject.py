"""What lint looks at: the file, both apps, and which route meets which endpoint."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from gateway.config.loader import Loaded
from gateway.config.model import METHODS, Config
from gateway.config.position import Path
from gateway.config.rule_of import template_of
from gateway.migrate.cells import hosts_overlap
from gateway.migrate.inventory.compare import Compared, Comparison, compare
from gateway.migrate.inventory.endpoint import Endpoint, Inventory
from gateway.migrate.lint.finding import Finding, Level, Need
from gateway.migrate.lint.placed import Placed, placed
from gateway.migrate.lint.takers import Takers
from gateway.routing.overlap import covers, overlap
from gateway.routing.rule import Rule
from gateway.routing.template import Template


@dataclass(frozen=True)
class Meeting:
    """A legacy endpoint and a route that its requests go by. ``methods`` are those of the endpoint that do."""

    placed: Placed
    compared: Compared
    methods: frozenset[str]

    @property
    def endpoint(self) -> Endpoint:
        return self.compared.endpoint

    @property
    def template(self) -> Template:
        return template_of(self.endpoint.path)

    @property
    def could_move(self) -> bool:
        """Whether the new app has the endpoint, with one of the methods."""
        both = self.compared.methods
        return self.compared.on_both_sides and (not both or bool(both & self.methods))

    @property
    def level(self) -> Level:
        """A note as long as the new app has nothing of the route: so it will be once it moves."""
        return "warning" if self.placed.share > 0 else "note"

    def finding(self, message: str, level: Level | None = None) -> Finding:
        return Finding(self.placed.path, message, level or self.level, self.placed.label)


@dataclass(frozen=True)
class Subject:
    """``legacy_name`` and ``new_name`` are the backends of the two apps; an app that is not at hand is None."""

    loaded: Loaded
    legacy_name: str
    new_name: str | None
    legacy: Inventory | None
    new: Inventory | None

    @property
    def config(self) -> Config:
        return self.loaded.config

    def has(self, need: Need) -> bool:
        app = self.legacy if need.startswith("legacy") else self.new
        return app is not None and not (need.endswith(" app") and app.framework == "OpenAPI")

    @property
    def legacy_endpoints(self) -> tuple[Endpoint, ...]:
        return self.legacy.endpoints if self.legacy is not None else ()

    @property
    def new_endpoints(self) -> tuple[Endpoint, ...]:
        return self.new.endpoints if self.new is not None else ()

    @cached_property
    def placed(self) -> tuple[Placed, ...]:
        return placed(self.config, self.new_name, self.legacy_name)

    @cached_property
    def comparison(self) -> Comparison:
        return compare(self.legacy, self.new) if self.legacy is not None else Comparison((), ())

    @cached_property
    def meetings(self) -> tuple[Meeting, ...]:
        """Those of the routes that send requests to the new app, or could, because that has some of them."""
        found: list[Meeting] = []
        compared_by = {id(each.endpoint): each for each in self.comparison.legacy}
        for own in self.placed:
            rivals = self._rivals(own)
            met: list[Meeting] = []
            for endpoint, reached in self.reached(own):
                compared = compared_by.get(id(endpoint))
                methods = reached - _outdone(endpoint, rivals)
                if compared is not None and methods:
                    met.append(Meeting(own, compared, methods))
            if own.share > 0 or any(meeting.could_move for meeting in met):
                found += met
        return tuple(found)

    def reached(self, own: Placed) -> Sequence[tuple[Endpoint, frozenset[str]]]:
        """The endpoints of both apps that requests of a route can be for, with their methods; "" for every method."""
        return self._reached[own.path]

    def redirected(self, own: Placed) -> bool:
        """Whether the route takes requests that an app only redirects to the path with another slash."""
        return bool(self._redirected[own.path])

    def answering(self, path: str, host: str | None, method: str = "") -> list[Endpoint]:
        """The endpoints of the new app that requests for ``path`` can be for. Without ``method``: whatever theirs."""
        found = self._answering.get((path, host))
        if found is None:
            found = self._answering[path, host] = list(self._overlapping(template_of(path), host))
        return [each for each in found if not method or not each.methods or method in each.methods]

    def takers(self, path: str, host: str | None, methods: Iterable[str]) -> list[tuple[Placed, list[str]]]:
        """The routes that requests for ``path`` go by, with those of ``methods``; the rest goes to the default."""
        return self._takers.of(path, host, methods)

    def stays(self, path: str, host: str | None, methods: Iterable[str]) -> bool:
        """Whether some of these requests go to the old app."""
        takers = self.takers(path, host, methods)
        if not takers:
            return self.config.default == self.legacy_name
        return any(own.sends_to(self.legacy_name) for own, _ in takers)

    @cached_property
    def _takers(self) -> Takers:
        return Takers(self.placed)

    @cached_property
    def _reached(self) -> Mapping[Path, Sequence[tuple[Endpoint, frozenset[str]]]]:
        return self._by_route(lambda endpoint: endpoint.paths)

    @cached_property
    def _redirected(self) -> Mapping[Path, Sequence[tuple[Endpoint, frozenset[str]]]]:
        return self._by_route(lambda endpoint: endpoint.redirected)

    def _by_route(
        self, paths_of: Callable[[Endpoint], Iterable[str]]
    ) -> Mapping[Path, Sequence[tuple[Endpoint, frozenset[str]]]]:
        found: dict[Path, list[tuple[Endpoint, frozenset[str]]]] = {own.path: [] for own in self.placed}
        for endpoint in (*self.legacy_endpoints, *self.new_endpoints):
            wanted = sorted(endpoint.methods & frozenset(METHODS)) or [""]
            by_route: dict[Path, set[str]] = defaultdict(set)
            for path in paths_of(endpoint):
                for own, methods in self.takers(path, endpoint.host, wanted):
                    by_route[own.path].update(methods)
            for route, all_methods in by_route.items():
                found[route].append((endpoint, frozenset(all_methods)))
        return found

    @cached_property
    def _answering(self) -> dict[tuple[str, str | None], list[Endpoint]]:
        return {}

    def _overlapping(self, template: Template, host: str | None) -> Iterator[Endpoint]:
        for endpoint in self.new_endpoints:
            fits = any(overlap(template_of(each), template) for each in endpoint.paths)
            if fits and hosts_overlap(endpoint.host, host):
                yield endpoint

    def _rivals(self, own: Placed) -> list[Endpoint]:
        """The legacy endpoints that are for everything that the route's path matches."""
        if own.rule is None:
            return []
        wanted = own.rule.template
        return [each for each in self.legacy_endpoints if covers(template_of(each.path), wanted)]


def _outdone(endpoint: Endpoint, rivals: Sequence[Endpoint]) -> frozenset[str]:
    """The methods of ``endpoint`` whose requests are for a rival: it is more specific."""
    mine = _rule(endpoint).order if rivals else ()
    found: frozenset[str] = frozenset()
    for other in rivals:
        if other is not endpoint and other.host in (None, endpoint.host) and _rule(other).order < mine:
            found |= other.methods or endpoint.methods | {""}
    return found


def _rule(endpoint: Endpoint) -> Rule:
    return Rule(template_of(endpoint.path), endpoint.methods, endpoint.host)
