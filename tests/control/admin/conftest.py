"""The admin application before any worker is ready. What it says of running workers is tested with real ones."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from gateway.config.loader import load_text
from gateway.control.admin.access import Access
from gateway.control.admin.app import admin_app
from gateway.control.admin.changing import Changing
from gateway.control.admin.events import Events
from gateway.control.admin.running import Running
from gateway.control.admin.tokens import Tokens
from gateway.control.figures.sampler import Sampler
from gateway.control.live import LiveConfig
from gateway.control.metrics import ControlMetrics
from gateway.control.supervisor import Plan, Supervisor
from gateway.health.board import Board
from gateway.health.checker import Checker
from gateway.telemetry.exposition import Aggregate
from gateway.telemetry.recorder import Recorder
from gateway.telemetry.slots import Key, SlotFile

ROUTES = """\
version: 1
backends:
  legacy: {app: "legacy:app"}
  new: {url: "http://127.0.0.1:5001"}
default: legacy
routes:
  - {path: "/books/{id}", methods: [GET], to: {legacy: 90, new: 10}, sticky: ip, group: catalogue}
  - {path: /books/new, to: new}
"""


class Worker:
    """The counters of a worker, without the worker."""

    def __init__(self, path: Path) -> None:
        self._slots = SlotFile(path)

    def count(self, key: Key, value: float) -> None:
        self._slots.values[self._slots.allocate(key)] = value

    def serve(self, times: int, route: str, backend: str, *, status: int = 200, seconds: float = 0.02) -> None:
        recorder = Recorder(self._slots, route, backend)
        for _ in range(times):
            recorder.begin()
            recorder.end("GET", status, seconds)


@pytest.fixture
def numbers() -> Iterator[Aggregate]:
    numbers = Aggregate()
    yield numbers
    numbers.close()


@pytest.fixture
def worker(numbers: Aggregate, tmp_path: Path) -> Worker:
    numbers.add_worker(tmp_path / "numbers-1")
    return Worker(tmp_path / "numbers-1")


@pytest.fixture
def running(numbers: Aggregate, tmp_path: Path) -> Iterator[Running]:
    with socket.socket() as listener:
        live = LiveConfig(load_text(ROUTES), tmp_path)
        supervisor = Supervisor(Plan(tmp_path, 2, 25, tmp_path), [listener], live, numbers)
        yield Running(live, supervisor, Sampler(numbers), Checker(Board(SlotFile())))


@pytest.fixture
def events(running: Running) -> Events:
    return Events(running)


@pytest.fixture
def changing(running: Running, tmp_path: Path) -> Changing:
    (tmp_path / "routes.yaml").write_text(ROUTES)
    return Changing(tmp_path / "routes.yaml", running, patience=0.05)


@pytest.fixture
async def admin(
    running: Running, events: Events, changing: Changing, numbers: Aggregate
) -> AsyncIterator[httpx.AsyncClient]:
    registry = CollectorRegistry()
    registry.register(numbers)
    registry.register(ControlMetrics(running.live, running.supervisor))
    transport = httpx.ASGITransport(admin_app(running, events, changing, registry, Access(Tokens())))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8001") as client:
        yield client
