"""The active checks of a run: made in the control process, once for all workers."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from gateway.control.live import LiveConfig
from gateway.control.options import board_path
from gateway.health.board import Board
from gateway.health.checker import Checker
from gateway.telemetry.exposition import Aggregate
from gateway.telemetry.slots import SlotFile


@contextlib.asynccontextmanager
async def checking(live: LiveConfig, runtime: Path, numbers: Aggregate) -> AsyncIterator[Checker]:
    """Checks what ``live`` names, for as long as the block lasts, and writes it down where the workers read it."""
    path = board_path(runtime)
    slots = SlotFile(path)
    numbers.add_worker(path)
    checker = Checker(Board(slots))

    def follow() -> None:
        checker.follow(live.loaded.config.backends)

    live.on_change.append(follow)
    follow()
    try:
        yield checker
    finally:
        live.on_change.remove(follow)
        await checker.stop()
        slots.close()
