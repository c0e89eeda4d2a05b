"""How far the migration is: where the requests of every endpoint of the legacy app go."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from gateway.config.model import SCALE, Config, RouteConfig
from gateway.config.rule_of import rule_of
from gateway.migrate.cells import rules_overlap
from gateway.migrate.target import Target
from gateway.migrate.traffic import Traffic
from gateway.routing.overlap import covers
from gateway.routing.rule import Rule

State = Literal["legacy only", "both", "canary", "moved", "new only"]
STATES: tuple[State, ...] = ("moved", "canary", "both", "legacy only", "new only")

# What metrics call what no route names.
DEFAULT_ROUTE = "default"


@dataclass(frozen=True, slots=True)
class Requests:
    """What the metrics tell of one target. The gateway counts by route, not by endpoint.

    ``exact``: ``most`` requests are all its own. Otherwise it has shared them with ``others`` targets, and with paths
    that are none: it had ``most`` at most. Nothing is known of what had more than none.
    """

    most: float
    exact: bool
    others: int = 0

    @property
    def none_seen(self) -> bool:
        return self.most == 0


@dataclass(frozen=True, slots=True)
class Row:
    """A target, and where it goes.

    ``share`` is the new side's, in hundredths of a percent. ``route`` decides about all of its requests but those that
    the routes ``partly`` take; ``index`` is its place in the file, None for the default, and ``group`` its group.
    ``requests`` is None without metrics.
    """

    target: Target
    state: State
    share: int
    route: str
    index: int | None
    group: str | None = None
    partly: tuple[str, ...] = ()
    # What the gateway does in the new app's place, so that it answers as Flask does: to be cleaned up one day.
    compat: tuple[str, ...] = ()
    requests: Requests | None = None

    @property
    def dead(self) -> bool:
        """Whether nobody has asked for it in the time seen."""
        return self.requests is not None and self.requests.none_seen

    @property
    def misses(self) -> bool:
        """Whether some of its requests go to a new app that does not have it."""
        return self.share > 0 and not self.target.both and not self.target.only_new


@dataclass(frozen=True, slots=True)
class Coverage:
    """``rows`` are of the legacy app, ``only_new`` of what it never had."""

    rows: tuple[Row, ...]
    only_new: tuple[Row, ...]
    legacy: str
    traffic: Traffic | None = None

    def count(self, state: State) -> int:
        return Counter(row.state for row in (*self.rows, *self.only_new))[state]

    @property
    def moved(self) -> float:
        """The percentage of the legacy app's targets that have moved whole."""
        return 100 * self.count("moved") / len(self.rows) if self.rows else 100.0

    @property
    def new_traffic(self) -> float | None:
        """The percentage of all requests that the legacy app has not answered; None without requests."""
        if self.traffic is None or not self.traffic.total:
            return None
        return 100 * (1 - self.traffic.by_backend().get(self.legacy, 0.0) / self.traffic.total)


def cover(targets: Sequence[Target], config: Config, legacy: str, traffic: Traffic | None = None) -> Coverage:
    """The state of every target under ``config``; ``legacy`` is the name of the old app's backend."""
    routes = sorted(
        ((rule_of(route), index, route) for index, route in enumerate(config.routes)), key=lambda each: each[0].order
    )
    rows = [_row(target, routes, config, legacy) for target in targets]
    if traffic is not None:
        rows = _with_requests(rows, config, traffic)
    return Coverage(
        tuple(row for row in rows if not row.target.only_new),
        tuple(row for row in rows if row.target.only_new),
        legacy,
        traffic,
    )


def _row(target: Target, routes: Sequence[tuple[Rule, int, RouteConfig]], config: Config, legacy: str) -> Row:
    partly: list[str] = []
    for rule, index, route in routes:
        if not rules_overlap(target.match, rule):
            continue
        if _takes_all(rule, target.match):
            share = SCALE - dict(route.weights).get(legacy, 0)
            return Row(
                target, _state(target, share), share, route.label, index, route.group, tuple(partly), route.compat
            )
        partly.append(route.label)
    share = 0 if config.default == legacy else SCALE
    return Row(target, _state(target, share), share, DEFAULT_ROUTE, None, None, tuple(partly))


def _takes_all(rule: Rule, wanted: Rule) -> bool:
    if rule.conditional or not covers(rule.template, wanted.template):
        return False
    if rule.methods and not (wanted.methods and wanted.methods <= rule.methods):
        return False
    if rule.host is None or rule.host == wanted.host:
        return True
    return wanted.host is not None and rule.host.startswith("*.") and wanted.host.endswith(rule.host[1:])


def _state(target: Target, share: int) -> State:
    if target.only_new:
        return "new only"
    if share == 0:
        return "both" if target.both else "legacy only"
    return "moved" if share == SCALE else "canary"


def _with_requests(rows: Sequence[Row], config: Config, traffic: Traffic) -> list[Row]:
    sharing: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        for method in _counted(row.target):
            sharing[row.route, method] += 1
    by_label = {route.label: rule_of(route) for route in config.routes}
    return [replace(row, requests=_requests(row, sharing, by_label, traffic)) for row in rows]


def _requests(row: Row, sharing: dict[tuple[str, str], int], by_label: dict[str, Rule], traffic: Traffic) -> Requests:
    methods = _counted(row.target)
    most = traffic.of_route(row.route, methods)
    others = max(sharing[row.route, method] for method in methods) - 1 if methods else len(sharing)
    rule = by_label.get(row.route)
    # A wider path also takes what is no endpoint at all.
    alone = rule is not None and not others and rule.template.shape == row.target.match.template.shape
    for label in row.partly:
        most += traffic.of_route(label, methods)
        alone = alone and covers(row.target.match.template, by_label[label].template)
    return Requests(most, alone, others)


def _counted(target: Target) -> tuple[str, ...]:
    """The methods that the metrics count it under; none for all."""
    if target.kind == "websocket":
        return ("WEBSOCKET",)
    if target.method == "GET":
        return ("GET", "HEAD")
    return (target.method,) if target.method else ()
