from __future__ import annotations

import asyncio
import threading

from gateway.backends.mailbox import Mailbox


async def test_a_future_is_resolved_from_another_thread() -> None:
    loop = asyncio.get_running_loop()
    mailbox = Mailbox(loop)
    future = loop.create_future()
    thread = threading.Thread(target=mailbox.resolve, args=(future,))
    thread.start()
    async with asyncio.timeout(2):
        await future
    thread.join()


async def test_none_is_lost_when_many_threads_resolve_at_once() -> None:
    loop = asyncio.get_running_loop()
    mailbox = Mailbox(loop)
    futures: list[asyncio.Future[None]] = [loop.create_future() for _ in range(4000)]

    def resolve(part: list[asyncio.Future[None]]) -> None:
        for future in part:
            assert mailbox.resolve(future)

    threads = [threading.Thread(target=resolve, args=(futures[start::8],)) for start in range(8)]
    for thread in threads:
        thread.start()
    async with asyncio.timeout(5):
        await asyncio.gather(*futures)
    for thread in threads:
        thread.join()


async def test_futures_resolved_between_two_turns_of_the_loop_share_a_wake_up() -> None:
    loop = asyncio.get_running_loop()
    mailbox = Mailbox(loop)
    futures: list[asyncio.Future[None]] = [loop.create_future() for _ in range(3)]
    for future in futures:
        mailbox.resolve(future)
    assert not futures[0].done()
    await asyncio.sleep(0)
    assert all(future.done() for future in futures)


async def test_a_cancelled_future_is_left_alone() -> None:
    loop = asyncio.get_running_loop()
    mailbox = Mailbox(loop)
    cancelled: asyncio.Future[None] = loop.create_future()
    cancelled.cancel()
    other: asyncio.Future[None] = loop.create_future()
    mailbox.resolve(cancelled)
    mailbox.resolve(other)
    async with asyncio.timeout(2):
        await other


def test_a_closed_loop_is_told_to_nobody() -> None:
    loop = asyncio.new_event_loop()
    mailbox = Mailbox(loop)
    future: asyncio.Future[None] = loop.create_future()
    loop.close()
    assert mailbox.resolve(future) is False
    assert mailbox.resolve(future) is False
