"""Which lane of a split a request takes, and the id cookie of a client that has none yet."""

from __future__ import annotations

import secrets

from gateway.dataplane.inbound import RawHeaders
from gateway.dataplane.snapshot import Lane, Route
from gateway.routing.split import point
from gateway.routing.sticky import client_id, client_network, cookie_value, header_value


def choose(route: Route, headers: RawHeaders, client: str, sticky_cookie: bytes) -> tuple[Lane, str | None]:
    """The lane, and the new id to set as the sticky cookie, if one is to be set.

    The same key always gives the same lane, in every process; without a key, lanes take turns by weight.
    """
    assert route.split is not None
    assert route.draw is not None
    fresh: str | None = None
    key = client_key(route, headers, client, sticky_cookie)
    if not key and gives_ids(route):
        # The first answer already counts: the id that it sets is the one that decided it.
        key = fresh = secrets.token_urlsafe(16)
    if key:
        return route.lanes[route.split.owner(point(route.salt, key))], fresh
    return route.lanes[route.draw.next()], None


def client_key(route: Route, headers: RawHeaders, client: str, sticky_cookie: bytes) -> str | None:
    """What keeps this client on one side of the route's split, if it has sent it."""
    name = route.sticky.name
    match route.sticky.kind:
        case "cookie":
            return client_id(headers, sticky_cookie) if name is None else cookie_value(headers, name)
        case "header":
            assert name is not None
            return header_value(headers, name)
        case "ip":
            return client_network(client) if client else None
        case "none":
            return None


def gives_ids(route: Route) -> bool:
    """Whether a client without a key is given one."""
    return route.sticky.kind == "cookie" and route.sticky.name is None
