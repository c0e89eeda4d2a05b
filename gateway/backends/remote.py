"""An app on a server of its own, reached over HTTP/1.1."""

from __future__ import annotations

import ssl
from collections.abc import Coroutine
from math import inf
from typing import Any, Literal

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.backends.embedded import StartError
from gateway.config.model import BackendConfig
from gateway.upstream.limits import PoolLimits, Timeouts
from gateway.upstream.upstream import Upstream
from gateway.upstream.websocket import Relay


class RemoteBackend:
    """A named app with a start and a stop, with the attributes of EmbeddedBackend.

    Starting it connects to nothing: an app that is down is no reason to refuse a configuration.
    """

    def __init__(self, name: str, config: BackendConfig) -> None:
        """Raises StartError when what ``config`` names for TLS cannot be read."""
        self.name = name
        self.config = config
        self.interface: Literal["remote"] = "remote"
        self.state: dict[str, Any] = {}
        self.in_flight = 0
        self.upstream = Upstream(
            config.urls or (config.url or "",),
            timeouts=_timeouts(config),
            limits=PoolLimits(config.connections, config.queue, config.keepalive),
            keep_host=config.host == "keep",
            rewrite=config.rewrite,
            underscores=config.underscores == "keep",
            tls=_tls(config),
            server_name=config.tls.server_name,
        )
        self.app: ASGIApp = self._call

    def __repr__(self) -> str:
        return f"<RemoteBackend {self.name} {self.upstream} in_flight={self.in_flight}>"

    async def start(self) -> None:
        self.upstream.start()

    async def stop(self) -> None:
        self.upstream.stop()

    def _call(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        if scope["type"] == "http":
            return self.upstream(scope, receive, send)
        return Relay(self.upstream, scope, receive, send).run()


def _timeouts(config: BackendConfig) -> Timeouts:
    given = config.timeouts
    total = inf if given.total is None else given.total
    return Timeouts(connect=given.connect, send=given.send, head=given.head, idle=given.idle, total=total)


def _tls(config: BackendConfig) -> ssl.SSLContext | None:
    """How https addresses are verified: by the system's authorities, or by those in a file of one's own."""
    if not any(url.startswith("https:") for url in config.urls or (config.url or "",)):
        return None
    try:
        context = ssl.create_default_context(cafile=config.tls.ca)
    except (OSError, ssl.SSLError) as error:
        raise StartError(f"cannot read the certificates in '{config.tls.ca}': {error}") from error
    if not config.tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context
