"""Which lane of a split a request takes, and the id cookie of a client that has none yet."""

from __future__ import annotations

import secrets

from gateway.dataplane.inbound import RawHeaders
from gateway.dataplane.snapshot import Lane, Route
from gateway.routing.split import point
from gateway.routing.sticky import client_network, cookie_value, header_value, is_client_id


def choose(route: Route, headers: RawHeaders, client: str, sticky_cookie: bytes) -> tuple[Lane, str | None]:
    """The lane, and the new id to set as the sticky cookie, if one is to be set.

    The same key always gives the same lane, in every process; without a key, lanes take turns by weight.
    """
    assert route.split is not None
    assert route.draw is not None
    key: str | None
    fresh: str | None = None
    match route.sticky.kind:
        case "cookie" if route.sticky.name is None:
            key = cookie_value(headers, sticky_cookie)
            if key is None or not is_client_id(key):
                # The first answer already counts: the id that it sets is the one that decided it.
                key = fresh = secrets.token_urlsafe(16)
        case "cookie":
            key = cookie_value(headers, route.sticky.name)
        case "header":
            assert route.sticky.name is not None
            key = header_value(headers, route.sticky.name)
        case "ip":
            key = client_network(client) if client else None
        case "none":
            key = None
    if key:
        return route.lanes[route.split.owner(point(route.salt, key))], fresh
    return route.lanes[route.draw.next()], None
