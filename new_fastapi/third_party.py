"""The exchange-rate service, over one connection pool for the application's lifetime."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from .faithful.errors import Problem


class ThirdParty:
    """Asks ``url`` for the rates."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client = client
        self._url = url

    @classmethod
    @asynccontextmanager
    async def connected(cls, url: str, timeout: float) -> AsyncIterator[ThirdParty]:
        """``timeout`` is in seconds, to connect and again for each read."""
        async with httpx.AsyncClient(
            # The client is shared by all users, so what one is given must not be sent for another. httpx keeps cookies
            # unless its jar refuses every domain.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=True,  # as `requests` does
            trust_env=False,  # a service of ours: not by way of the proxy for the outside world
            # Whoever finds all connections busy waits for one; that is no failure of the third party.
            timeout=httpx.Timeout(timeout, pool=None),
            limits=httpx.Limits(max_connections=256, max_keepalive_connections=32),
        ) as client:
            yield cls(client, url)

    async def rates(self) -> dict[str, Any]:
        """Base, date and rates. Raises Problem 504 when no answer comes in time, 502 for no answer or a bad one."""
        try:
            async with self._client.stream("GET", f"{self._url}/rates") as answer:
                return await self._read(answer)
        except httpx.TimeoutException:
            raise Problem(504, "The exchange-rate service did not answer in time.") from None
        except (httpx.NetworkError, httpx.RemoteProtocolError):
            raise Problem(502, "The exchange-rate service cannot be reached.") from None
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            # An error status, no JSON, or JSON of another kind.
            raise Problem(502, "The exchange-rate service gave an answer we cannot use.") from None

    async def _read(self, answer: httpx.Response) -> dict[str, Any]:
        try:
            await answer.aread()
        except httpx.TimeoutException:
            # The head came in time. `requests` calls a body that stalls a broken connection, so the Flask app does.
            raise httpx.ReadError("the body stalled") from None
        except httpx.TransportError as error:
            raise ValueError(str(error)) from None  # the body broke off
        answer.raise_for_status()
        rates = answer.json()
        return {"base": rates["base"], "date": rates["date"], "rates": rates["rates"]}
