"""Which addresses get requests: told to the backends four times a second, so that no request has to find out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gateway.backends.registry import Registry
from gateway.backends.remote import RemoteBackend
from gateway.config.backend import BackendConfig
from gateway.health.board import Address, Board, BoardReader
from gateway.health.checker import Checker
from gateway.telemetry.recorder import BACKEND_EJECTED, BACKEND_EJECTIONS
from gateway.telemetry.slots import SlotFile
from gateway.upstream.rotating_pool import RotatingPool

log = logging.getLogger("gateway")

# Seconds.
_INTERVAL: Final = 0.25

_WHY: Final = {"consecutive": "too many failures in a row", "error_ratio": "too large a share of failures"}


class HealthWatch:
    """Reads the ``board`` that the control process keeps. Without one there is no control process, and the addresses
    are checked from here.

    What requests have met is judged in the pools; here it is logged and counted, and time goes on for it.
    """

    def __init__(self, registry: Registry, slots: SlotFile, board: Path | None) -> None:
        self._registry = registry
        self._slots = slots
        self._reader = None if board is None else BoardReader(board)
        self._checker: Checker | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ejected: set[Address] = set()

    def follow(self, backends: Mapping[str, BackendConfig]) -> None:
        """These are live from now on."""
        if self._reader is None:
            if self._checker is None and any(config.health is not None for config in backends.values()):
                self._checker = Checker(Board(self._slots))
            if self._checker is not None:
                self._checker.follow(backends)
        # At once: what is down is so for the first request of a new version, too.
        self._look_and_go_on()

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._checker is not None:
            await self._checker.stop()
            self._checker = None
        if self._reader is not None:
            self._reader.close()

    def _look_and_go_on(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        try:
            busy = self._look()
        except Exception:
            # Nobody else would look again, and an address that is left out now would be so for ever.
            log.exception("the health of the backends cannot be read")
            busy = True
        if busy:
            self._timer = asyncio.get_running_loop().call_later(_INTERVAL, self._look_and_go_on)

    def _look(self) -> bool:
        """Returns whether there is anything to look after."""
        down = self._down()
        ejected: set[Address] = set()
        busy = False
        for backend in self._registry.backends:
            if not isinstance(backend, RemoteBackend):
                continue
            if backend.config.health is not None:
                busy = True
                backend.checked({address.url: False for address in down if address.backend == backend.name})
            if isinstance(backend.upstream.pool, RotatingPool):
                busy = True
                ejected |= self._review(backend, backend.upstream.pool)
        for address in self._ejected ^ ejected:
            self._slots.values[self._slots.allocate((BACKEND_EJECTED, *address))] = float(address in ejected)
        self._ejected = ejected
        return busy

    def _down(self) -> frozenset[Address]:
        if self._reader is not None:
            return self._reader.down()
        if self._checker is None:
            return frozenset()
        return frozenset(address for address, checked in self._checker.checked.items() if checked.up is False)

    def _review(self, backend: RemoteBackend, pool: RotatingPool) -> set[Address]:
        """Those of the backend's addresses that get no requests now."""
        pool.move(asyncio.get_running_loop().time())
        urls = backend.config.addresses
        changes = pool.rotation.changes
        while changes:
            change = changes.popleft()
            url = urls[change.index]
            if change.reason is None:
                log.info("backend %s: %s is tried again", backend.name, url)
                continue
            then = "it is left out" if change.index in pool.rotation.out else "it serves on, as too many others fail"
            log.warning("backend %s: %s: %s; %s", backend.name, url, _WHY[change.reason], then)
            self._slots.values[self._slots.allocate((BACKEND_EJECTIONS, backend.name, url, change.reason))] += 1.0
        return {Address(backend.name, urls[index]) for index in pool.rotation.out}
