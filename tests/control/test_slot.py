from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from gateway.control import slot as slot_module
from gateway.control.messages import Failed
from gateway.control.process import State, WorkerProcess
from gateway.control.slot import End, Slot


class Worker(WorkerProcess):
    """One without a process: real ones are in tests/behaviour/test_restart.py."""

    def __init__(self, pid: int) -> None:
        super().__init__(1, Path("numbers"), *cast(Any, (None, None, None)))
        self._pid = pid
        self.over: asyncio.Future[End] = asyncio.get_running_loop().create_future()

    @property
    def pid(self) -> int:
        return self._pid

    def serve(self) -> None:
        self.state = State.READY
        self.ready.set()

    def end(self) -> None:
        self.state = State.ENDED
        if not self.over.done():
            self.over.set_result(End(f"worker 1 (pid {self.pid}) ended", 0.0, None))

    kill = end


class Crew:
    def __init__(self) -> None:
        self.workers: list[Worker] = []
        self.full = False

    async def spawn(self, number: int) -> WorkerProcess:
        if self.full:
            raise OSError("Cannot allocate memory")
        self.workers.append(Worker(len(self.workers) + 1))
        return self.workers[-1]

    def follow(self, worker: WorkerProcess) -> asyncio.Task[End]:
        assert isinstance(worker, Worker)
        return asyncio.ensure_future(_life(worker))

    def dismiss(self, worker: WorkerProcess, life: asyncio.Task[End]) -> asyncio.Task[None]:
        assert isinstance(worker, Worker)
        worker.end()
        return asyncio.ensure_future(asyncio.sleep(0))


async def _life(worker: Worker) -> End:
    return await worker.over


async def _turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_next_takes_over_when_it_is_ready_and_not_before() -> None:
    crew = Crew()
    slot = Slot(1, crew)
    filled = asyncio.create_task(slot.fill())
    await _turns()
    old = crew.workers[0]
    old.serve()
    renewed = asyncio.create_task(slot.renew())
    await _turns()
    new = crew.workers[1]
    assert (slot.worker, old.over.done()) == (old, False)
    new.serve()
    assert await renewed is None
    assert (slot.worker, old.over.done()) == (new, True)
    new.end()
    assert (await filled).how == "worker 1 (pid 2) ended"


async def test_one_that_is_never_ready_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slot_module, "START_LIMIT", 0.01)
    crew = Crew()
    slot = Slot(1, crew)
    filled = asyncio.create_task(slot.fill())
    await _turns()
    crew.workers[0].serve()
    assert await slot.renew() == Failed(message="worker 1 (pid 2) is not ready after 0.01 s")
    assert slot.worker is crew.workers[0]
    assert crew.workers[1].over.done()
    crew.workers[0].end()
    await filled


async def test_without_room_for_another_process_the_old_one_stays() -> None:
    crew = Crew()
    slot = Slot(1, crew)
    filled = asyncio.create_task(slot.fill())
    await _turns()
    crew.workers[0].serve()
    crew.full = True
    assert await slot.renew() == Failed(message="worker 1 cannot be started: Cannot allocate memory")
    crew.workers[0].end()
    await filled
    # And where nobody is, the reason is told in the same words.
    assert await slot.fill() == End("worker 1 cannot be started", 0.0, Failed(message="Cannot allocate memory"))


async def test_an_old_one_that_dies_meanwhile_is_not_taken_for_the_new_one() -> None:
    crew = Crew()
    slot = Slot(1, crew)
    filled = asyncio.create_task(slot.fill())
    await _turns()
    crew.workers[0].serve()
    renewed = asyncio.create_task(slot.renew())
    await _turns()
    crew.workers[0].end()
    await _turns()
    crew.workers[1].serve()
    assert await renewed is None
    assert slot.worker is crew.workers[1]
    assert not filled.done()
    crew.workers[1].end()
    await filled
