"""Asking the admin listener of a gateway that runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from gateway.cli.state import ELSEWHERE
from gateway.config.source import NO_FILE
from gateway.control.run_file import running
from gateway.history.folder import state_folder


class NotTold(Exception):
    """There is no answer. The text says why, and what to do about it."""


def listener_url(routes: Path, state: Path | None) -> str:
    """Where the gateway that serves ``routes`` on this machine has its admin listener. Raises NotTold."""
    folder = state_folder(routes, state)
    try:
        run = running(folder)
    except PermissionError:
        raise NotTold(f"no permission to look into {folder}; {ELSEWHERE}") from None
    if run is None and not os.path.exists(routes) and not os.path.exists(folder):
        raise NotTold(f"{routes}: {NO_FILE}; name another with --routes or GATEWAY_ROUTES, or give --admin URL")
    if run is None:
        raise NotTold(
            f"no gateway runs with the state folder {folder}: start one with `gateway run`, or give --admin URL"
        )
    if run.admin is None:
        raise NotTold(f"the gateway (pid {run.pid}) has no admin listener: it was started with --admin off")
    return run.admin


class Listener:
    """The listener at ``url``. The token is that of the environment, as for `gateway run`."""

    def __init__(self, url: str, timeout: float = 5.0) -> None:
        self.url = url.rstrip("/")
        token = os.environ.get("GATEWAY_ADMIN_TOKEN") or os.environ.get("GATEWAY_ADMIN_READ_TOKEN")
        try:
            self._client = httpx.Client(
                base_url=self.url,
                headers={"authorization": f"Bearer {token}"} if token else {},
                timeout=timeout,
                # Whatever proxy the environment names, it is not for this machine's own addresses.
                trust_env=False,
                # Reading the system's certificates takes 20 ms, for nothing where there is no TLS.
                verify=self.url.startswith("https:"),
            )
        except (httpx.InvalidURL, UnicodeError):
            raise NotTold(f"'{url}' is not a URL such as http://127.0.0.1:8001") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def status(self) -> Mapping[str, Any]:
        """What it answers to /api/v1/status. Raises NotTold."""
        try:
            response = self._client.get("/api/v1/status")
        except (httpx.UnsupportedProtocol, httpx.InvalidURL):
            raise NotTold(f"'{self.url}' is not a URL such as http://127.0.0.1:8001") from None
        except httpx.HTTPError as error:
            raise NotTold(f"{self.url} does not answer: {str(error) or type(error).__name__}") from None
        if response.status_code == 401:
            raise NotTold(f"{self.url} wants a token: set GATEWAY_ADMIN_TOKEN, or GATEWAY_ADMIN_READ_TOKEN")
        answer = _object(response)
        if response.is_error and "title" in answer:
            raise NotTold(f"{self.url} refuses: {answer.get('detail') or answer['title']}")
        if response.is_error or "config" not in answer:
            raise NotTold(f"{self.url} is not the admin listener of a gateway")
        return answer


def _object(response: httpx.Response) -> Mapping[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
