"""Clients that leave in the middle, that are slow, that are many; beside others that are none of it."""

from __future__ import annotations

import asyncio
import random
import resource
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.behaviour.probe import metric
from tests.behaviour.process import GatewayProcess, eventually
from tests.faults.answer import Asked, Verdict, read_and_judge
from tests.faults.background import Background
from tests.faults.conftest import Tell
from tests.faults.ledger import Ledger
from tests.faults.length import long
from tests.faults.servers import UVICORN, Server, reserved_port
from tests.faults.stamped import Wanted
from tests.faults.test_workers import ROUTES, more_right
from tests.faults.traffic import Traffic


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    return Ledger(tmp_path_factory.mktemp("clients") / "ledger")


@pytest.fixture(scope="module")
def gateway(books: Ledger) -> Iterator[GatewayProcess]:
    with reserved_port() as port, Server("new", books, port, *UVICORN):
        routes = books.folder.parent / "routes.yaml"
        routes.write_text(ROUTES.format(new=port))
        env = {"FAULTS_BOOK": str(books.book("legacy"))}
        with GatewayProcess(routes, workers=2, env=env) as gateway:
            yield gateway
            # Flask itself tells of each client that has left behind half a body, and nobody else need.
            errors = [line for line in gateway.log().splitlines() if " ERROR " in line]
            assert [line for line in errors if "Exception on /orders/left-" not in line] == []


def nothing_in_flight(gateway: GatewayProcess) -> bool:
    return metric(gateway, "gateway_requests_in_flight") == 0


def address(gateway: GatewayProcess) -> tuple[str, int]:
    host, _, port = gateway.url.removeprefix("http://").rpartition(":")
    return host, int(port)


class Leaver:
    """Clients that send the first ``sent`` bytes of a request, take ``taken`` of its answer, and are gone."""

    def __init__(self, gateway: GatewayProcess, *, reset: bool) -> None:
        self._place = address(gateway)
        self._reset = reset
        self._random = random.Random(2)

    def leave(self, asked: Asked) -> None:
        request = asked.encoded()
        with socket.create_connection(self._place, timeout=5) as client:
            if self._reset:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            whole = self._random.random() < 0.5
            client.sendall(request if whole else request[: self._random.randrange(len(request))])
            if whole and self._random.random() < 0.7:
                client.recv(self._random.choice((1, 100, 5000)))


@pytest.mark.parametrize("reset", [False, True], ids=["closing", "resetting"])
def test_clients_vanish_at_every_byte(gateway: GatewayProcess, books: Ledger, tell: Tell, reset: bool) -> None:
    """What others get is not touched, and nothing is left behind."""
    leaver = Leaver(gateway, reset=reset)
    with Traffic(gateway.url, connections=3) as traffic:
        for number in range(long(150, 3000)):
            method = ("GET", "POST", "PUT")[number % 3]
            seconds = (0.0, 0.0, 0.02)[number // 3 % 3]
            wanted = Wanted(f"left-{reset}-{number}", (0, 50_000, 2_000_000)[number % 5 % 3], number % 2 == 1, seconds)
            body = b"" if method == "GET" else b"." * (number % 7 * 1000)
            leaver.leave(Asked(method, wanted, body, chunked=number % 4 == 1))
        more_right(traffic, 20)
    row = tell(f"clients vanish at any byte, {'resetting' if reset else 'closing'}", traffic, ledger=books)
    assert row.broken == 0, traffic.reasons()
    eventually(lambda: nothing_in_flight(gateway))


def test_clients_vanish_from_pipelines(gateway: GatewayProcess, books: Ledger, tell: Tell) -> None:
    with Traffic(gateway.url, connections=3) as traffic:
        for turn in range(long(60, 1000)):
            with socket.create_connection(address(gateway), timeout=5) as client:
                names = [f"pipe-{turn}-{number}" for number in range(10)]
                client.sendall(b"".join(Asked("POST", Wanted(name, 5000), b"x").encoded() for name in names))
                if turn % 2:
                    client.recv(100)
        more_right(traffic, 20)
    row = tell("clients vanish with ten requests sent at once", traffic, ledger=books)
    assert row.broken == 0, traffic.reasons()
    eventually(lambda: nothing_in_flight(gateway))


def test_pipelined_requests_are_answered_in_their_order(gateway: GatewayProcess, books: Ledger, tell: Tell) -> None:
    with Traffic(gateway.url, connections=6, depth=16) as traffic:
        more_right(traffic, long(600, 10_000))
    row = tell("sixteen pipelined requests on each connection", traffic, ledger=books)
    assert row.broken == 0, traffic.reasons()


class Slow:
    """Clients that send, or take, a little at a time. Their answers are judged as all others are."""

    def __init__(self, gateway: GatewayProcess, prefix: str) -> None:
        self.traffic = Traffic(gateway.url)
        self._place = address(gateway)
        self._prefix = prefix

    def run(self, number: int, *, sending: bool, reading: bool) -> Traffic:
        background = Background()
        try:
            background.run(self._all(number, sending, reading), timeout=50)
        finally:
            background.stop()
        return self.traffic

    async def _all(self, number: int, sending: bool, reading: bool) -> None:
        await asyncio.gather(*(self._one(at, sending, reading) for at in range(number)))

    async def _one(self, number: int, sending: bool, reading: bool) -> None:
        name = f"{self._prefix}-{number}"
        size = 1_500_000 if reading else 100
        method = ("GET", "POST", "PUT")[number % 3]
        body = b"." * (400 * sending) if method != "GET" else b""
        asked = self.traffic.asked[name] = Asked(
            method, Wanted(name, size, number % 2 == 0), body, chunked=number % 4 < 2
        )
        client = socket.socket()
        # Small, or the system takes the whole answer for us.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, self._place)
        reader, writer = await asyncio.open_connection(sock=client, limit=1 << 14)
        await _send_slowly(writer, asked.encoded(), 7 if sending else 1 << 20)
        taken = asyncio.StreamReader(limit=1 << 20)
        taking = asyncio.create_task(_take_slowly(reader, taken, 0.01 if reading else 0))
        self.traffic.judged[name] = await read_and_judge(taken, asked, 30)
        taking.cancel()
        writer.close()


async def _send_slowly(writer: asyncio.StreamWriter, data: bytes, step: int) -> None:
    for at in range(0, len(data), step):
        writer.write(data[at : at + step])
        await asyncio.sleep(0.005)


async def _take_slowly(reader: asyncio.StreamReader, taken: asyncio.StreamReader, pause: float) -> None:
    while part := await reader.read(1 << 14):
        taken.feed_data(part)
        await asyncio.sleep(pause)
    taken.feed_eof()


@pytest.mark.parametrize(
    ("who", "sending", "reading"), [("slow readers", False, True), ("slow senders", True, False)], ids=["read", "send"]
)
def test_slow_clients_get_all_and_keep_nobody_waiting(
    gateway: GatewayProcess, books: Ledger, tell: Tell, who: str, sending: bool, reading: bool
) -> None:
    with Traffic(gateway.url, connections=3) as traffic:
        slow = Slow(gateway, who.replace(" ", "-")).run(long(30, 200), sending=sending, reading=reading)
    row = tell(who, traffic, slow, ledger=books)
    assert row.broken == 0, (traffic.reasons(), slow.reasons())
    assert len(slow.of(Verdict.RIGHT)) == len(slow.asked)


def raised_limit(wanted: int) -> int:
    """How many files a process may have open; raised for this one, and for those that it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted)


class Crowd:
    """Many connections at once, each with one request after all are there."""

    def __init__(self, gateway: GatewayProcess, number: int) -> None:
        self.traffic = Traffic(gateway.url)
        self._place = address(gateway)
        self._number = number
        self._open: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def come(self) -> None:
        for at in range(0, self._number, 250):
            many = range(at, min(at + 250, self._number))
            self._open += await asyncio.gather(*(asyncio.open_connection(*self._place, limit=1 << 16) for _ in many))

    async def ask(self) -> None:
        for at in range(0, self._number, 250):
            many = range(at, min(at + 250, self._number))
            await asyncio.gather(*(self._one(number) for number in many))

    async def leave(self) -> None:
        for _, writer in self._open:
            writer.transport.abort()

    async def _one(self, number: int) -> None:
        reader, writer = self._open[number]
        wanted = Wanted(f"crowd-{number}", 10)
        asked = self.traffic.asked[wanted.name] = Asked(("GET", "POST")[number % 2], wanted)
        writer.write(asked.encoded())
        self.traffic.judged[wanted.name] = await read_and_judge(reader, asked, 20)


@pytest.mark.timeout(120)
def test_many_connections(tmp_path: Path, ledger: Ledger, tell: Tell) -> None:
    number = min(long(2_500, 10_000), raised_limit(12_000) - 1000)
    with reserved_port() as port, Server("new", ledger, port, *UVICORN):
        routes = tmp_path / "routes.yaml"
        routes.write_text(ROUTES.format(new=port))
        background = Background()
        try:
            with GatewayProcess(routes, workers=2, env={"FAULTS_BOOK": str(ledger.book("legacy"))}) as gateway:
                crowd = Crowd(gateway, number)
                background.run(crowd.come(), timeout=60)
                background.run(crowd.ask(), timeout=60)
                row = tell(f"{number:,} connections", crowd.traffic, ledger=ledger)
                background.run(crowd.leave())
                # Everybody has gone, and the next one is served.
                with Traffic(gateway.url, connections=1) as traffic:
                    more_right(traffic, 5)
                assert "Traceback" not in gateway.log()
        finally:
            background.stop()
    assert row.right == number, crowd.traffic.reasons()
