from __future__ import annotations

import asyncio

from starlette.types import Message, Scope

from gateway.dataplane.waiting import WaitingClient

LAST: Message = {"type": "http.request", "body": b"last", "more_body": False}
PART: Message = {"type": "http.request", "body": b"part", "more_body": True}
GONE: Message = {"type": "http.disconnect"}


def scope(*headers: tuple[bytes, bytes]) -> Scope:
    return {"type": "http", "headers": list(headers)}


class Script:
    """Messages that come one after the other, and then nothing."""

    def __init__(self, *messages: Message) -> None:
        self.messages = list(messages)

    async def receive(self) -> Message:
        if not self.messages:
            await asyncio.get_running_loop().create_future()
        return self.messages.pop(0)


async def watched(client: WaitingClient) -> bool:
    """Whether the client was seen to leave."""
    left: list[bool] = []
    client.watch(lambda: left.append(True))
    for _ in range(5):
        await asyncio.sleep(0)
    return bool(left)


async def test_one_that_leaves_is_seen() -> None:
    client = WaitingClient(scope(), Script(LAST, GONE).receive)
    assert await watched(client)
    # And by whoever waits for it next.
    assert await watched(client)


async def test_the_app_gets_what_has_come() -> None:
    script = Script(LAST)
    client = WaitingClient(scope(), script.receive)
    assert not await watched(client)
    client.stop()
    assert await client.receive() == LAST
    script.messages.append(GONE)
    assert await client.receive() == GONE


async def test_no_more_of_a_body_is_read_than_one_piece() -> None:
    script = Script(PART, PART, GONE)
    client = WaitingClient(scope(), script.receive)
    assert not await watched(client)
    assert script.messages == [PART, GONE]
    client.stop()
    assert [await client.receive() for _ in range(3)] == [PART, PART, GONE]


async def test_one_that_waits_to_send_its_body_is_not_told_to() -> None:
    script = Script(LAST)
    client = WaitingClient(scope((b"expect", b"100-continue")), script.receive)
    assert not await watched(client)
    assert script.messages == [LAST]


async def test_of_a_websocket() -> None:
    connect, gone = {"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1006}
    client = WaitingClient({"type": "websocket", "headers": []}, Script(connect, gone).receive)
    assert await watched(client)
    assert await client.receive() == connect


async def test_whoever_has_stopped_is_told_nothing() -> None:
    script = Script(LAST)
    client = WaitingClient(scope(), script.receive)
    left: list[bool] = []
    client.watch(lambda: left.append(True))
    client.stop()
    script.messages.append(GONE)
    await asyncio.sleep(0.01)
    assert not left
