from __future__ import annotations

import asyncio

import pytest

from new_fastapi.live.broadcast import Broadcast, Full, Listener


async def heard(listener: Listener[int]) -> list[int]:
    return [item async for item in listener]


async def test_every_listener_hears_what_is_published_while_it_listens() -> None:
    broadcast: Broadcast[int] = Broadcast(most=2, backlog=8)
    broadcast.publish(0)
    with broadcast.listening() as first:
        broadcast.publish(1)
        with broadcast.listening() as second:
            broadcast.publish(2)
        broadcast.publish(3)
        broadcast.close()
        assert await heard(first) == []  # an end is an end: what waited is not told
    assert not second.ended.is_set()
    assert await anext(second) == 2


async def test_a_listener_waits_for_the_next_item() -> None:
    broadcast: Broadcast[int] = Broadcast(most=1, backlog=1)
    with broadcast.listening() as listener:
        waiting = asyncio.ensure_future(anext(listener))
        await asyncio.sleep(0)
        assert not waiting.done()
        broadcast.publish(7)
        assert await waiting == 7


async def test_who_falls_behind_is_dropped_and_the_others_are_not() -> None:
    broadcast: Broadcast[int] = Broadcast(most=2, backlog=2)
    with broadcast.listening() as slow, broadcast.listening() as quick:
        for item in range(3):
            broadcast.publish(item)
            assert await anext(quick) == item
        assert slow.ended.is_set()
        assert await heard(slow) == []
        assert not quick.ended.is_set()


async def test_no_more_than_may_listen() -> None:
    broadcast: Broadcast[int] = Broadcast(most=1, backlog=1)
    with broadcast.listening():
        with pytest.raises(Full), broadcast.listening():
            pass
        assert len(broadcast) == 1
    assert len(broadcast) == 0
    with broadcast.listening():
        assert len(broadcast) == 1


async def test_closing_wakes_who_waits() -> None:
    broadcast: Broadcast[int] = Broadcast(most=1, backlog=1)
    with broadcast.listening() as listener:
        waiting = asyncio.create_task(heard(listener))
        await asyncio.sleep(0)
        broadcast.close()
        assert await waiting == []
