"""Keeps N workers running, renews them, and ends them."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from gateway.control.access_log import NO_LOG, LogTarget
from gateway.control.backoff import Backoff
from gateway.control.live import LiveConfig
from gateway.control.messages import Failed, Ready, Reloaded
from gateway.control.options import GRACE, PATIENCE, Options
from gateway.control.process import State, WorkerProcess
from gateway.control.slot import End, Slot
from gateway.telemetry.exposition import Aggregate

logger = logging.getLogger("gateway.control")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to run. ``drain_timeout`` is in seconds; ``runtime`` is this run's own directory."""

    routes: Path
    workers: int
    drain_timeout: int
    runtime: Path
    log_target: LogTarget = NO_LOG


class StartError(Exception):
    """No worker could start, ever. ``failure`` is what the first of them told."""

    def __init__(self, failure: Failed) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Supervisor:
    """One task a slot: a worker that dies is replaced in its slot, so there are never more than planned.

    During a restart there is one more, and those that finish what they have.
    """

    def __init__(self, plan: Plan, listeners: Sequence[socket.socket], live: LiveConfig, numbers: Aggregate) -> None:
        self.restarts = 0
        self._plan = plan
        self._listeners = listeners
        self._live = live
        self._numbers = numbers
        self._serials = count(1)
        self._slots = [Slot(number, self) for number in range(1, plan.workers + 1)]
        self._processes: dict[WorkerProcess, None] = {}
        self._stopping = asyncio.Event()
        self._killing = False
        self._hurry = asyncio.Event()
        self._awaited = {slot.number for slot in self._slots}
        # Whose death is in the log, and whose successor is not yet.
        self._missed: set[int] = set()
        self._on_started: Callable[[], None] = lambda: None
        self._ever_ready = False
        self._failure: Failed | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._restarting = asyncio.Lock()
        self._restart_wanted = False

    @property
    def planned(self) -> int:
        """How many workers there should be."""
        return self._plan.workers

    @property
    def workers(self) -> dict[int, WorkerProcess]:
        """Who has which slot. Those that take over and those that leave are in ``processes`` only."""
        return {slot.number: slot.worker for slot in self._slots if slot.worker is not None}

    @property
    def processes(self) -> list[WorkerProcess]:
        """All there are, by number, the older first; a worker that has ended and is not replaced yet included."""
        ended = [worker for worker in self.workers.values() if worker.state is State.ENDED]
        return sorted([*ended, *self._processes], key=lambda worker: worker.number)

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
        self._on_started = on_started
        async with asyncio.TaskGroup() as self._tasks:
            for slot in self._slots:
                self._tasks.create_task(self._keep(slot), name=f"worker {slot.number}")
        if self._failure is not None:
            raise StartError(self._failure)

    def stop(self) -> None:
        """Drain all workers, and kill those that are not done in time."""
        if self.stopping:
            return
        self._stopping.set()
        # Nobody answers a connection that is queued on them from now on.
        for listener in self._listeners:
            listener.close()
        for worker in self._processes:
            worker.terminate()
        asyncio.get_running_loop().call_later(self._plan.drain_timeout + GRACE, self._overdue)

    def kill(self) -> None:
        """End all workers at once."""
        self._killing = True
        self.stop()
        for worker in self._processes:
            worker.kill()

    async def reload(self) -> None:
        """Let every worker read its file again, and try again at once where one waits for its replacement.

        Returns when all of them have.
        """
        self._hurry.set()
        workers = tuple(self._processes)
        for worker in workers:
            worker.hang_up()
        for worker in workers:
            await worker.looked.wait()

    async def restart(self) -> bool:
        """Replace the workers one by one: each when its successor serves. False if a successor could not start.

        Then the others stay as they are. Asked for while one runs, another follows.
        """
        if self._restart_wanted:
            # It has not begun, and will find whatever is new by then.
            return True
        self._restart_wanted = True
        async with self._restarting:
            self._restart_wanted = False
            for slot in self._slots:
                if self.stopping:
                    return False
                logger.info("restart: replacing worker %d of %d", slot.number, self.planned)
                failure = await slot.renew()
                if failure is not None:
                    logger.error("the new worker %d cannot start; the old workers serve on", slot.number)
                    _log(failure)
                    return False
        return not self.stopping

    def _overdue(self) -> None:
        for worker in self._processes:
            _log_overdue(worker)
        self.kill()

    async def _keep(self, slot: Slot) -> None:
        backoff = Backoff()
        try:
            while not self.stopping:
                end = await slot.fill()
                if self.stopping:
                    return
                if not self._ever_ready:
                    # With none ready yet, the next one would end the same way.
                    self._failure = end.failure or Failed(message=f"{end.how} before it was ready")
                    self.kill()
                    return
                self._arrived(slot.number)
                await self._pause(slot, end, backoff.died(end.served))
                self.restarts += 1
        finally:
            slot.close()

    # What the slots ask for.

    async def spawn(self, number: int) -> WorkerProcess:
        plan = self._plan
        options = Options(
            routes=plan.routes,
            number=number,
            listeners=(),
            lifeline=-1,
            runtime=plan.runtime,
            slots=plan.runtime / f"numbers-{next(self._serials)}",
            last_good=self._live.last_good,
            drain_timeout=plan.drain_timeout,
            access_log=plan.log_target.place,
            access_log_format=plan.log_target.form,
            access_log_descriptor=plan.log_target.descriptor,
        )
        worker = await WorkerProcess.spawn(options, self._listeners)
        self._processes[worker] = None
        # What was asked for while it was being spawned did not reach it.
        if self._killing:
            worker.kill()
        elif self.stopping:
            worker.terminate()
        return worker

    def follow(self, worker: WorkerProcess) -> asyncio.Task[End]:
        assert self._tasks is not None
        return self._tasks.create_task(self._live_through(worker))

    def dismiss(self, worker: WorkerProcess, life: asyncio.Task[End]) -> asyncio.Task[None]:
        assert self._tasks is not None
        return self._tasks.create_task(self._let_go(worker, life))

    async def _live_through(self, worker: WorkerProcess) -> End:
        self._numbers.add_worker(worker.slots)
        try:
            await self._listen_to(worker)
            served = worker.served
            code = await worker.wait()
        finally:
            # Also when this task is cancelled: no child outlives it.
            worker.kill()
            self._processes.pop(worker, None)
            self._numbers.retire_worker(worker.slots)
        return End(f"worker {worker.number} (pid {worker.pid}) {_how(code)}", served, worker.failure)

    async def _listen_to(self, worker: WorkerProcess) -> None:
        """Until the worker closes its end, which it does by ending."""
        try:
            async for message in worker.messages():
                if isinstance(message, Ready | Reloaded):
                    await self._live.note(worker, message, self._processes)
                if isinstance(message, Ready):
                    self._ever_ready = True
                    self._arrived(worker.number)
                    if worker.number in self._missed:
                        self._missed.discard(worker.number)
                        logger.info("worker %d (pid %d) serves in its place", worker.number, worker.pid)
        except ValueError as error:
            logger.error("worker %d says what cannot be understood (%s); it is replaced", worker.number, error)
            worker.kill()

    async def _let_go(self, worker: WorkerProcess, life: asyncio.Task[End]) -> None:
        worker.retire()
        await asyncio.wait((life,), timeout=PATIENCE + self._plan.drain_timeout + GRACE)
        if not life.done():
            _log_overdue(worker)
            worker.kill()
            await asyncio.wait((life,))

    def _arrived(self, number: int) -> None:
        if number in self._awaited:
            self._awaited.discard(number)
            if not self._awaited:
                self._on_started()

    async def _pause(self, slot: Slot, end: End, seconds: float) -> None:
        self._missed.add(slot.number)
        logger.error("%s; replacing it %s", end.how, f"in {seconds:g} s" if seconds else "now")
        if end.failure is not None:
            _log(end.failure)
        self._hurry.clear()
        waits = [asyncio.create_task(event.wait()) for event in (self._stopping, self._hurry, slot.renewal_wanted)]
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()


def _log(failure: Failed) -> None:
    for line in (*map(str, failure.problems), *filter(None, [failure.message])):
        logger.error("%s", line)


def _log_overdue(worker: WorkerProcess) -> None:
    logger.error("worker %d (pid %d) has not ended in time and is killed", worker.number, worker.pid)


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
