"""Entries of routes.yaml before they are text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from gateway.config.model import METHODS
from gateway.config.rule_of import template_of
from gateway.migrate.inventory.endpoint import Endpoint
from gateway.routing.rule import Rule

# On both sides; only in the legacy app, but in reach of a wider path above; or only in the new app.
Section = Literal["both", "pinned", "new"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One route that init proposes. ``methods`` is empty for all of them."""

    section: Section
    path: str
    methods: tuple[str, ...]
    host: str | None
    group: str | None
    endpoints: tuple[Endpoint, ...]
    # What its reader should know, one sentence a line.
    remarks: tuple[str, ...] = ()
    # Endpoints that it may take requests from, because the gateway cannot say the path as exactly as the app.
    may_take: tuple[Endpoint, ...] = ()

    @property
    def rule(self) -> Rule:
        return Rule(template_of(self.path), frozenset(self.methods), self.host)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An endpoint, or some methods of it, that gets no entry, and why, as the end of a sentence about it."""

    endpoint: Endpoint
    methods: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Proposal:
    entries: tuple[Entry, ...]
    left_out: tuple[LeftOut, ...]

    def of(self, section: Section) -> tuple[Entry, ...]:
        return tuple(each for each in self.entries if each.section == section)


def merged(left_out: Iterable[LeftOut]) -> tuple[LeftOut, ...]:
    """``left_out`` with the methods of one endpoint that are left out for one reason in one."""
    found: dict[tuple[int, str], LeftOut] = {}
    for each in left_out:
        known = found.get((id(each.endpoint), each.why))
        methods = in_order({*each.methods, *known.methods}) if known is not None else each.methods
        found[id(each.endpoint), each.why] = LeftOut(each.endpoint, methods, each.why)
    return tuple(found.values())


def in_order(methods: Iterable[str]) -> tuple[str, ...]:
    """``methods`` as a route lists them. Those that the gateway does not know, and refuses, are left out."""
    return tuple(sorted((method for method in methods if method in METHODS), key=METHODS.index))
