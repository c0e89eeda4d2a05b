from __future__ import annotations

import asyncio

import pytest

from gateway.server.flow_control import FlowControl, Waiters


class Calls(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.closing = False

    def pause_reading(self) -> None:
        self.calls.append("pause")

    def resume_reading(self) -> None:
        self.calls.append("resume")

    def is_closing(self) -> bool:
        return self.closing


async def waiting(waiters: Waiters | FlowControl) -> asyncio.Task[None]:
    task = asyncio.ensure_future(waiters.wait() if isinstance(waiters, Waiters) else waiters.writable())
    await asyncio.sleep(0)
    return task


async def test_all_who_wait_are_woken() -> None:
    waiters = Waiters()
    tasks = [await waiting(waiters) for _ in range(3)]
    waiters.wake()
    await asyncio.gather(*tasks)


async def test_one_who_gives_up_takes_nobody_with_it() -> None:
    waiters = Waiters()
    tasks = [await waiting(waiters) for _ in range(2)]
    tasks[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    assert not tasks[1].done()
    waiters.wake()
    await tasks[1]


async def test_who_gives_up_when_it_is_woken() -> None:
    waiters = Waiters()
    task = await waiting(waiters)
    waiters.wake()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    waiters.wake()


async def test_writable() -> None:
    flow = FlowControl(Calls())
    await asyncio.wait_for(flow.writable(), 0.1)
    flow.pause_writing()
    task = await waiting(flow)
    assert not task.done()
    flow.resume_writing()
    await task


async def test_writable_waits_on_when_it_is_paused_again() -> None:
    flow = FlowControl(Calls())
    flow.pause_writing()
    task = await waiting(flow)
    flow.resume_writing()
    flow.pause_writing()
    await asyncio.sleep(0.01)
    assert not task.done()
    flow.resume_writing()
    await task


def test_reading_is_paused_once() -> None:
    transport = Calls()
    flow = FlowControl(transport)
    flow.resume_reading()
    flow.pause_reading()
    flow.pause_reading()
    assert flow.read_paused
    flow.resume_reading()
    flow.resume_reading()
    assert transport.calls == ["pause", "resume"]


def test_a_closing_transport_is_left_alone() -> None:
    # uvloop raises when a closed one is paused or resumed.
    transport = Calls()
    flow = FlowControl(transport)
    transport.closing = True
    flow.pause_reading()
    flow.resume_reading()
    assert transport.calls == []
