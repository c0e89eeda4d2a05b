"""What lint looks at: the file, both apps, and which route meets which endpoint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from gateway.config.loader import Loaded
from gateway.config.model import METHODS, Config
from gateway.config.rule_of import template_of
from gateway.migrate.cells import hosts_overlap
from gateway.migrate.inventory.compare import Compared, Comparison, compare
from gateway.migrate.inventory.endpoint import Endpoint, Inventory
from gateway.migrate.lint.finding import Finding, Level, Need
from gateway.migrate.lint.placed import Placed, left_by, placed
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
        """Those that matter: the route sends requests to the new app, or could, because that has some of them."""
        return tuple(
            Meeting(own, compared, frozenset(methods))
            for own in self.placed
            for compared in self.comparison.legacy
            if (own.share > 0 or compared.on_both_sides)
            and (methods := self._methods(own, compared.endpoint))
            and (own.share > 0 or not compared.methods or methods & compared.methods)
            and not self._outdone(own, compared.endpoint)
        )

    def reached(self, own: Placed, endpoints: Iterable[Endpoint]) -> Iterator[tuple[Endpoint, frozenset[str]]]:
        """Those of ``endpoints`` that requests of a route can be for, with their methods; "" for every method."""
        for endpoint in endpoints:
            methods = self._methods(own, endpoint, with_redirects=True)
            if methods:
                yield endpoint, frozenset(methods)

    def answering(self, path: str, host: str | None, method: str = "") -> list[Endpoint]:
        """The endpoints of the new app that requests for ``path`` can be for. Without ``method``: whatever theirs."""
        template = template_of(path)
        return [
            endpoint
            for endpoint in self.new_endpoints
            if (not method or not endpoint.methods or method in endpoint.methods)
            and hosts_overlap(endpoint.host, host)
            and any(overlap(template_of(each), template) for each in endpoint.paths)
        ]

    def taking(self, path: str, host: str | None, method: str) -> list[Placed]:
        """The routes that requests for ``path`` go by; none where all that is left goes to the default."""
        return [own for own in self.placed if left_by(self.placed, own, path, host, [method])]

    def _methods(self, own: Placed, endpoint: Endpoint, *, with_redirects: bool = False) -> set[str]:
        wanted = sorted(endpoint.methods & frozenset(METHODS)) or [""]
        paths = (*endpoint.paths, *(endpoint.redirected if with_redirects else ()))
        return {method for path in paths for method in left_by(self.placed, own, path, endpoint.host, wanted)}

    def _outdone(self, own: Placed, endpoint: Endpoint) -> bool:
        """Whether all that the route takes of the endpoint's path is for another, more specific endpoint."""
        if own.rule is None:
            return False
        mine = Rule(template_of(endpoint.path), endpoint.methods, endpoint.host)
        for other in self.legacy_endpoints:
            if other is endpoint or not other.methods >= endpoint.own or other.host not in (None, endpoint.host):
                continue
            theirs = template_of(other.path)
            if covers(theirs, own.rule.template) and Rule(theirs, other.methods, other.host).order < mine.order:
                return True
        return False
