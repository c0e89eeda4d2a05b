"""A client that leaves ends its request to the remote app and frees the connection: in every state, over sockets.

In what state the shorter way goes over to a task is tried in test_direct_to_task.py.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import cast

import pytest

from gateway.server.limits import Limits
from gateway.server.protocol import FrontDoor
from tests.dataplane.direct_stage import Client, Stage, stage
from tests.upstream.scripted import Peer, Script, eventually
from tests.upstream.scripts import flood, half, silent
from tests.upstream.websocket_ends import RemoteSocket, switching

HEAD = b" / HTTP/1.1\r\nHost: a\r\n"
GET = b"GET" + HEAD + b"\r\n"
POST = b"POST" + HEAD + b"Content-Length: 64000000\r\n\r\n"
CHUNKED = b"POST" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
EXPECTING = POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")
HANDSHAKE = GET.replace(
    b"\r\n\r\n",
    b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
)
# More than is read ahead for an app that does not ask.
MUCH = bytes(200_000)

# None of these ends anything here, but keepalive, by which the clock is set.
PATIENT = {"timeouts": {"connect": 20, "send": 20, "head": 20, "idle": 20}, "keepalive": 0.2}
LIMITS = Limits(half_closed=0.05, half_closed_quiet=0.1)


def close(client: Client) -> None:
    client.writer.close()


WAYS = pytest.mark.parametrize("leave", [close, Client.reset], ids=["close", "reset"])


async def socket_of_its_own(peer: Peer) -> None:
    await peer.say(switching(await peer.head()))
    await RemoteSocket(peer).end_well()


@dataclass(frozen=True)
class State:
    """``says`` leads to it, and ``reached`` tells that it is so."""

    says: bytes
    script: Script
    reached: Callable[[Stage], bool]


def heard(end: bytes) -> Callable[[Stage], bool]:
    """Whether the app has got what ends with these bytes."""
    return lambda staged: any(peer.heard.endswith(end) for peer in staged.remote.peers)


STATES = {
    "before its body": State(POST, silent, lambda staged: staged.counted("in_flight") == 1),
    "in its body": State(POST + b"part", silent, heard(b"\r\n\r\n")),
    "in its chunked body": State(CHUNKED + b"5\r\npa", silent, heard(b"\r\n\r\n")),
    "before the app asks for its body": State(EXPECTING, silent, heard(b"\r\n\r\n")),
    "before the answer": State(GET, silent, heard(b"\r\n\r\n")),
    "before the answer to its body": State(POST.replace(b"64000000", b"4") + b"body", silent, heard(b"\r\n\r\n")),
    "in the answer": State(GET, half, lambda staged: staged.counted("in_flight") == 1),
    "while it takes nothing of the answer": State(GET, flood, lambda staged: staged.counted("in_flight") == 1),
    "before the answer to its handshake": State(HANDSHAKE, silent, heard(b"\r\n\r\n")),
    "in a WebSocket": State(HANDSHAKE, socket_of_its_own, lambda staged: staged.origin.websockets == 1),
}


@WAYS
@pytest.mark.parametrize("state", STATES)
async def test_a_request_ends_with_its_client(state: str, leave: Callable[[Client], None]) -> None:
    found = STATES[state]
    ended = asyncio.Event()

    async def script(peer: Peer) -> None:
        with suppress(OSError):
            await found.script(peer)
        ended.set()

    async with stage(script, limits=LIMITS, remote=PATIENT) as staged, staged.client() as client:
        client.send(found.says)
        await eventually(lambda: found.reached(staged))
        if found.script in (half, flood, socket_of_its_own):
            await client.head()
        leave(client)
        await eventually(lambda: staged.counted("in_flight") == 0)
        assert (staged.origin.open, staged.origin.websockets) == (0, 0)
        if staged.remote.peers:
            # The app is told by the end of its connection.
            await asyncio.wait_for(ended.wait(), 2)


@WAYS
async def test_a_request_of_whose_body_the_app_takes_nothing(leave: Callable[[Client], None]) -> None:
    over = asyncio.Event()

    async def deaf(peer: Peer) -> None:
        await peer.head()
        await over.wait()

    async with stage(deaf, limits=LIMITS, remote=PATIENT) as staged, staged.client() as client:
        client.send(POST)
        still = 0
        while still < 5:
            # No more than fits between the two: behind what does not, its end would be on the way for ever.
            if not still:
                client.send(bytes(50_000))
            await asyncio.sleep(0.005)
            [connection] = staged.server.server_state.connections
            still = still + 1 if cast(FrontDoor, connection).flow.read_paused else 0
        assert staged.counted("in_flight") == 1
        leave(client)
        await eventually(lambda: staged.counted("in_flight") == 0)
        assert staged.counted("requests", "499") == 1
        assert staged.origin.open == 0
        over.set()


@WAYS
@pytest.mark.parametrize("says", [GET, POST + MUCH], ids=["bodiless", "body"])
async def test_in_the_queue(says: bytes, leave: Callable[[Client], None]) -> None:
    remote = {**PATIENT, "connections": 1}
    async with stage(silent, limits=LIMITS, remote=remote) as staged, staged.client() as other:
        pool = staged.upstream.pool
        other.send(GET)
        await eventually(lambda: staged.origin.busy == 1)
        async with staged.client() as client:
            client.send(says)
            await eventually(lambda: pool.waiting == 1)
            leave(client)
            await eventually(lambda: pool.waiting == 0 and staged.counted("in_flight") == 1)
            assert staged.counted("requests", "499") == 1


@contextmanager
def full() -> Iterator[int]:
    """A port where connections are neither taken nor refused: Linux takes one more than the backlog."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(2):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@WAYS
@pytest.mark.parametrize("says", [GET, POST + MUCH, HANDSHAKE], ids=["bodiless", "body", "websocket"])
async def test_while_the_connection_is_being_opened(says: bytes, leave: Callable[[Client], None]) -> None:
    with full() as port:
        remote = {**PATIENT, "url": f"http://127.0.0.1:{port}"}
        async with stage(silent, limits=LIMITS, remote=remote) as staged, staged.client() as client:
            client.send(says)
            await eventually(lambda: staged.counted("in_flight") == 1)
            leave(client)
            await eventually(lambda: staged.counted("in_flight") == 0)
            assert (staged.origin.connecting, staged.origin.open) == (0, 0)
