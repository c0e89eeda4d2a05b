"""Two small apps to put behind a gateway, and questions to ask of it while it runs."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections import Counter
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.behaviour.process import GatewayProcess

PROBE = """
import asyncio, json, os, signal, time

def answering(name):
    async def app(scope, receive, send):
        assert scope["type"] == "http"
        seconds = float(scope["query_string"] or b"0")
        if scope["path"] == "/slow":
            await asyncio.sleep(seconds)
        elif scope["path"] == "/block":
            time.sleep(seconds)
        elif scope["path"] == "/die":
            os.kill(os.getpid(), signal.SIGKILL)
        body = json.dumps({"app": name, "pid": os.getpid()}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})
    return app

legacy = answering("legacy")
new = answering("new")
"""

HEAD = """\
version: 1
backends:
  legacy: {app: "probe:legacy"}
  new: {app: "probe:new"}
default: legacy
routes:
"""


def text(to: str) -> str:
    return f"{HEAD}  - path: /books\n    to: {to}\n"


def project(folder: Path, to: str = "legacy") -> Path:
    """A folder with two apps and a routes.yaml; /books goes to ``to``."""
    (folder / "probe.py").write_text(PROBE)
    (folder / "routes.yaml").write_text(text(to))
    return folder / "routes.yaml"


def replace(path: Path, content: str) -> None:
    """Save as most editors do: a new file, renamed over the old one."""
    fresh = path.with_suffix(".tmp")
    fresh.write_text(content)
    os.replace(fresh, path)


def readiness(gateway: GatewayProcess) -> dict[str, Any]:
    answer: dict[str, Any] = gateway.ask("/readyz").json()
    return answer


def config(gateway: GatewayProcess) -> dict[str, Any]:
    answer: dict[str, Any] = readiness(gateway)["config"]
    return answer


def metric(gateway: GatewayProcess, name: str) -> float:
    lines = gateway.ask("/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name) and line[len(name)] in " {")


def serves(gateway: GatewayProcess, app: str) -> bool:
    """Whether every worker sends /books to ``app``, by what they have told."""
    answer = gateway.ask("/api/v1/routes").json()
    to = [backend for backend, percent in answer["routes"][0]["to"].items() if percent]
    return to == [app] and {worker["version"] for worker in answer["workers"]} == {answer["config"]["version"]}


def settled_on(gateway: GatewayProcess, content: str) -> bool:
    """Whether every planned worker serves exactly this text, and nobody finds anything wrong with the file."""
    answer = readiness(gateway)
    digest = hashlib.sha256(content.encode()).hexdigest()[:12]
    digests = [worker["digest"] for worker in answer["workers"] if worker["state"] == "ready"]
    return answer["config"]["state"] == "live" and digests == [digest] * answer["planned"]


class Traffic:
    """Requests on new connections, one after the other in a few threads, for as long as the block lasts.

    Each thread waits for ``pause`` seconds between two, so that there is time for what they are to be there during.
    """

    def __init__(self, url: str, threads: int = 3, pause: float = 0.005) -> None:
        self.answers: Counter[str] = Counter()
        self.failures: list[Exception] = []
        self._url = url
        self._pause = pause
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._send) for _ in range(threads)]

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _send(self) -> None:
        while not self._end.wait(self._pause):
            try:
                self.answers[get(self._url)["app"]] += 1
            except Exception as error:
                self.failures.append(error)


def get(url: str) -> dict[str, Any]:
    """The JSON of a 200, on a connection of its own."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=5)
    try:
        connection.request("GET", parts.path)
        response = connection.getresponse()
        assert response.status == 200, response.status
        answer: dict[str, Any] = json.load(response)
        return answer
    finally:
        connection.close()


class InBackground:
    """One request that takes its time."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._result: httpx.Response | Exception | None = None
        self._thread = threading.Thread(target=self._get)
        self._thread.start()

    def response(self) -> httpx.Response:
        """The answer, when it has come. Raises what went wrong."""
        self._thread.join()
        assert self._result is not None
        if isinstance(self._result, Exception):
            raise self._result
        return self._result

    def _get(self) -> None:
        try:
            self._result = httpx.get(self._url, timeout=30)
        except Exception as error:
            self._result = error
