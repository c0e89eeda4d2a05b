"""The load generator counts what a scripted server did, and refuses answers that are not the expected ones."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.load import Address, Answer, Client, Request, Tally, WrongAnswerError, drive, exactly, get, pace

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LAST = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"


class Scripted:
    """Answers each request with the same bytes, in pieces, and counts connections and requests."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces
        self.connections = 0
        self.requests = 0
        self._lock = threading.Lock()

    def serve(self, connection: socket.socket) -> None:
        with connection:
            while self._read_head(connection):
                with self._lock:
                    self.requests += 1
                for piece in self.pieces:
                    connection.sendall(piece)
                if b"Connection: close" in b"".join(self.pieces) or not self.pieces:
                    return

    @staticmethod
    def _read_head(connection: socket.socket) -> bytes:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            try:
                data = connection.recv(65536)
            except ConnectionError:
                return b""
            if not data:
                return b""
            head += data
        return head


@contextmanager
def serving(server: Scripted) -> Iterator[Address]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    threads: list[threading.Thread] = []

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            if stopping.is_set():
                connection.close()
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server.connections += 1
            threads.append(threading.Thread(target=server.serve, args=(connection,)))
            threads[-1].start()

    stopping = threading.Event()
    acceptor = threading.Thread(target=accept)
    acceptor.start()
    address: Address = listener.getsockname()
    try:
        yield address
    finally:
        stopping.set()
        socket.create_connection(address).close()
        acceptor.join()
        listener.close()
        for thread in threads:
            thread.join()


def test_counts_every_answer_once() -> None:
    server = Scripted(OK)
    with serving(server) as address:
        tally = drive(address, [get("/", b"ok")], connections=3, count=50)
    assert tally.answers == server.requests == 50
    assert tally.statuses == {200: 50}
    assert server.connections == 3
    assert all(0 < latency < tally.seconds for latency in tally.latencies)


def test_runs_for_the_time_asked_and_waits_for_the_last_answers() -> None:
    server = Scripted(OK)
    with serving(server) as address:
        tally = drive(address, [get("/", b"ok")], connections=4, seconds=0.05)
    assert tally.answers == server.requests > 0
    assert tally.seconds >= 0.05


def test_deals_the_requests_out_in_turn() -> None:
    seen: list[str] = []

    def request(name: str) -> Request:
        def note(answer: Answer) -> str | None:
            seen.append(name)
            return None

        return Request(get("/", b"").payload, note)

    with serving(Scripted(OK)) as address:
        drive(address, [request("a"), request("b")], connections=1, count=5)
    assert seen == ["a", "b", "a", "b", "a"]


def test_puts_an_answer_together_from_pieces() -> None:
    with serving(Scripted(OK[:9], OK[9:30], OK[30:-1], OK[-1:])) as address:
        assert drive(address, [get("/", b"ok")], connections=2, count=10).answers == 10


def test_connects_again_after_an_answer_that_closes() -> None:
    server = Scripted(LAST)
    with serving(server) as address:
        assert drive(address, [get("/", b"ok")], connections=2, count=10).answers == 10
    assert server.requests == 10


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (OK.replace(b"200", b"500"), "got 500"),
        (OK[:-2] + b"no", "got 200 b'no'"),
        (OK + b"!", "1 bytes more"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "without Content-Length"),
        (LAST[:-1], "closed before the answer was complete"),
    ],
)
def test_a_wrong_answer_ends_the_drive(answer: bytes, reason: str) -> None:
    with serving(Scripted(answer)) as address, pytest.raises(WrongAnswerError, match=reason):
        drive(address, [get("/", b"ok")], connections=2, count=10)


def test_no_answer_ends_the_drive() -> None:
    with serving(Scripted(OK[:-1])) as address, pytest.raises(WrongAnswerError, match="2 of 2 requests had no answer"):
        drive(address, [get("/", b"ok")], connections=2, count=10, timeout=0.1)


def test_pace_keeps_the_rate_and_counts_waiting() -> None:
    server = Scripted(OK)
    with serving(server) as address:
        tally = pace(address, get("/", b"ok"), rate=1000, seconds=0.05)
    assert tally.answers == server.requests == 50
    assert tally.seconds >= 0.049


def test_spreads_the_first_requests() -> None:
    server = Scripted(OK)
    with serving(server) as address:
        tally = drive(address, [get("/", b"ok")], connections=5, count=8, spread=0.05)
    assert tally.answers == server.requests == 8
    assert server.connections == 5
    assert tally.seconds >= 0.04  # the fifth of five starts after four fifths


def test_no_more_connections_than_requests() -> None:
    server = Scripted(OK)
    with serving(server) as address:
        assert drive(address, [get("/", b"ok")], connections=5, count=2).answers == 2
    assert server.connections == 2


def test_tallies_merge() -> None:
    one, other = Tally([0.1], {200: 1}, 1.0), Tally([0.2, 0.3], {200: 1, 503: 1}, 2.0)
    one.merge(other)
    assert (one.answers, one.statuses, one.seconds) == (3, {200: 2, 503: 1}, 3.0)


def test_headers_are_found_whatever_their_case() -> None:
    answer = Answer(503, b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nretry-after: 2", b"")
    assert answer.header("RETRY-AFTER") == "1"
    assert answer.header("set-cookie") is None


def test_an_answer_nobody_asked_for_is_wrong() -> None:
    with serving(Scripted(OK, OK)) as address, Client(address) as client:
        client.send(Request(get("/", b"").payload, lambda _: None))
        answers = iter(client.receive, 0)  # the second comes with the first, or alone after it
        with pytest.raises(WrongAnswerError, match=r"nobody asked for|bytes more"):
            list(answers)


def test_exactly_says_what_was_wanted() -> None:
    assert exactly(200, b"a")(Answer(200, b"", b"a")) is None
    assert exactly(200, b"a")(Answer(200, b"", b"b")) == "wanted 200 b'a', got 200 b'b'"
