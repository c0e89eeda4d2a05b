"""One worker's place: what dies in it is replaced, and what serves in it can be renewed without a gap."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from gateway.control.messages import Failed
from gateway.control.process import State, WorkerProcess

# Seconds. An app that has not started by then hangs, and a restart would hang with it.
START_LIMIT = 300.0


@dataclass(frozen=True, slots=True)
class End:
    """How a process ended: in words, how many seconds it was ready, and what it said went wrong."""

    how: str
    served: float
    failure: Failed | None


class Crew(Protocol):
    """What a slot asks of the supervisor."""

    async def spawn(self, number: int) -> WorkerProcess:
        """Raises OSError when the machine has no room for another process."""

    def follow(self, worker: WorkerProcess) -> asyncio.Task[End]:
        """The worker's whole life."""

    def dismiss(self, worker: WorkerProcess, life: asyncio.Task[End]) -> asyncio.Task[None]:
        """Let it finish what it has, and see to it that it ends."""


class Slot:
    """Has one worker that serves; two for as long as one takes over from the other.

    ``worker`` is the one that has the slot: it may be starting, and it may have ended and not been replaced yet.
    """

    def __init__(self, number: int, crew: Crew) -> None:
        self.number = number
        self.worker: WorkerProcess | None = None
        self.renewal_wanted = asyncio.Event()
        self._crew = crew
        self._renewal: asyncio.Future[Failed | None] | None = None
        self._leaving: asyncio.Task[None] | None = None

    async def fill(self) -> End:
        """Start a worker and keep the slot filled, until one ends that nobody has taken over from."""
        # Whoever waits for new code gets it: what starts from now on is new.
        self._settle(None)
        try:
            worker = await self._crew.spawn(self.number)
        except OSError as error:
            # Out of processes, memory or file descriptors: the machine's trouble, and it may pass.
            return End(f"worker {self.number} cannot be started", 0.0, Failed(message=str(error)))
        self.worker = worker
        life = self._crew.follow(worker)
        while not await _done(life, before=self.renewal_wanted):
            self.renewal_wanted.clear()
            worker, life = await self._take_over(worker, life)
        return await life

    async def renew(self) -> Failed | None:
        """Have another worker take over; returns when the old one has ended.

        If the new one cannot start, the old one serves on, and the reason is returned.
        """
        self._renewal = asyncio.get_running_loop().create_future()
        self.renewal_wanted.set()
        failure = await self._renewal
        if self._leaving is not None:
            await self._leaving
        return failure

    def close(self) -> None:
        """Nothing starts here any more."""
        self._settle(None)

    async def _take_over(
        self, old: WorkerProcess, old_life: asyncio.Task[End]
    ) -> tuple[WorkerProcess, asyncio.Task[End]]:
        """The worker that has the slot from now on, and its life."""
        try:
            new = await self._crew.spawn(self.number)
        except OSError as error:
            self._settle(Failed(message=f"worker {self.number} cannot be started: {error}"))
            return old, old_life
        new_life = self._crew.follow(new)
        ready = await self._is_ready(new, new_life)
        if not ready and not new_life.done():
            new.kill()
            self._settle(Failed(message=f"worker {self.number} (pid {new.pid}) is not ready after {START_LIMIT:g} s"))
            return old, old_life
        if not ready:
            end = new_life.result()
            self._settle(end.failure or Failed(message=f"{end.how} before it was ready"))
            return old, old_life
        self.worker = new
        self._leaving = self._crew.dismiss(old, old_life)
        self._settle(None)
        return new, new_life

    async def _is_ready(self, worker: WorkerProcess, life: asyncio.Task[End]) -> bool:
        await _done(life, before=worker.ready, timeout=START_LIMIT)
        return worker.state is State.READY

    def _settle(self, failure: Failed | None) -> None:
        self.renewal_wanted.clear()
        if self._renewal is not None and not self._renewal.done():
            self._renewal.set_result(failure)


async def _done(life: asyncio.Task[End], *, before: asyncio.Event, timeout: float | None = None) -> bool:
    """Wait for the end of ``life`` or for ``before``, and say whether it was the former."""
    event = asyncio.create_task(before.wait())
    try:
        await asyncio.wait((life, event), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        event.cancel()
    return life.done()
