"""Where `gateway coverage` has its numbers from: the gateway itself, or a Prometheus server."""

from __future__ import annotations

import os
import re
import time
from typing import Final

import httpx

from gateway.migrate.traffic import Traffic, from_metrics_page, from_prometheus, query

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_WINDOW = re.compile(r"([1-9][0-9]{0,5})([smhdw])")
_TIMEOUT: Final = 10.0


class NoTraffic(Exception):
    """There are no numbers. The text says why."""


def window_seconds(window: str) -> float:
    """``7d`` in seconds. Raises ValueError."""
    found = _WINDOW.fullmatch(window)
    if found is None:
        raise ValueError(f"'{window}' is not a time such as 7d, 12h or 30m")
    return float(int(found[1]) * _UNITS[found[2]])


def of_gateway(url: str) -> Traffic:
    """The counts since the start of the gateway whose admin listener is at ``url``. Raises NoTraffic."""
    token = os.environ.get("GATEWAY_ADMIN_TOKEN") or os.environ.get("GATEWAY_ADMIN_READ_TOKEN")
    response = _get(f"{url.rstrip('/')}/metrics", headers={"authorization": f"Bearer {token}"} if token else {})
    if response.status_code == 401:
        raise NoTraffic(f"{url} wants a token: set GATEWAY_ADMIN_TOKEN, or GATEWAY_ADMIN_READ_TOKEN")
    try:
        return from_metrics_page(_body(response, url), f"the gateway at {url}", time.time())
    except ValueError as error:
        raise NoTraffic(f"{url} is not the admin listener of a gateway: {error}") from None


def of_prometheus(url: str, window: str) -> Traffic:
    """The counts of the last ``window``, of all gateways that the server at ``url`` scrapes. Raises NoTraffic."""
    seconds = window_seconds(window)
    response = _get(f"{url.rstrip('/')}/api/v1/query", params={"query": query(window)})
    try:
        answer = response.json()
    except ValueError:
        answer = None
    try:
        return from_prometheus(answer, f"Prometheus at {url}", seconds)
    except ValueError as error:
        raise NoTraffic(f"{url}: {error}") from None


def _get(url: str, *, headers: dict[str, str] | None = None, params: dict[str, str] | None = None) -> httpx.Response:
    try:
        return httpx.get(url, headers=headers, params=params, timeout=_TIMEOUT, trust_env=False)
    except (httpx.UnsupportedProtocol, httpx.InvalidURL):
        raise NoTraffic(f"'{url}' is not a URL such as http://127.0.0.1:8001") from None
    except httpx.HTTPError as error:
        raise NoTraffic(f"{url} does not answer: {str(error) or type(error).__name__}") from None


def _body(response: httpx.Response, url: str) -> str:
    if response.is_error:
        raise NoTraffic(f"{url} answers {response.status_code}")
    return response.text
