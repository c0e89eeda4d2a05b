"""One check of one address, by httpx: on a new connection each time, the way the traffic goes."""

from __future__ import annotations

import asyncio
import errno
import ssl
from types import TracebackType
from typing import Final, Self

import httpx

from gateway.version import __version__

# What is our own trouble and none of the app's: no file descriptor, no memory, no port.
_OURS: Final = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EADDRNOTAVAIL))


class ProbeError(Exception):
    """The check could not be made; it says nothing about the app."""


class Probe:
    """Asks for ``path`` at ``url``: ``http://host:port``, ``https://host`` or ``unix:/path``. Use it in a block."""

    def __init__(
        self, url: str, path: str, timeout: float, tls: ssl.SSLContext | None, server_name: str | None
    ) -> None:
        unix = url.startswith("unix:")
        self._url = ("http://localhost" if unix else url.rstrip("/")) + path
        self._timeout = timeout
        self._extensions = {} if server_name is None else {"sni_hostname": server_name}
        transport = httpx.AsyncHTTPTransport(
            # An app on http needs no certificates, which take a while to read.
            verify=tls or False,
            uds=url.removeprefix("unix:") if unix else None,
            # A kept connection would not show that the app takes new ones.
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        # A proxy of the environment is for the way out, and the apps are inside.
        self._client = httpx.AsyncClient(
            transport=transport,
            trust_env=False,
            timeout=None,  # noqa: S113 - ask() has one for all of it
            headers={"user-agent": f"strangler-gateway/{__version__} (health check)"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def ask(self) -> str:
        """Why the address is not well; "" if it is. Raises ProbeError."""
        try:
            # One for all of it: httpx has one for each part, and an app that sends a byte a second would never fail.
            async with asyncio.timeout(self._timeout):
                async with self._client.stream("GET", self._url, extensions=self._extensions) as response:
                    status = response.status_code
        except TimeoutError:
            return f"no answer within {self._timeout:g} s"
        except httpx.HTTPError as error:
            if _is_ours(error):
                raise ProbeError(f"{type(error).__name__}: {error}") from error
            return f"{type(error).__name__}: {error}"
        return "" if 200 <= status < 400 else f"status {status}"


def _is_ours(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in _OURS:
            return True
        error = error.__cause__ or error.__context__
    return False
