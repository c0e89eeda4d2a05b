"""Which connection a request gets, and who is next when there is none."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.upstream.connection import Connection
from gateway.upstream.failure import UpstreamError
from gateway.upstream.limits import PoolLimits, Timeouts
from gateway.upstream.origin import C, Origin
from gateway.upstream.pool import Pool
from gateway.upstream.upstream import Upstream
from tests.upstream.scripted import OK, App, Client, Peer, a_scope, always, app, ask, eventually, failure_of, to
from tests.upstream.scripts import held


async def start(upstream: Upstream) -> asyncio.Task[Client]:
    task = asyncio.create_task(ask(upstream))
    await asyncio.sleep(0)
    return task


async def test_the_connection_used_last_is_used_first_and_the_others_grow_old() -> None:
    async with app(always(OK)) as served, to(served.url, limits=PoolLimits(keepalive=0.2)) as upstream:
        await asyncio.gather(*(ask(upstream) for _ in range(4)))
        [origin] = upstream.origins
        assert len(origin.idle) == 4
        newest = next(reversed(origin.idle))
        until = asyncio.get_running_loop().time() + 0.4
        while asyncio.get_running_loop().time() < until:
            await ask(upstream)
            await asyncio.sleep(0.01)
        assert list(origin.idle) == [newest]
        assert len(served.peers) == 4
        await eventually(lambda: not origin.idle)


async def test_there_are_no_more_connections_than_allowed_and_the_line_is_served_in_order() -> None:
    gate = asyncio.Event()
    async with app(held(gate)) as served, to(served.url, limits=PoolLimits(connections=2)) as upstream:
        order: list[int] = []

        async def one(number: int) -> None:
            await ask(upstream)
            order.append(number)

        tasks = []
        for number in range(6):
            tasks.append(asyncio.create_task(one(number)))
            await asyncio.sleep(0.001)
        await eventually(lambda: upstream.pool.waiting == 4)
        assert repr(upstream.pool) == f"<Pool [<Origin {served.url} busy=2 idle=0 connecting=0>] waiting=4>"
        gate.set()
        await asyncio.gather(*tasks)
        assert [number // 2 for number in order] == [0, 0, 1, 1, 2, 2]
        assert len(served.peers) == 2


async def test_a_full_line_turns_requests_away() -> None:
    gate = asyncio.Event()
    async with app(held(gate)) as served, to(served.url, limits=PoolLimits(connections=1, queue=1)) as upstream:
        tasks = [await start(upstream), await start(upstream)]
        await eventually(lambda: upstream.pool.waiting == 1)
        with pytest.raises(UpstreamError) as caught:
            await ask(upstream)
        assert (caught.value.failure.name, caught.value.retry_after) == ("QUEUE_FULL", 1)
        gate.set()
        await asyncio.gather(*tasks)


async def test_who_leaves_the_line_leaves_their_place_to_the_next() -> None:
    gate = asyncio.Event()
    async with app(held(gate)) as served, to(served.url, limits=PoolLimits(connections=1)) as upstream:
        tasks = [await start(upstream) for _ in range(3)]
        await eventually(lambda: upstream.pool.waiting == 2)
        tasks[1].cancel()
        gate.set()
        assert (await tasks[0]).body == (await tasks[2]).body == b"hi"
        assert (upstream.pool.waiting, upstream.origins[0].open) == (0, 1)


async def test_who_leaves_at_the_moment_of_their_turn_passes_it_on() -> None:
    gate = asyncio.Event()
    async with app(held(gate)) as served, to(served.url, limits=PoolLimits(connections=1)) as upstream:
        tasks = [await start(upstream) for _ in range(3)]
        await eventually(lambda: upstream.pool.waiting == 2)
        give_back = upstream.pool.give_back

        def and_leave(connection: Connection) -> None:
            give_back(connection)
            tasks[1].cancel()

        upstream.pool.give_back = and_leave  # type: ignore[method-assign]
        gate.set()
        await tasks[0]
        upstream.pool.give_back = give_back  # type: ignore[method-assign]
        assert (await tasks[2]).body == b"hi"
        assert (upstream.pool.waiting, upstream.origins[0].open, len(served.peers)) == (0, 1, 1)


async def test_a_connection_that_ends_makes_room_for_who_waits() -> None:
    async def closing(peer: Peer) -> None:
        await peer.head()
        await peer.say(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi")

    async with app(closing) as served, to(served.url, limits=PoolLimits(connections=1)) as upstream:
        answers = await asyncio.gather(*(ask(upstream) for _ in range(5)))
        assert [answer.body for answer in answers] == [b"hi"] * 5
        assert (len(served.peers), upstream.origins[0].open) == (5, 0)


async def test_an_address_that_is_down_fails_all_who_wait_for_it() -> None:
    async with app(always(OK)) as served:
        url = served.url
    async with to(url, limits=PoolLimits(connections=1)) as upstream:
        ends = await asyncio.gather(*(failure_of(upstream) for _ in range(5)))
        assert (ends, upstream.origins[0].open) == (["CONNECT"] * 5, 0)


async def test_a_request_goes_where_the_fewest_are_and_in_turn_among_equals() -> None:
    gate = asyncio.Event()
    async with app(held(gate)) as one, app(always(OK)) as two, app(always(OK)) as three:
        async with to(one.url, two.url, three.url) as upstream:
            tasks = [await start(upstream) for _ in range(3)]
            await eventually(lambda: upstream.origins[0].busy == 1)
            for _ in range(10):
                assert (await ask(upstream)).body == b"hi"
            gate.set()
            await asyncio.gather(*tasks)
        # The held one got no other request, and the two that answer took turns.
        counts = [sum(peer.heard.count(b"GET") for peer in each.peers) for each in (one, two, three)]
        assert counts == [1, 6, 6]


async def test_an_address_that_cannot_be_reached_is_passed_over() -> None:
    async with app(always(OK)) as gone:
        pass
    async with app(always(OK)) as there, to(gone.url, there.url) as upstream:
        for method in ("GET", "POST") * 5:
            assert (await ask(upstream, method)).body == b"hi"
        down, _ = upstream.origins
        assert down.avoid_until > asyncio.get_running_loop().time()
        assert down.open == 0


async def test_with_all_addresses_down_each_is_tried_once() -> None:
    tried: list[str] = []

    class Counting(Origin):
        async def connect(self, loop: asyncio.AbstractEventLoop, make: Callable[[], C]) -> C:
            tried.append(self.url)
            return await super().connect(loop, make)

    async with app(always(OK)) as one, app(always(OK)) as two:
        urls = [one.url, two.url]
    async with to(*urls) as upstream:
        upstream.pool = Pool([Counting(url) for url in urls], PoolLimits(), upstream.loop)
        assert await failure_of(upstream) == "CONNECT"
        assert sorted(tried) == sorted(urls)


async def test_a_full_address_is_passed_over_while_another_has_room() -> None:
    gate = asyncio.Event()
    limits = PoolLimits(connections=2, queue=0)
    async with app(held(gate)) as one, app(held(gate)) as two, to(one.url, two.url, limits=limits) as upstream:
        tasks = [await start(upstream) for _ in range(4)]
        assert await failure_of(upstream) == "QUEUE_FULL"
        gate.set()
        await asyncio.gather(*tasks)


async def test_a_name_is_looked_up_for_each_new_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    async def closing(peer: Peer) -> None:
        await peer.head()
        await peer.say(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi")

    asked: list[Any] = []
    async with app(closing) as served, to(f"http://shop.internal:{served.port}") as upstream:

        async def lookup(host: str, port: int, **_: Any) -> Any:
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", lookup)
        for _ in range(3):
            await ask(upstream)
    assert asked == ["shop.internal"] * 3


async def test_a_stopped_pool_keeps_nothing() -> None:
    gate = asyncio.Event()
    async with app(held(gate)) as served, to(served.url) as upstream:
        running = await start(upstream)
        await eventually(lambda: len(served.peers) == 1)
        upstream.stop()
        gate.set()
        assert (await running).body == b"hi"
        assert upstream.origins[0].open == 0


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for shop.internal, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=shop.internal", "-addext", "subjectAltName=DNS:shop.internal", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


class TestTls:
    async def secure(self, certificate: tuple[Path, Path]) -> tuple[App, asyncio.Server]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        served = App([always(OK)])
        server = await asyncio.start_server(served.serve, "127.0.0.1", 0, ssl=context)
        served.port = server.sockets[0].getsockname()[1]
        return served, server

    async def ask(self, certificate: tuple[Path, Path], **options: Any) -> list[str]:
        """How two requests end."""
        served, server = await self.secure(certificate)
        ends = []
        try:
            async with to(f"https://127.0.0.1:{served.port}", timeouts=Timeouts(connect=2), **options) as upstream:
                for _ in range(2):
                    client = Client()
                    try:
                        await upstream(a_scope(), client.receive, client.send)
                        ends.append(client.body.decode())
                    except UpstreamError as error:
                        ends.append(error.failure.name)
        finally:
            server.close()
            await served.stop()
        return ends

    async def test_the_certificate_must_be_trusted(self, certificate: tuple[Path, Path]) -> None:
        assert await self.ask(certificate, server_name="shop.internal") == ["CONNECT", "CONNECT"]

    async def test_the_certificate_must_have_the_name(self, certificate: tuple[Path, Path]) -> None:
        own = ssl.create_default_context(cafile=str(certificate[0]))
        assert await self.ask(certificate, tls=own) == ["CONNECT", "CONNECT"]

    async def test_with_its_own_authority_and_name_it_is_used_like_any_other(
        self, certificate: tuple[Path, Path]
    ) -> None:
        own = ssl.create_default_context(cafile=str(certificate[0]))
        assert await self.ask(certificate, tls=own, server_name="shop.internal") == ["hi", "hi"]


def test_addresses() -> None:
    def of(url: str) -> tuple[str, bytes]:
        origin = Origin(url, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        return origin.url, origin.authority

    assert of("http://app:80/") == ("http://app", b"app")
    assert of("http://APP:5000") == ("http://app:5000", b"app:5000")
    assert of("https://app") == ("https://app", b"app")
    assert of("http://[::1]:5000") == ("http://[::1]:5000", b"[::1]:5000")
    assert of("http://bücher.example:81") == ("http://xn--bcher-kva.example:81", b"xn--bcher-kva.example:81")
    assert of("unix:/run/app.sock") == ("unix:/run/app.sock", b"localhost")
