"""Keeps N workers running, and ends them."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from gateway.control.backoff import Backoff
from gateway.control.live import LiveConfig
from gateway.control.messages import Failed, Ready, Reloaded
from gateway.control.options import GRACE, Options
from gateway.control.process import State, WorkerProcess
from gateway.telemetry.exposition import Aggregate

logger = logging.getLogger("gateway.control")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to run. ``drain_timeout`` is in seconds; ``runtime`` is this run's own directory."""

    routes: Path
    workers: int
    drain_timeout: int
    runtime: Path


class StartError(Exception):
    """No worker could start, ever. ``failure`` is what the first of them told."""

    def __init__(self, failure: Failed) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Supervisor:
    """One task a slot: a worker that dies is replaced in its slot, so there are never more than planned."""

    def __init__(self, plan: Plan, listener: socket.socket, live: LiveConfig, numbers: Aggregate) -> None:
        self.workers: dict[int, WorkerProcess] = {}
        self.restarts = 0
        self._plan = plan
        self._listener = listener
        self._live = live
        self._numbers = numbers
        self._serials = count(1)
        self._stopping = asyncio.Event()
        self._killing = False
        self._hurry = asyncio.Event()
        self._awaited = set(range(1, plan.workers + 1))
        self._ever_ready = False
        self._failure: Failed | None = None

    @property
    def planned(self) -> int:
        """How many workers there should be."""
        return self._plan.workers

    @property
    def ready(self) -> list[WorkerProcess]:
        """The workers that accept connections."""
        return [worker for worker in self.workers.values() if worker.state is State.READY]

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    async def run(self, on_started: Callable[[], None]) -> None:
        """Runs until ``stop`` or ``kill``; all workers have ended then.

        ``on_started`` is called once, when every worker is ready (or has died trying, though not every one). Raises
        StartError if none of them ever was.
        """
        async with asyncio.TaskGroup() as slots:
            for number in range(1, self._plan.workers + 1):
                slots.create_task(self._keep(number, on_started), name=f"worker {number}")
        if self._failure is not None:
            raise StartError(self._failure)

    def stop(self) -> None:
        """Drain all workers, and kill those that are not done in time."""
        if self.stopping:
            return
        self._stopping.set()
        # Nobody answers a connection that is queued on it from now on.
        self._listener.close()
        for worker in self.workers.values():
            worker.terminate()
        asyncio.get_running_loop().call_later(self._plan.drain_timeout + GRACE, self._overdue)

    def kill(self) -> None:
        """End all workers at once."""
        self._killing = True
        self.stop()
        for worker in self.workers.values():
            worker.kill()

    def _overdue(self) -> None:
        for worker in self.workers.values():
            if worker.state is not State.ENDED:
                logger.error("worker %d (pid %d) has not ended in time and is killed", worker.number, worker.pid)
        self.kill()

    def reload(self) -> None:
        """Let every worker read its file again, and try again at once where one waits for its replacement."""
        self._hurry.set()
        for worker in self.workers.values():
            worker.hang_up()

    async def _keep(self, number: int, on_started: Callable[[], None]) -> None:
        backoff = Backoff()
        while not self.stopping:
            slots = self._plan.runtime / f"numbers-{next(self._serials)}"
            failure: Failed | None
            try:
                worker = await self._spawn(number, slots)
            except OSError as error:
                # Out of processes, memory or file descriptors: the machine's trouble, and it may pass.
                died, served, failure = f"worker {number} cannot be started", 0.0, Failed(message=str(error))
            else:
                died, served, failure = await self._live_through(worker, slots, on_started)
            if self.stopping:
                return
            if not self._ever_ready:
                # With none ready yet, the next one would end the same way.
                self._failure = failure or Failed(message=f"{died} before it was ready")
                self.kill()
                return
            self._arrived(number, on_started)
            await self._pause(died, failure, backoff.died(served))
            self.restarts += 1

    async def _live_through(
        self, worker: WorkerProcess, slots: Path, on_started: Callable[[], None]
    ) -> tuple[str, float, Failed | None]:
        """The worker's whole life: how it ended, how many seconds it was ready, and what it said went wrong."""
        self._numbers.add_worker(slots)
        try:
            await self._follow(worker, on_started)
            served = worker.served
            code = await worker.wait()
        finally:
            # Also when this task is cancelled: no child outlives it.
            worker.kill()
            self._numbers.retire_worker(slots)
        return f"worker {worker.number} (pid {worker.pid}) {_how(code)}", served, worker.failure

    async def _spawn(self, number: int, slots: Path) -> WorkerProcess:
        plan = self._plan
        options = Options(
            routes=plan.routes,
            number=number,
            listener=-1,
            lifeline=-1,
            runtime=plan.runtime,
            slots=slots,
            last_good=self._live.last_good,
            drain_timeout=plan.drain_timeout,
        )
        worker = await WorkerProcess.spawn(options, self._listener)
        self.workers[number] = worker
        # What was asked for while it was being spawned did not reach it.
        if self._killing:
            worker.kill()
        elif self.stopping:
            worker.terminate()
        return worker

    async def _follow(self, worker: WorkerProcess, on_started: Callable[[], None]) -> None:
        """Until the worker closes its end, which it does by ending."""
        try:
            async for message in worker.messages():
                if isinstance(message, Ready | Reloaded):
                    await self._live.note(worker, message, self.workers.values())
                if isinstance(message, Ready):
                    self._ever_ready = True
                    self._arrived(worker.number, on_started)
        except ValueError as error:
            logger.error("worker %d says what cannot be understood (%s); it is replaced", worker.number, error)
            worker.kill()

    def _arrived(self, number: int, on_started: Callable[[], None]) -> None:
        if number in self._awaited:
            self._awaited.discard(number)
            if not self._awaited:
                on_started()

    async def _pause(self, died: str, failure: Failed | None, seconds: float) -> None:
        logger.error("%s; replacing it %s", died, f"in {seconds:g} s" if seconds else "now")
        if failure is not None:
            for line in (*map(str, failure.problems), *filter(None, [failure.message])):
                logger.error("%s", line)
        self._hurry.clear()
        waits = [asyncio.create_task(event.wait()) for event in (self._stopping, self._hurry)]
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
