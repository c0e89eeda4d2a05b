"""What our server tells an app of an HTTP request beyond ASGI: an extension of the scope.

Other servers do not have it; who asks for it must do without.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol, cast

EXTENSION: Final = "gateway.http"


class ServerSide(Protocol):
    def client_gone(self) -> bool:
        """Whether the client has left, asked by an app that has no use for more of the body at the moment.

        ``receive`` tells it only behind what is still to be read of the body.
        """

    def limit_body(self, most: int) -> bool:
        """Let the request's body be no longer than ``most`` bytes; asked before any of it is taken.

        False if it is known to be longer already: then it is for the app to answer. A chunked one that turns out to
        be is answered 413 by the server, or the answer that has begun is broken off; the app finds the client gone.
        """

    def take_back(self) -> bool:
        """Forget the head of an answer, if no byte of it has gone out, so that another answer can be given.

        False if there is none, or if it is too late: then all that can be done is to break it off.
        """


def server_side(scope: Mapping[str, Any]) -> ServerSide | None:
    return cast("ServerSide | None", (scope.get("extensions") or {}).get(EXTENSION))
