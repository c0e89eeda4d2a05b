from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from gateway.server.limits import Limits
from gateway.server.listener import Listener
from gateway.server.refusal import SLOW_HEAD, Refusal

LIMITS = Limits(header_timeout=0.2)


class Stub:
    """As much of a connection as the listener looks at."""

    client_name = "192.0.2.1"

    def __init__(self) -> None:
        self.deadline = float("inf")
        self.write_deadline = float("inf")
        self.end_deadline = float("inf")
        self.late: list[float] = []

    def out_of_time(self, now: float) -> None:
        self.late.append(now)
        self.deadline = self.write_deadline = self.end_deadline = float("inf")


def new_listener() -> Any:
    config = uvicorn.Config("x:y", interface="asgi3", log_config=None)
    config.loaded_app = object()
    return Listener(config, {}, asyncio.get_running_loop(), LIMITS)


async def test_one_for_each_server() -> None:
    config = uvicorn.Config("x:y", interface="asgi3", log_config=None)
    config.loaded_app = object()
    loop = asyncio.get_running_loop()
    one, other = ServerState(), ServerState()
    first = Listener.of(config, one, {}, loop, LIMITS)
    assert Listener.of(config, one, {}, loop, LIMITS) is first
    assert Listener.of(config, other, {}, loop, LIMITS) is not first


@pytest.mark.parametrize("which", ["deadline", "write_deadline", "end_deadline"])
async def test_deadlines_are_neither_missed_nor_early(which: str) -> None:
    listener = new_listener()
    punctual, late = Stub(), Stub()
    listener.add(punctual)
    listener.add(late)
    wanted = asyncio.get_running_loop().time() + 0.1
    setattr(late, which, listener.deadline(0.1))
    await asyncio.sleep(0.3)
    assert len(late.late) == 1
    assert late.late[0] >= wanted
    assert not punctual.late


async def test_the_clock_stands_still_without_connections() -> None:
    listener = new_listener()
    stub = Stub()
    listener.add(stub)
    await asyncio.sleep(0.12)
    listener.remove(stub)
    await asyncio.sleep(0.12)
    stopped = listener.now
    await asyncio.sleep(0.12)
    assert listener.now == stopped
    # It is right again before anybody reckons with it.
    listener.add(stub)
    assert listener.now >= stopped + 0.12
    await asyncio.sleep(0.12)
    assert listener.now > stopped + 0.15


async def test_notes_are_few_and_tell_of_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    listener = new_listener()
    counted: Counter[str] = Counter()
    listener.on_refused = lambda reason: counted.update([reason])
    for _ in range(5):
        listener.refused(Stub(), Refusal(400, "Not so."))
    listener.now += 1.5
    listener.refused(Stub(), SLOW_HEAD)
    assert [record.getMessage() for record in caplog.records] == [
        "192.0.2.1: answered 400: Not so.",
        "192.0.2.1: answered 408: The request's header fields took too long to arrive. (and 4 more)",
    ]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
    # All of them, for numbers fill no log.
    assert counted == {"malformed": 5, "slow_head": 1}


async def test_new_limits_hold_from_now_on() -> None:
    listener = new_listener()
    assert not listener.limits_requests
    listener.limit(Limits(keep_alive=1000, head=2000, request_line=2000, requests_per_connection=5))
    assert listener.idle_deadline >= listener.now + 1000
    assert listener.limits_requests
    assert listener.crowd.limits is listener.limits
    with pytest.raises(Refusal, match="longer than 2000"):
        listener.heads.read(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 2000 + b"\r\n\r\n")


class Resting:
    """As much of a connection as rests."""

    def __init__(self) -> None:
        self.read_again = 0
        self.closed = False
        self.flow = self

    def close(self) -> None:
        self.closed = True

    def resume_reading(self) -> None:
        self.read_again += 1


async def test_those_that_rest_are_read_again_a_few_at_a_time() -> None:
    listener = new_listener()
    resting = [Resting() for _ in range(25)]
    for connection in resting:
        listener.rest(connection)
    while not resting[0].read_again:
        await asyncio.sleep(0.001)
    # Those who came first, and not all at once.
    assert [each.read_again for each in resting] == [1] * 10 + [0] * 15
    while not resting[-1].read_again:
        await asyncio.sleep(0.001)
    assert {each.read_again for each in resting} == {1}


async def test_no_more_rest_than_are_read_again_soon() -> None:
    listener = new_listener()
    resting = [Resting() for _ in range(2010)]
    for connection in resting:
        listener.rest(connection)
    assert [each.closed for each in resting] == [False] * 2000 + [True] * 10
