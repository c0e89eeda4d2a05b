"""Scripts of remote apps that keep their clients waiting, or fail them."""

from __future__ import annotations

import asyncio

from tests.upstream.scripted import OK, Peer, Script


def after_one(script: Script) -> Script:
    """Answers the first request, which opens the connection, and then does as ``script`` says."""

    async def both(peer: Peer) -> None:
        await peer.head()
        await peer.say(OK)
        await script(peer)

    return both


def held(gate: asyncio.Event) -> Script:
    """Answers when the gate opens."""

    async def script(peer: Peer) -> None:
        while True:
            await peer.head()
            await gate.wait()
            await peer.say(OK)

    return script


async def silent(peer: Peer) -> None:
    """Takes the request and says nothing."""
    await peer.head()
    await peer.rest()


async def half(peer: Peer) -> None:
    """Stops in the middle of its answer."""
    await peer.head()
    await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin")
    await peer.rest()


async def flood(peer: Peer) -> None:
    """Says more than any buffer takes."""
    await peer.head()
    await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 64000000\r\n\r\n")
    for _ in range(1000):
        await peer.say(bytes(64_000))


async def closes(peer: Peer) -> None:
    await peer.head()
    peer.finish()


async def resets(peer: Peer) -> None:
    await peer.head()
    peer.reset()
