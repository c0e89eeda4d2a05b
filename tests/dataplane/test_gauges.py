from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from starlette.types import Receive, Scope, Send

from gateway.dataplane import gauges
from gateway.dataplane.app import Gateway
from gateway.dataplane.gauges import Gauges
from gateway.telemetry.exposition import Local
from gateway.telemetry.slots import Key, SlotFile
from tests.dataplane.asgi_client import get

ROUTES = """\
version: 1
backends: {{app: {{app: "a:app", limit: {{in_flight: 5}}}}}}
default: app
routes:
  - {{path: /reports, to: app, name: reports{limit}}}
"""


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauges, "_INTERVAL", 0.01)


def limits(slots: SlotFile) -> list[str]:
    """The lines of the metrics page that are about limits."""
    registry = CollectorRegistry()
    registry.register(Local(slots))
    lines = generate_latest(registry).decode().splitlines()
    return sorted(line.removeprefix("gateway_limit_") for line in lines if line.startswith("gateway_limit_"))


async def until(slots: SlotFile, *lines: str) -> None:
    async with asyncio.timeout(5):
        while limits(slots) != sorted(lines):
            await asyncio.sleep(0.01)


async def test_requests_at_a_limit_are_seen_as_long_as_there_is_one(tmp_path: Path) -> None:
    go_on = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    routes = tmp_path / "routes.yaml"
    routes.write_text(ROUTES.format(limit=", limit: {in_flight: 1, queue: 1}"))
    slots = SlotFile()
    gateway = Gateway.from_file(routes, {"app": app}, watch=False, slots=slots)
    await gateway.start()
    of_backend = 'requests_allowed{kind="backend",name="app"} 5.0'
    asked: list[asyncio.Task[Any]] = [asyncio.create_task(get(gateway, "/reports")) for _ in range(2)]
    await asyncio.sleep(0.02)
    assert (await get(gateway, "/reports")).status == 503
    await until(
        slots,
        of_backend,
        'requests_in_flight{kind="backend",name="app"} 1.0',
        'requests_waiting{kind="backend",name="app"} 0.0',
        'requests_allowed{kind="route",name="reports"} 1.0',
        'requests_in_flight{kind="route",name="reports"} 1.0',
        'requests_waiting{kind="route",name="reports"} 1.0',
        'refused_total{kind="route",name="reports",reason="queue_full"} 1.0',
    )
    go_on.set()
    await asyncio.gather(*asked)
    routes.write_text(ROUTES.format(limit=""))
    await gateway.reload()
    await until(
        slots,
        of_backend,
        'requests_in_flight{kind="backend",name="app"} 0.0',
        'requests_waiting{kind="backend",name="app"} 0.0',
        # A limit that is gone allows nothing any more, which is not to be read as if nothing were allowed.
        'requests_in_flight{kind="route",name="reports"} 0.0',
        'requests_waiting{kind="route",name="reports"} 0.0',
        'refused_total{kind="route",name="reports",reason="queue_full"} 1.0',
    )
    await gateway.stop()


async def test_what_nobody_counts_any_more_is_zero_and_after_the_stop_nothing_is_written() -> None:
    slots = SlotFile()
    counts: dict[Key, int] = {("one",): 1, ("two",): 2}
    written = Gauges(slots, lambda: counts, lambda: {("three",): 3})
    written.start()

    def values() -> dict[str, float]:
        return {key[0]: value[0] for key, value in slots.items()}

    assert values() == {"one": 1.0, "two": 2.0, "three": 3.0}
    counts = {("two",): 4}
    await asyncio.sleep(0.05)
    assert values() == {"one": 0.0, "two": 4.0, "three": 3.0}
    written.stop()
    counts = {("two",): 5}
    await asyncio.sleep(0.05)
    assert values() == {"one": 0.0, "two": 4.0, "three": 3.0}
