"""An app on a server of its own, reached over HTTP/1.1."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from math import inf
from typing import Any, Literal

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.backends.embedded import StartError
from gateway.backends.tls import client_context
from gateway.config.backend import BackendConfig
from gateway.config.backend import Timeouts as TimeoutsConfig
from gateway.config.health import Outliers
from gateway.resilience.outlier import Settings
from gateway.upstream.limits import PoolLimits, Timeouts
from gateway.upstream.rotating_pool import RotatingPool
from gateway.upstream.upstream import Upstream
from gateway.upstream.websocket import Relay


class RemoteBackend:
    """A named app with a start and a stop, with the attributes of EmbeddedBackend.

    Starting it connects to nothing: an app that is down is no reason to refuse a configuration.

    ``available`` is false while active checks say of every address that it is down. Requests that have nowhere else to
    go are sent all the same.
    """

    def __init__(self, name: str, config: BackendConfig) -> None:
        """Raises StartError when what ``config`` names for TLS cannot be read."""
        self.name = name
        self.config = config
        self.interface: Literal["remote"] = "remote"
        self.state: dict[str, Any] = {}
        self.in_flight = 0
        self.available = True
        try:
            tls = client_context(config)
        except OSError as error:
            raise StartError(f"cannot read the certificates in '{config.tls.ca}': {error}") from error
        self.upstream = Upstream(
            config.addresses,
            timeouts=_timeouts(config),
            limits=PoolLimits(config.connections, config.queue, config.keepalive),
            keep_host=config.host == "keep",
            rewrite=config.rewrite,
            underscores=config.underscores == "keep",
            tls=tls,
            server_name=config.tls.server_name,
            outliers=_outliers(config.outliers),
        )
        self.app: ASGIApp = self._call

    def __repr__(self) -> str:
        return f"<RemoteBackend {self.name} {self.upstream} in_flight={self.in_flight}>"

    async def start(self) -> None:
        self.upstream.start()

    async def stop(self) -> None:
        self.upstream.stop()

    def checked(self, up: Mapping[str, bool]) -> None:
        """What active checks say of its addresses, as they are written; who is not named is not known to be down."""
        words = [up.get(address, True) for address in self.config.addresses]
        self.available = any(words)
        pool = self.upstream.pool
        if isinstance(pool, RotatingPool):
            for origin, word in zip(self.upstream.origins, words, strict=True):
                pool.checked(origin, up=word)

    def _call(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        if scope["type"] == "http":
            return self.upstream(scope, receive, send)
        return Relay(self.upstream, scope, receive, send).run()


def _timeouts(config: BackendConfig) -> Timeouts:
    given = config.timeouts or TimeoutsConfig()
    total = inf if given.total is None else given.total
    return Timeouts(connect=given.connect, send=given.send, head=given.head, idle=given.idle, total=total)


def _outliers(setting: Literal["off"] | Outliers | None) -> Settings | None:
    if setting == "off":
        return None
    given = setting or Outliers()
    return Settings(
        consecutive=given.consecutive,
        error_ratio=given.error_ratio,
        window=given.window,
        minimum=given.minimum,
        eject=given.eject,
        slow_start=given.slow_start,
    )
