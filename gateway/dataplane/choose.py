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
    key: str | None
    fresh: str | None = None
    name = route.sticky.name
    match route.sticky.kind:
        case "cookie" if name is None:
            key = client_id(headers, sticky_cookie)
            if key is None:
                # The first answer already counts: the id that it sets is the one that decided it.
                key = fresh = secrets.token_urlsafe(16)
        case "cookie":
            assert name is not None
            key = cookie_value(headers, name)
        case "header":
            assert name is not None
            key = header_value(headers, name)
        case "ip":
            key = client_network(client) if client else None
        case "none":
            key = None
    if key:
        return route.lanes[route.split.owner(point(route.salt, key))], fresh
    return route.lanes[route.draw.next()], None
