"""The admin listener at work, for as long as the gateway runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path

from prometheus_client import CollectorRegistry

from gateway.control.admin.access import Access
from gateway.control.admin.app import admin_app
from gateway.control.admin.changing import Changing
from gateway.control.admin.events import Events
from gateway.control.admin.running import Running
from gateway.control.admin.tokens import Tokens
from gateway.control.figures.sampler import Sampler
from gateway.control.live import LiveConfig
from gateway.control.metrics import ControlMetrics
from gateway.control.server import Server
from gateway.control.supervisor import Supervisor
from gateway.health.checker import Checker
from gateway.telemetry.exposition import Aggregate

logger = logging.getLogger("gateway.control")

# Seconds that running requests have at the end.
_DRAIN = 1


@contextlib.asynccontextmanager
async def serving(
    listener: socket.socket,
    routes: Path,
    live: LiveConfig,
    supervisor: Supervisor,
    numbers: Aggregate,
    tokens: Tokens,
    checker: Checker,
) -> AsyncIterator[None]:
    """Serves on ``listener`` for as long as the block lasts. Without ``tokens`` there is no authentication.

    ``routes`` is the file that changes are written to.
    """
    registry = CollectorRegistry()
    registry.register(numbers)
    registry.register(ControlMetrics(live, supervisor))
    sampler = Sampler(numbers)
    running = Running(live, supervisor, sampler, checker)
    events = Events(running)
    changing = Changing(routes, running)
    app = admin_app(running, events, changing, registry, Access(tokens))
    server = Server(app, drain_timeout=_DRAIN)
    beside = [_started(sampler.run(), "sampling"), _started(events.run(), "the event stream")]
    served = asyncio.create_task(server.serve([listener]))
    try:
        yield
    finally:
        events.close()
        server.drain()
        await served
        for task in beside:
            task.cancel()


def _started(work: Coroutine[None, None, None], what: str) -> asyncio.Task[None]:
    """What ends by itself has failed: the gateway runs on without it, and the log says why."""
    task = asyncio.create_task(work, name=what)
    task.add_done_callback(_tell_failure)
    return task


def _tell_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("%s has failed and is left out from now on", task.get_name(), exc_info=error)
