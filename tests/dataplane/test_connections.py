"""The counts that stand on the metrics page, against sockets that a test holds open."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from gateway.dataplane import gauges
from gateway.dataplane.app import Gateway
from gateway.telemetry.slots import SlotFile
from tests.dataplane.asgi_client import get

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauges, "_INTERVAL", 0.01)


def config(port: int, **backend: Any) -> dict[str, Any]:
    backends = {"far": {"url": f"http://127.0.0.1:{port}", **backend}}
    return {"version": 1, "backends": backends, "default": "far", "routes": []}


def counts(slots: SlotFile) -> dict[str, float]:
    return {key[-1]: values[0] for key, values in slots.items() if key[0].startswith("upstream_") and values[0]}


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def test_connections_are_counted_by_state() -> None:
    slots = SlotFile()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        loop = asyncio.get_running_loop()
        gateway = Gateway.from_dict(config(server.getsockname()[1], connections=1, keepalive=60), slots=slots)
        await gateway.start()
        first = asyncio.create_task(get(gateway, "/one"))
        app, _ = await loop.sock_accept(server)
        second = asyncio.create_task(get(gateway, "/two"))
        await until(lambda: counts(slots) == {"busy": 1.0, "far": 1.0})  # the second waits for the first's connection
        for answer in (first, second):
            await loop.sock_recv(app, 4096)
            await loop.sock_sendall(app, OK)
            assert (await answer).status == 200
        await until(lambda: counts(slots) == {"idle": 1.0})
        await gateway.stop()
        app.close()


async def test_a_backend_that_is_gone_counts_nothing(tmp_path: Any) -> None:
    routes = tmp_path / "routes.yaml"
    text = 'version: 1\nbackends: {{{name}: {{url: "http://127.0.0.1:{port}"}}}}\ndefault: {name}\nroutes: []\n'
    slots = SlotFile()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        loop = asyncio.get_running_loop()
        port = server.getsockname()[1]
        routes.write_text(text.format(name="old", port=port))
        gateway = Gateway.from_file(routes, watch=False, slots=slots)
        await gateway.start()
        asked = asyncio.create_task(get(gateway, "/"))
        app, _ = await loop.sock_accept(server)
        await until(lambda: counts(slots) == {"busy": 1.0})
        routes.write_text(text.format(name="other", port=port))
        assert (await gateway.reload()).outcome == "applied"
        await asyncio.sleep(0.05)
        assert counts(slots) == {"busy": 1.0}  # it still has a request
        await loop.sock_sendall(app, OK)
        assert (await asked).status == 200
        await until(lambda: counts(slots) == {})
        await gateway.stop()
        app.close()
