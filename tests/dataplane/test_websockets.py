"""WebSockets over reloads: those whose route has moved are closed after the grace, and no others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from gateway.dataplane.app import Gateway
from tests.dataplane.asgi_client import websocket_scope

GRACE = 0.03


class App:
    """Accepts, and waits for the end."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.told: list[Message] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.stopped = False
        self.refused: list[BaseException] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            self.stopped = True
            await send({"type": "lifespan.shutdown.complete"})
            return
        await receive()
        await self.gate.wait()
        await send({"type": "websocket.accept"})
        self.told.append(await receive())
        try:
            await send({"type": "websocket.send", "text": "late"})
        except OSError as error:
            self.refused.append(error)


class Socket:
    """A client's WebSocket, and what its server does for it."""

    def __init__(self, gateway: Gateway, target: str = "/ws", headers: list[tuple[bytes, bytes]] | None = None) -> None:
        self.sent: list[Message] = []
        self._coming: asyncio.Queue[Message] = asyncio.Queue()
        self._coming.put_nowait({"type": "websocket.connect"})
        self.closed = asyncio.Event()
        self.accepted = asyncio.Event()
        scope = websocket_scope(target, headers or [])
        self.task = asyncio.ensure_future(gateway(scope, self._coming.get, self._send))

    async def _send(self, message: Message) -> None:
        self.sent.append(message)
        if message["type"] == "websocket.accept":
            self.accepted.set()
        elif message["type"] == "websocket.close":
            self.closed.set()
            self._coming.put_nowait({"type": "websocket.disconnect", "code": message["code"]})

    def leave(self) -> None:
        self._coming.put_nowait({"type": "websocket.disconnect", "code": 1001})

    async def stays(self) -> bool:
        """Whether it is open when the grace is over."""
        await asyncio.sleep(GRACE * 2.5)
        return not self.closed.is_set()

    async def close_code(self) -> int:
        async with asyncio.timeout(2):
            await self.closed.wait()
        code: int = self.sent[-1]["code"]
        return code


class Site:
    """A gateway over two apps, and its file."""

    def __init__(self, path: Path, gateway: Gateway, legacy: App, new: App, stack: AsyncExitStack) -> None:
        self.path = path
        self.gateway = gateway
        self.legacy = legacy
        self.new = new
        self._stack = stack

    async def open(self, target: str = "/ws", headers: list[tuple[bytes, bytes]] | None = None) -> Socket:
        socket = Socket(self.gateway, target, headers)
        self._stack.push_async_callback(self._end, socket)
        await socket.accepted.wait()
        return socket

    async def _end(self, socket: Socket) -> None:
        socket.leave()
        async with asyncio.timeout(2):
            await socket.task

    async def reload(self, text: str) -> None:
        self.path.write_text(text)
        assert (await self.gateway.reload()).outcome == "applied"


def text(
    routes: str, grace: float = GRACE, more: str = "", backends: str = "legacy: {app: u:l}, new: {app: u:n}"
) -> str:
    return (
        f"version: 1\nbackends: {{{backends}}}\ndefault: legacy\nwebsockets: {{grace: {grace}}}\n{more}"
        f"routes:\n{routes}  - {{path: /x, to: legacy}}\n"
    )


def to(target: Any) -> str:
    return f"  - {{path: /ws, to: {target}}}\n"


Serve = Callable[[str], Awaitable[Site]]


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Serve]:
    async with AsyncExitStack() as stack:

        async def start(content: str) -> Site:
            path = tmp_path / "routes.yaml"
            path.write_text(content)
            legacy, new = App("legacy"), App("new")
            gateway = Gateway.from_file(path, {"legacy": legacy, "new": new}, watch=False)
            await gateway.start()
            stack.push_async_callback(gateway.stop)
            return Site(path, gateway, legacy, new, stack)

        yield start


async def test_a_route_that_moved_ends_its_websockets_after_the_grace(serve: Serve) -> None:
    site = await serve(text(to("legacy")))
    socket = await site.open()
    begun = asyncio.get_running_loop().time()
    await site.reload(text(to("new")))
    assert await socket.close_code() == 1012
    assert asyncio.get_running_loop().time() - begun >= GRACE
    await socket.task
    assert site.legacy.told == [{"type": "websocket.disconnect", "code": 1012}]
    assert site.legacy.refused, "what an app sends after that goes nowhere, and it is told so"
    assert [message["type"] for message in socket.sent] == ["websocket.accept", "websocket.close"]
    again = await site.open()
    again.leave()
    await again.task
    assert site.new.told == [{"type": "websocket.disconnect", "code": 1001}]


async def test_other_routes_may_change_and_nobody_notices(serve: Serve) -> None:
    site = await serve(text(to("legacy")))
    socket = await site.open()
    elsewhere = await site.open("/unnamed")
    await site.reload(text(to("legacy") + "  - {path: /other, to: new}\n"))
    await site.reload(text("  - {path: '/{any}', to: legacy}\n"))
    assert await socket.stays()
    assert not elsewhere.closed.is_set()


async def test_a_route_that_comes_back_in_time_keeps_its_websockets(serve: Serve) -> None:
    site = await serve(text(to("legacy")))
    socket = await site.open()
    await site.reload(text(to("new")))
    await site.reload(text(to("new"), more="trusted_proxies: [10.0.0.1]\n"))
    await site.reload(text(to("legacy")))
    assert await socket.stays()


async def test_a_further_reload_does_not_begin_the_grace_anew(serve: Serve) -> None:
    site = await serve(text(to("legacy")))
    socket = await site.open()
    await site.reload(text(to("new")))
    await site.reload(text(to("new"), grace=3600))
    assert await socket.close_code() == 1012


async def test_no_grace_is_at_once(serve: Serve) -> None:
    site = await serve(text(to("legacy"), grace=0))
    socket = await site.open()
    await site.reload(text(to("new"), grace=0))
    assert await socket.close_code() == 1012


async def test_what_fell_to_the_default_moves_with_a_route_of_its_own(serve: Serve) -> None:
    site = await serve(text(""))
    socket = await site.open()
    await site.reload(text(to("new")))
    assert await socket.close_code() == 1012


async def test_headers_and_query_decide_as_for_a_new_one(serve: Serve) -> None:
    site = await serve(text(to("legacy")))
    plain, beta = await site.open(), await site.open("/ws?v=2", [(b"x-beta", b"1")])
    moved = "  - {path: /ws, to: new, headers: {X-Beta: '1'}, query: {v: '2'}}\n"
    await site.reload(text(to("legacy") + moved))
    assert await beta.close_code() == 1012
    assert not plain.closed.is_set()


async def test_a_backend_that_is_another_one_now_ends_them(serve: Serve) -> None:
    site = await serve(text(to("new")))
    socket = await site.open()
    await site.reload(text(to("new"), backends="legacy: {app: u:l}, new: {app: u:n, queue: 7}"))
    assert await socket.close_code() == 1012


async def test_a_backend_that_is_no_longer_named_stops_after_its_last_websocket(serve: Serve) -> None:
    site = await serve(text(to("new")))
    socket = await site.open()
    await site.reload(text(to("legacy"), backends="legacy: {app: u:l}"))
    assert not site.new.stopped
    assert await socket.close_code() == 1012
    async with asyncio.timeout(2):
        while not site.new.stopped:
            await asyncio.sleep(0.01)


COOKIE = b"strangler_id="


@pytest.mark.parametrize("own_cookie", [True, False])
async def test_a_split_ends_those_that_it_moved(serve: Serve, own_cookie: bool) -> None:
    split = "  - {path: /ws, to: {legacy: %d, new: %d}, sticky: cookie}\n"
    site = await serve(text(split % (100, 0) if own_cookie else split % (50, 50)))
    sockets = []
    for number in range(40):
        cookie = [(b"cookie", COOKIE + f"client-{number:020}".encode())] if own_cookie else []
        sockets.append(await site.open(headers=cookie))
    on_new = [websocket for websocket in site.gateway._websockets._open if websocket.backend.name == "new"]
    assert bool(on_new) is not own_cookie
    # Raising a weight moves nobody back: those on new stay there.
    await site.reload(text(split % (20, 80)))
    await asyncio.sleep(GRACE * 2.5)
    closed = [socket for socket in sockets if socket.closed.is_set()]
    assert 0 < len(closed) < 40 - len(on_new)
    assert len(site.gateway._websockets) == 40 - len(closed)
    assert all(websocket in site.gateway._websockets._open for websocket in on_new)
    # And those that are left would all have gone where they are.
    await site.reload(text(split % (20, 80), more="trusted_proxies: [10.0.0.1]\n"))
    await asyncio.sleep(GRACE * 2.5)
    assert len(site.gateway._websockets) == 40 - len(closed)


async def test_without_a_key_a_websocket_stays_where_it_could_have_come(serve: Serve) -> None:
    split = "  - {path: /ws, to: {legacy: %d, new: %d}, sticky: none}\n"
    site = await serve(text(split % (50, 50)))
    sockets = [await site.open() for _ in range(4)]
    await site.reload(text(split % (99, 1)))
    await asyncio.sleep(GRACE * 2.5)
    assert not any(socket.closed.is_set() for socket in sockets)
    await site.reload(text(split % (100, 0)))
    await asyncio.sleep(GRACE * 2.5)
    assert sum(socket.closed.is_set() for socket in sockets) == 2


async def test_testers_stay_where_they_asked_to_be(serve: Serve) -> None:
    override = "override: {allow: [203.0.113.9]}\n"
    site = await serve(text(to("legacy"), more=override))
    tester = await site.open(headers=[(b"x-gateway-backend", b"new")])
    await site.reload(text(to("legacy") + "  - {path: /other, to: new}\n", more=override))
    assert await tester.stays()
    tester.leave()
    await tester.task
    assert site.new.told


async def test_a_handshake_that_is_not_answered_yet_is_closed_after_it_is(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.dataplane.websockets._NOT_YET", 0.02)
    site = await serve(text(to("legacy")))
    site.legacy.gate.clear()
    socket = Socket(site.gateway)
    await asyncio.sleep(0)
    await site.reload(text(to("new")))
    assert await socket.stays()
    assert not socket.sent
    site.legacy.gate.set()
    assert await socket.close_code() == 1012
    await socket.task


async def test_what_has_ended_is_forgotten(serve: Serve) -> None:
    site = await serve(text(to("legacy")))
    socket = await site.open()
    await site.reload(text(to("new")))
    socket.leave()
    await socket.task
    assert len(site.gateway._websockets) == 0
    await asyncio.sleep(GRACE * 2)
    assert {"type": "websocket.close", "code": 1012, "reason": "the route has moved"} not in socket.sent


async def test_a_refused_file_moves_nobody(serve: Serve) -> None:
    site = await serve(text(to("legacy")))
    socket = await site.open()
    site.path.write_text(text(to("nowhere")))
    assert (await site.gateway.reload()).outcome == "rejected"
    assert await socket.stays()


async def test_many_are_looked_at_in_turns(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    site = await serve(text(to("legacy"), grace=0))
    sockets = [await site.open() for _ in range(450)]
    with caplog.at_level("INFO", "gateway"):
        await site.reload(text(to("new"), grace=0))
        for socket in sockets:
            assert await socket.close_code() == 1012
    assert "450 of 450 WebSockets have moved" in caplog.text
