"""A remote app as an ASGI application: what a backend of ours is."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine, Sequence
from typing import Any

from starlette.types import Receive, Scope, Send

from gateway.resilience.outlier import Settings
from gateway.resilience.rotation import Rotation
from gateway.upstream.clock import Clock
from gateway.upstream.exchange import Exchange
from gateway.upstream.headers import ends_here
from gateway.upstream.limits import PoolLimits, Timeouts
from gateway.upstream.origin import Origin
from gateway.upstream.pool import Pool
from gateway.upstream.rotating_pool import RotatingPool


class Upstream:
    """Sends each request on to one of ``urls``, and its answer back.

    ``keep_host`` passes the client's Host on; otherwise the app sees its own address there. ``rewrite`` replaces that
    address by the public one where it leaks out in a response. ``underscores`` lets header names with an underscore
    pass (headers.py says why not). ``tls`` is for https addresses, ``server_name`` what their certificates must name.
    ``outliers`` says which of several addresses is left out because it fails; None leaves out none for that.

    Call it between ``start`` and ``stop``, in one event loop.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        timeouts: Timeouts | None = None,
        limits: PoolLimits | None = None,
        keep_host: bool = True,
        rewrite: bool = True,
        underscores: bool = False,
        tls: ssl.SSLContext | None = None,
        server_name: str | None = None,
        outliers: Settings | None = None,
    ) -> None:
        self.timeouts = timeouts or Timeouts()
        self.limits = limits or PoolLimits()
        self.keep_host = keep_host
        self.rewrite = rewrite
        self.underscores = underscores
        self.origins = tuple(Origin(url, tls, server_name) for url in urls)
        self.rotation = Rotation(len(self.origins), outliers) if len(self.origins) > 1 else None
        self.loop: asyncio.AbstractEventLoop
        self.pool: Pool
        self.clock: Clock

    def __repr__(self) -> str:
        return f"<Upstream {getattr(self, 'pool', list(self.origins))}>"

    def start(self) -> None:
        self.loop = asyncio.get_running_loop()
        if self.rotation is None:
            self.pool = Pool(self.origins, self.limits, self.loop)
        else:
            patience = self.timeouts.connect / 2
            self.pool = RotatingPool(self.origins, self.limits, self.loop, self.rotation, patience)
        self.clock = Clock(self.loop, min(self.timeouts.tick, self.limits.keepalive / 4), self.pool.expire)

    def stop(self) -> None:
        """Close what is idle. What still serves a request closes after it."""
        self.pool.stop()
        self.clock.stop()

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        """Raises UpstreamError when the app cannot be reached, breaks off, or takes too long; or the client leaves."""
        method = scope["method"]
        if (method == "OPTIONS" or method == "TRACE") and ends_here(scope["headers"]):
            return _answer_here(method, send)
        # Not async itself: each coroutine around a request is passed through whenever it goes on.
        return Exchange(self, scope).run(receive, send)


async def _answer_here(method: str, send: Send) -> None:
    """In the app's place, as the last one that the request may reach (RFC 9110 7.6.2).

    A TRACE would be answered with the request itself, and all that proxies have added to it (RFC 9110 9.3.8).
    """
    fields = [(b"content-length", b"0")]
    if method == "TRACE":
        fields.append((b"allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"))
    await send({"type": "http.response.start", "status": 200 if method == "OPTIONS" else 405, "headers": fields})
    await send({"type": "http.response.body", "body": b""})
