from __future__ import annotations

import asyncio

from gateway.upstream.clock import Clock
from gateway.upstream.limits import Timeouts
from tests.upstream.scripted import eventually


class Looked:
    def __init__(self) -> None:
        self.at: list[float] = []

    def look(self, now: float) -> None:
        self.at.append(now)


async def test_it_ticks_while_there_is_something_to_look_after() -> None:
    loop = asyncio.get_running_loop()
    goes_on = True
    ticks: list[float] = []

    def at_tick(now: float) -> bool:
        ticks.append(now)
        return goes_on

    clock = Clock(loop, 0.01, at_tick)
    looked = Looked()
    await asyncio.sleep(0.03)
    assert ticks == []
    clock.add(looked)
    await eventually(lambda: len(looked.at) >= 2)
    clock.remove(looked)
    seen = len(looked.at)
    assert seen <= len(ticks)
    await eventually(lambda: len(ticks) > seen + 1)
    assert len(looked.at) == seen
    goes_on = False
    last = len(ticks) + 1
    await eventually(lambda: len(ticks) == last)
    await asyncio.sleep(0.03)
    assert len(ticks) == last


async def test_a_deadline_is_never_too_early() -> None:
    loop = asyncio.get_running_loop()
    clock = Clock(loop, 0.05, lambda now: False)
    clock.add(Looked())
    await asyncio.sleep(0.04)
    assert clock.after(1.0) >= loop.time() + 1.0
    clock.stop()


def test_the_tick_is_fine_enough_for_the_shortest_limit() -> None:
    assert Timeouts().tick == 0.1
    assert Timeouts(head=0.2).tick == 0.05
    assert Timeouts(idle=0.001).tick == 0.01


async def test_soon_is_some_milliseconds_later_and_one_timer_serves_all() -> None:
    loop = asyncio.get_running_loop()
    clock = Clock(loop, 60.0, lambda _: False)
    called: list[str] = []
    begun = loop.time()
    clock.soon(lambda: called.append("first"))
    clock.soon(lambda: called.append("second"))
    assert called == []
    await eventually(lambda: called == ["first", "second"])
    assert loop.time() - begun >= 0.004
    clock.soon(lambda: called.append("third"))
    await eventually(lambda: len(called) == 3)
