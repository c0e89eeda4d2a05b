"""From a route of the file to what the routing table matches by."""

from __future__ import annotations

from functools import lru_cache

from gateway.config.model import RouteConfig
from gateway.routing.rule import Rule
from gateway.routing.template import Template, parse


@lru_cache(maxsize=16_384)
def template_of(path: str) -> Template:
    """The parsed template of a path; raises TemplateError.

    Kept, because the rules and the table both need it, and because most paths are the same after a reload.
    """
    return parse(path)


def rule_of(route: RouteConfig) -> Rule:
    """What ``route`` matches. Raises TemplateError or HostError for one that was not checked."""
    return Rule(
        template=template_of(route.path),
        methods=frozenset(route.methods or ()),
        host=route.host,
        headers=tuple(
            (name.lower().encode(), None if value is True else value.encode()) for name, value in route.headers.items()
        ),
        query=tuple((name, None if value is True else value) for name, value in route.query.items()),
    )
