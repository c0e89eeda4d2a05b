"""Which lane of a split a request takes, and the id cookie of a client that has none yet."""

from __future__ import annotations

import secrets

from gateway.dataplane.inbound import RawHeaders
from gateway.dataplane.snapshot import Lane, Route
from gateway.http1.seen import Passed, PassedOn
from gateway.routing.sticky import IdCookie, Sticky, client_network, cookie_value, header_value


def choose(route: Route, headers: RawHeaders, client: str, id_cookie: IdCookie) -> tuple[Lane, str | None]:
    """The lane, and the new id to set as the sticky cookie, if one is to be set.

    The same key always gives the same lane, in every process; without a key, lanes take turns by weight.
    """
    passed: Passed | None = None
    if route.gives_ids and type(headers) is PassedOn:
        # Who has these fields has the same id.
        passed = headers.passed
        lane = passed.chosen.get(route)
        if lane is not None:
            return lane, None
    fresh: str | None = None
    key = client_key(route, headers, client, id_cookie)
    if not key:
        if not route.gives_ids:
            assert route.draw is not None
            return route.lanes[route.draw.next()], None
        # The first answer already counts: the id that it sets is the one that decided it.
        key = fresh = secrets.token_urlsafe(16)
        passed = None
    lane = lane_of(route, key)
    if passed is not None:
        passed.choose(route, lane)
    return lane, fresh


def client_key(route: Route, headers: RawHeaders, client: str, id_cookie: IdCookie) -> str | None:
    """What makes the client the same client again on this route; None or empty without it."""
    return id_cookie.id_of(headers) if route.gives_ids else _key_of_the_apps(route.sticky, headers, client)


def lane_of(route: Route, key: str) -> Lane:
    """The lane of a split that the key's owner takes."""
    assert route.split is not None
    return route.lanes[route.split.owner(route.points.of(key))]


def _key_of_the_apps(sticky: Sticky, headers: RawHeaders, client: str) -> str | None:
    match sticky.kind:
        case "cookie":
            assert sticky.name is not None
            return cookie_value(headers, sticky.name)
        case "header":
            assert sticky.name is not None
            return header_value(headers, sticky.name)
        case "ip":
            return client_network(client) if client else None
        case "none":
            return None
