"""Clients that send requests with ids of their own, and an app that notes each id that it has seen: what is sent while
something happens to the gateway is answered once, done once, or was never taken."""

from __future__ import annotations

import itertools
import json
import threading
from collections import Counter
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

# ``code`` is what a new version of the module changes.
APP = """
import asyncio, json, os

code = "{code}"
ledger = os.open(os.path.join(os.path.dirname(__file__), "ledger"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)

async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({{"type": "websocket.accept"}})
        while (await receive())["type"] != "websocket.disconnect":
            await send({{"type": "websocket.send", "text": code}})
        return
    assert scope["type"] == "http"
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    os.write(ledger, body + b"\\n")
    await asyncio.sleep(float(scope["query_string"] or b"0"))
    answer = json.dumps({{"id": body.decode(), "code": code, "pid": os.getpid()}}).encode()
    await send({{"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(answer))]}})
    await send({{"type": "http.response.body", "body": answer}})
"""

ROUTES = """\
version: 1
backends:
  only: {app: "ledger_app:app"}
default: only
routes: []
"""


def project(folder: Path, code: str = "old") -> Path:
    """A folder with the app and its routes.yaml."""
    write_app(folder, code)
    routes = folder / "routes.yaml"
    routes.write_text(ROUTES)
    return routes


def write_app(folder: Path, code: str) -> None:
    """``code`` of another length than before: within one second Python knows new source by its size only."""
    (folder / "ledger_app.py").write_text(APP.format(code=code))


def seen(folder: Path) -> Counter[str]:
    """How often the app has got each id."""
    return Counter((folder / "ledger").read_text().split())


class Load:
    """POST requests for as long as the block lasts: half of the threads keep their connections, half take a new one
    for each request. Each waits for ``pause`` seconds between two, or starts and restarts would take long beside them.

    ``lost`` are requests that were sent and not answered rightly. ``refused`` counts connections that were not
    taken: what would have gone over them was never sent.
    """

    def __init__(self, url: str, threads: int = 4, timeout: float = 10.0, pause: float = 0.002) -> None:
        self.answers: dict[str, dict[str, Any]] = {}
        self.lost: dict[str, str] = {}
        self.refused = 0
        self._place = urlsplit(url).netloc
        self._timeout = timeout
        self._pause = pause
        self._end = threading.Event()
        self._numbers = itertools.count()
        self._threads = [threading.Thread(target=self._send, args=(number % 2 == 0,)) for number in range(threads)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    @property
    def codes(self) -> set[str]:
        """What has answered so far."""
        return {answer["code"] for answer in tuple(self.answers.values())}

    def _send(self, keep: bool) -> None:
        connection: HTTPConnection | None = None
        while not self._end.wait(self._pause):
            if connection is None:
                connection = HTTPConnection(self._place, timeout=self._timeout)
                try:
                    connection.connect()
                except ConnectionRefusedError:
                    self.refused += 1
                    connection = None
                    self._end.wait(0.01)
                    continue
            if not self._ask(connection) or not keep or connection.sock is None:
                connection.close()
                connection = None
        if connection is not None:
            connection.close()

    def _ask(self, connection: HTTPConnection) -> bool:
        name = f"{threading.get_ident()}-{next(self._numbers)}"
        try:
            connection.request("POST", "/", body=name)
            response = connection.getresponse()
            answer: dict[str, Any] = json.load(response)
            assert response.status == 200
            assert answer["id"] == name
        except Exception as error:
            self.lost[name] = repr(error)
            return False
        self.answers[name] = answer
        return True
