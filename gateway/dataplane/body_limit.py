"""How long the body of a request may be on its route."""

from __future__ import annotations

from starlette.types import Scope

from gateway.http1.server_side import server_side


def limit_body(scope: Scope, most: int) -> bool:
    """Whether the request is short enough as far as one can tell. Our own server sees to what comes later.

    Another server may have no way to stop a chunked body, so there only ``Content-Length`` is looked at.
    """
    side = server_side(scope)
    if side is not None:
        return side.limit_body(most)
    for name, value in scope["headers"]:
        if name == b"content-length":
            return not value.isdigit() or int(value) <= most
    return True
