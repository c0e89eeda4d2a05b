"""A route of the file as it stands among the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from gateway.config.model import SCALE, Config, RouteConfig
from gateway.config.position import Path
from gateway.config.rule_of import rule_of
from gateway.config.survival import Fallback, fallback_of
from gateway.migrate.cells import hosts_overlap
from gateway.migrate.target import SAFE
from gateway.routing.overlap import overlap
from gateway.routing.rule import Rule
from gateway.routing.template import Template


@dataclass(frozen=True)
class Placed:
    """A route, or with ``route`` None all that no route names. ``share`` is the new backend's, up to SCALE.

    ``place`` is its number in order of precedence, from 0.
    """

    path: Path
    place: int
    route: RouteConfig | None
    weights: tuple[tuple[str, int], ...]
    share: int
    sticky: str
    fallback: Fallback | None = None
    # What is done to the new app's answers; to those of the default backend, nothing is.
    compat: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return self.route.label if self.route is not None else "default"

    @cached_property
    def rule(self) -> Rule | None:
        return rule_of(self.route) if self.route is not None else None

    @property
    def split(self) -> bool:
        return sum(weight > 0 for _, weight in self.weights) > 1

    def sends_to(self, backend: str) -> bool:
        return any(name == backend and weight > 0 for name, weight in self.weights)

    def overlaps(self, template: Template, host: str | None) -> bool:
        """Whether it matches some of the requests for ``template``, whatever their method."""
        if self.rule is None:
            return True
        return overlap(self.rule.template, template) and hosts_overlap(self.rule.host, host)

    def takes(self, method: str) -> bool:
        """Whether it matches ``method``; "" is every method, and matches where one does."""
        return self.rule is None or not method or not self.rule.methods or method in self.rule.methods


def placed(config: Config, new: str | None, legacy: str) -> tuple[Placed, ...]:
    """The routes, and the default if that is not where the old app is: then it has moved what no route names."""
    in_order = sorted(range(len(config.routes)), key=lambda index: rule_of(config.routes[index]).order)
    place = {index: number for number, index in enumerate(in_order)}
    found = [
        Placed(
            path=("routes", index),
            place=place[index],
            route=route,
            weights=route.weights,
            share=dict(route.weights).get(new or "", 0),
            sticky=route.sticky or config.defaults.sticky,
            fallback=fallback_of(route.fallback, config.defaults.fallback),
            compat=route.compat if config.default != new else (),
        )
        for index, route in enumerate(config.routes)
    ]
    if config.default != legacy:
        share = SCALE if config.default == new else 0
        found.append(Placed(("default",), len(found), None, ((config.default, SCALE),), share, "none"))
    return tuple(found)


def unsafe(methods: Iterable[str]) -> list[str]:
    return sorted(method for method in methods if method and method not in SAFE)


def listed_shortly(names: Sequence[str], most: int = 3) -> str:
    """``a, b, c and 4 more``"""
    names = list(dict.fromkeys(names))
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
