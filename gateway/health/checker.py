"""Checks every address of every backend that wants it, for as long as it is in the file."""

from __future__ import annotations

import asyncio
import importlib
import logging
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.backends.tls import client_context
from gateway.config.backend import BackendConfig, Tls
from gateway.config.health import HealthCheck
from gateway.health.board import BEAT, Address, Board
from gateway.resilience.health import Health

if TYPE_CHECKING:
    from gateway.health.probe import Probe

log = logging.getLogger("gateway")

# Seconds within which the first check is made, so that a change of the file, or a start, shows soon.
_FIRST: Final = 1.0
# Checks of many addresses, and of many gateways, drift apart by this share of the time between two.
_JITTER: Final = 0.1


@dataclass(slots=True)
class Checked:
    """What is known of an address. ``up`` is None before it is known; ``since`` is in seconds since the epoch.

    ``reason`` is what was wrong at the last check that failed, while it is down; or why it cannot be checked.
    """

    up: bool | None
    since: float
    reason: str = ""


# Whatever changes of this, the check begins anew.
_Terms = tuple[HealthCheck, Tls]


class Checker:
    """One task an address: a check never begins before the last one has ended. Use it in one event loop.

    Each verdict is written on the ``board``, and told in the log when it changes.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._tasks: dict[Address, tuple[_Terms, asyncio.Task[None]]] = {}
        self._beating: asyncio.Task[None] | None = None
        # Cancelled, and not ended yet.
        self._ending: set[asyncio.Task[None]] = set()
        self.checked: dict[Address, Checked] = {}

    def follow(self, backends: Mapping[str, BackendConfig]) -> None:
        """Check the addresses of these from now on, and no others. What has not changed is checked on."""
        wanted = dict(_wanted(backends))
        for address, (terms, _) in tuple(self._tasks.items()):
            if wanted.get(address) != terms:
                self._drop(address)
        for address, terms in wanted.items():
            if address not in self._tasks:
                self.checked[address] = Checked(None, time.time())
                task = asyncio.get_running_loop().create_task(
                    self._watch(address, backends[address.backend]), name=f"health of {address.backend}"
                )
                self._tasks[address] = terms, task
        if self._tasks and self._beating is None:
            self._beating = asyncio.get_running_loop().create_task(self._beat(), name="health beat")

    async def stop(self) -> None:
        """No check runs any more when this returns."""
        for address in tuple(self._tasks):
            self._drop(address)
        if self._beating is not None:
            self._end(self._beating)
            self._beating = None
        await asyncio.gather(*self._ending, return_exceptions=True)

    def _drop(self, address: Address) -> None:
        _, task = self._tasks.pop(address)
        del self.checked[address]
        # Should the address come back, it is not down because it once was.
        self._board.write(address, None)
        self._end(task)

    def _end(self, task: asyncio.Task[None]) -> None:
        task.cancel()
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _beat(self) -> None:
        while True:
            self._board.beat()
            await asyncio.sleep(BEAT)

    async def _watch(self, address: Address, config: BackendConfig) -> None:
        assert config.health is not None
        every = config.health.every
        loop = asyncio.get_running_loop()
        await asyncio.sleep(random.uniform(0, min(every, _FIRST)))  # noqa: S311 - no secret
        while True:
            try:
                async with await asyncio.to_thread(_probe, address, config) as probe:
                    health = Health(config.health.healthy_after, config.health.unhealthy_after)
                    while True:
                        begun = loop.time()
                        self._note(address, health, await probe.ask())
                        pause = every * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - no secret
                        await asyncio.sleep(max(0.0, begun + pause - loop.time()))
            except Exception as error:
                # Ours, so the app is not to suffer for it.
                self._forget(address, error)
            await asyncio.sleep(every)

    def _note(self, address: Address, health: Health, reason: str) -> None:
        checked = self.checked[address]
        before = checked.up
        changed = health.failed() if reason else health.passed()
        if health.up is False and reason:
            checked.reason = reason
        if not changed:
            return
        checked.up, checked.since = health.up, time.time()
        self._board.write(address, health.up)
        if health.up is False:
            log.warning("backend %s: %s is down: %s", address.backend, address.url, reason)
            return
        checked.reason = ""
        if before is False:
            log.info("backend %s: %s is up again", address.backend, address.url)

    def _forget(self, address: Address, error: Exception) -> None:
        checked = self.checked[address]
        reason = f"it cannot be checked: {error}"
        if checked.reason != reason:
            log.error("backend %s: %s: %s; it counts as up", address.backend, address.url, reason)
        checked.up, checked.since, checked.reason = None, time.time(), reason
        self._board.write(address, None)


def _wanted(backends: Mapping[str, BackendConfig]) -> Iterator[tuple[Address, _Terms]]:
    for name, config in backends.items():
        if config.health is not None:
            for url in config.addresses:
                yield Address(name, url), (config.health, config.tls)


def _probe(address: Address, config: BackendConfig) -> Probe:
    """In a thread: httpx takes a while to import, and certificates to be read."""
    assert config.health is not None
    probe: type[Probe] = importlib.import_module("gateway.health.probe").Probe
    return probe(
        address.url,
        config.health.path,
        config.health.timeout,
        client_context(config) if address.url.startswith("https:") else None,
        config.tls.server_name,
    )
