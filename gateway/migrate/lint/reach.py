"""Routes that do nothing."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.config.model import METHODS
from gateway.config.rule_of import template_of
from gateway.migrate.inventory.endpoint import Endpoint
from gateway.migrate.lint.finding import Finding, rule
from gateway.migrate.lint.placed import Placed, listed_shortly
from gateway.migrate.lint.subject import Subject


@rule(
    "SG701",
    "the route matches nothing in either app",
    why="Whatever it sends anywhere is answered 404 or 405: it was probably meant to be another path, or is left over.",
    remedy="correct the path, host or methods, or remove the route",
    needs=("legacy app", "new app"),
)
def matches_nothing(subject: Subject) -> Iterator[Finding]:
    for own in _idle(subject):
        assert own.route is not None
        there = [each for each in _endpoints(subject) if _overlaps(own, each)]
        if not there:
            yield Finding((*own.path, "path"), f"neither app has {own.route.path}", "warning", own.label)
        elif not any(own.takes(method) for each in there for method in _methods(each)):
            asked = ", ".join(own.route.methods or ())
            message = f"neither app has {asked} of {listed_shortly([each.rule for each in there])}"
            yield Finding((*own.path, "methods"), message, "warning", own.label)


@rule(
    "SG702",
    "the route is shadowed",
    why="More specific routes take every request of every endpoint that it matches: it looks as if it did something.",
    remedy="remove it, or say in the others what it is to have",
    needs=("legacy app", "new app"),
)
def is_shadowed(subject: Subject) -> Iterator[Finding]:
    for own in _idle(subject):
        if any(_matches(own, each) for each in _endpoints(subject)):
            others = [
                other.label
                for other in subject.placed
                if other.rule is not None and other is not own and own.overlaps(other.rule.template, other.rule.host)
            ]
            message = f"more specific routes take all that it matches: {listed_shortly(others)}"
            yield Finding(own.path, message, "warning", own.label)


@rule(
    "SG703",
    "compat has no effect",
    why="What `default` does is what the other backends are made compatible with: around the default itself, `compat` "
    "puts nothing.",
    remedy="remove `compat`, or leave the old app the default until nobody needs it",
)
def compat_has_no_effect(subject: Subject) -> Iterator[Finding]:
    if subject.config.default != subject.new_name:
        return
    for own in subject.placed:
        if own.route is not None and own.route.compat and own.share > 0:
            message = f"compat: [{', '.join(own.route.compat)}], and '{subject.new_name}' is the default"
            yield Finding((*own.path, "compat"), message, "warning", own.label)


def _idle(subject: Subject) -> Iterator[Placed]:
    """The routes that no request for any endpoint goes by."""
    for own in subject.placed:
        if own.route is not None and not subject.reached(own) and not subject.redirected(own):
            yield own


def _endpoints(subject: Subject) -> tuple[Endpoint, ...]:
    return (*subject.legacy_endpoints, *subject.new_endpoints)


def _overlaps(own: Placed, endpoint: Endpoint) -> bool:
    paths = (*endpoint.paths, *endpoint.redirected)
    return any(own.overlaps(template_of(path), endpoint.host) for path in paths)


def _matches(own: Placed, endpoint: Endpoint) -> bool:
    return _overlaps(own, endpoint) and any(own.takes(method) for method in _methods(endpoint))


def _methods(endpoint: Endpoint) -> list[str]:
    return sorted(endpoint.methods & frozenset(METHODS)) or [""]
