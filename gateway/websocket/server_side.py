"""What our server tells an app of a WebSocket beyond ASGI: an extension of the scope.

Other servers do not have it; who asks for it must do without.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Final, TypedDict, cast

from starlette.types import Scope

EXTENSION: Final = "gateway.websocket"


class ServerSide(TypedDict):
    """``progress`` returns a value that changes with whatever the client sends and takes. ``max_message`` is the
    longest message in bytes. An app may close with 1005, for an empty close frame."""

    progress: Callable[[], Hashable]
    max_message: int


def server_side(scope: Scope) -> ServerSide | None:
    return cast("ServerSide | None", scope.get("extensions", {}).get(EXTENSION))
