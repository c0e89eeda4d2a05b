from __future__ import annotations

import asyncio
import threading

import pytest

from gateway.backends.mailbox import Mailbox
from gateway.backends.wsgi_input import ClientDisconnected
from gateway.backends.wsgi_outbox import HIGH_WATER, Outbox
from tests.backends.asgi import until


@pytest.fixture
async def outbox() -> Outbox:
    return Outbox(Mailbox(asyncio.get_running_loop()))


async def everything(outbox: Outbox) -> list[bytes]:
    taken = []
    while True:
        body, last = await outbox.take()
        taken.append(body)
        if last:
            return taken
        outbox.accepted(len(body))


async def test_what_is_there_is_taken_at_once(outbox: Outbox) -> None:
    for number in range(100):
        outbox.put(b"%d," % number)
    outbox.end(b"end")
    body, last = await outbox.take()
    assert body == b"".join(b"%d," % number for number in range(100)) + b"end"
    assert last


async def test_a_chunk_goes_out_before_the_next_is_made(outbox: Outbox) -> None:
    outbox.put(b"one")
    assert await outbox.take() == (b"one", False)
    outbox.put(b"two")
    assert await outbox.take() == (b"two", False)
    outbox.end()
    assert await outbox.take() == (b"", True)


async def test_all_of_a_long_response_comes_in_order(outbox: Outbox) -> None:
    lines = [b"line %d\n" % number for number in range(50_000)]

    def produce() -> None:
        for line in lines:
            outbox.put(line)
        outbox.end()

    thread = threading.Thread(target=produce)
    thread.start()
    async with asyncio.timeout(5):
        taken = await everything(outbox)
    thread.join()
    assert b"".join(taken) == b"".join(lines)
    assert len(taken) < len(lines) / 50  # not one hop a line


async def test_the_thread_waits_while_too_much_is_outstanding(outbox: Outbox) -> None:
    produced = 0

    def produce() -> None:
        nonlocal produced
        for _ in range(10):
            outbox.put(bytes(HIGH_WATER // 2))
            produced += 1
        outbox.end()

    thread = threading.Thread(target=produce)
    thread.start()
    body, _ = await outbox.take()
    await until(lambda: produced == 2)
    await asyncio.sleep(0.01)
    assert produced == 2  # it waits in the third: what was taken has not been accepted
    outbox.accepted(len(body))
    async with asyncio.timeout(5):
        assert len(body) + sum(map(len, await everything(outbox))) == 10 * (HIGH_WATER // 2)
    thread.join()


async def test_an_error_comes_after_what_was_produced_before_it(outbox: Outbox) -> None:
    outbox.put(b"half")
    outbox.end(error=KeyError("x"))
    assert await outbox.take() == (b"half", False)
    with pytest.raises(KeyError):
        await outbox.take()


async def test_abandoning_frees_a_thread_that_waits(outbox: Outbox) -> None:
    errors = []

    def produce() -> None:
        try:
            outbox.put(bytes(2 * HIGH_WATER))
        except ClientDisconnected as error:
            errors.append(error)

    thread = threading.Thread(target=produce)
    thread.start()
    await asyncio.sleep(0.01)
    assert thread.is_alive()
    outbox.abandon()
    await asyncio.to_thread(thread.join, 5)
    assert len(errors) == 1
    with pytest.raises(ClientDisconnected):
        outbox.put(b"more")


async def test_abandoning_frees_whoever_takes(outbox: Outbox) -> None:
    taking = asyncio.create_task(outbox.take())
    await asyncio.sleep(0)
    outbox.abandon()
    async with asyncio.timeout(1):
        assert await taking == (b"", True)


def test_a_closed_loop_takes_nothing() -> None:
    loop = asyncio.new_event_loop()
    outbox = Outbox(Mailbox(loop))
    taking = loop.create_task(outbox.take())
    loop.run_until_complete(asyncio.sleep(0))
    taking.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    with pytest.raises(ClientDisconnected):
        outbox.put(bytes(2 * HIGH_WATER))
