"""A load generator: keep-alive HTTP/1.1 clients on one epoll loop, checking every answer.

It stands outside the server it drives, and its own cost does not enter the results: those are the CPU time of the
server's processes. An answer that is not the expected one ends the benchmark, so a fast wrong server cannot win.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle

Address = tuple[str, int]
Check = Callable[["Answer"], str | None]


class WrongAnswerError(Exception):
    """The server answered something else than the benchmark asked for, or nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    head: bytes  # status line and fields, without the blank line
    body: bytes

    def header(self, name: str) -> str | None:
        """The first field of that name."""
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.strip().lower() == name.lower().encode():
                return value.strip().decode("latin-1")
        return None


@dataclass(frozen=True, slots=True)
class Request:
    """Bytes to send, and what must come back. ``check`` returns what is wrong with an answer, or None."""

    payload: bytes
    check: Check


@dataclass(slots=True)
class Tally:
    """What one drive did. Latencies are in seconds, one for each answer."""

    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def answers(self) -> int:
        return len(self.latencies)

    def add(self, answer: Answer, latency: float) -> None:
        self.latencies.append(latency)
        self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1

    def merge(self, other: Tally) -> None:
        """Count what ``other`` counted too; the seconds add up."""
        self.latencies.extend(other.latencies)
        self.seconds += other.seconds
        for status, count in other.statuses.items():
            self.statuses[status] = self.statuses.get(status, 0) + count


def get(path: str, body: bytes, *, cookie: str = "") -> Request:
    """A GET that must be answered 200 with exactly ``body``."""
    fields = f"GET {path} HTTP/1.1\r\nHost: bench.example\r\nAccept: application/json\r\nUser-Agent: bench\r\n"
    if cookie:
        fields += f"Cookie: {cookie}\r\n"
    return Request(f"{fields}\r\n".encode(), exactly(200, body))


def exactly(status: int, body: bytes) -> Check:
    """The check for one status and one body, byte for byte."""

    def check(answer: Answer) -> str | None:
        if answer.status == status and answer.body == body:
            return None
        return f"wanted {status} {body[:80]!r}, got {answer.status} {answer.body[:300]!r}"

    return check


def drive(
    address: Address,
    requests: Sequence[Request],
    *,
    connections: int,
    seconds: float | None = None,
    count: int | None = None,
    spread: float = 0.0,
    timeout: float = 30.0,
) -> Tally:
    """Keep ``connections`` busy for ``seconds``, or until ``count`` requests are sent; wait for all the answers.

    The requests are dealt out in turn, each connection sending its next one as soon as it has its answer. The
    connections are made, and their first requests sent, evenly over ``spread`` seconds. Raises WrongAnswerError when
    a check fails, when a connection ends without an answer, and when nothing arrives for ``timeout`` seconds.
    """
    tally = Tally()
    turn = cycle(requests)
    clients: dict[int, Client] = {}
    poll = select.epoll()
    started = time.perf_counter()
    deadline = float("inf") if seconds is None else started + seconds
    left = float("inf") if count is None else count
    waiting = 0
    try:
        for number in range(connections):
            if number >= left:
                break
            if spread:
                time.sleep(max(0.0, started + spread * number / connections - time.perf_counter()))
            client = Client(address)
            clients[client.fileno()] = client
            poll.register(client.fileno(), select.EPOLLIN)
            client.send(next(turn))
            waiting += 1
        left -= waiting
        while waiting:
            events = poll.poll(timeout)
            if not events:
                raise WrongAnswerError(f"{waiting} of {connections} requests had no answer within {timeout:g} seconds")
            for number, _ in events:
                client = clients[number]
                answer = client.receive()
                if answer is None:
                    continue
                waiting -= 1
                now = time.perf_counter()
                tally.add(answer, now - client.sent_at)
                if client.closing:
                    del clients[number]  # closing the socket also takes it out of the epoll set
                    client.reconnect()
                    clients[client.fileno()] = client
                    poll.register(client.fileno(), select.EPOLLIN)
                if now < deadline and left > 0:
                    left -= 1
                    waiting += 1
                    client.send(next(turn))
                else:
                    poll.unregister(client.fileno())  # the server may now close it as idle; nothing is lost by that
        tally.seconds = time.perf_counter() - started
    finally:
        poll.close()
        for client in clients.values():
            client.close()
    return tally


def pace(address: Address, request: Request, *, rate: float, seconds: float, timeout: float = 30.0) -> Tally:
    """Send ``rate`` requests a second on one connection, and time each from the moment it was due.

    A late answer delays the requests behind it, and their latencies count that wait: a stall cannot hide by
    keeping the generator from asking (coordinated omission).
    """
    tally = Tally()
    client = Client(address, timeout)
    started = time.perf_counter()
    try:
        for index in range(int(rate * seconds)):
            due = started + index / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            answer = client.ask(request)
            tally.add(answer, time.perf_counter() - due)
            if client.closing:
                client.reconnect()
        tally.seconds = time.perf_counter() - started
    finally:
        client.close()
    return tally


class Client:
    """One connection with at most one request in flight."""

    def __init__(self, address: Address, timeout: float = 30.0) -> None:
        self._address = address
        self._timeout = timeout
        self._buffer = b""
        self._request: Request | None = None
        self.closing = False
        self.sent_at = 0.0
        self._socket = self._connect()

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(self._address, self._timeout)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def local_port(self) -> int:
        return int(self._socket.getsockname()[1])

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def reconnect(self) -> None:
        self._socket.close()
        self._socket = self._connect()
        self.closing = False

    def send(self, request: Request) -> None:
        self._request = request
        self.sent_at = time.perf_counter()
        self._socket.sendall(request.payload)

    def ask(self, request: Request) -> Answer:
        self.send(request)
        while True:
            answer = self.receive()
            if answer is not None:
                return answer

    def receive(self) -> Answer | None:
        """Read once. The answer when it is complete and right, None while more is to come."""
        try:
            data = self._socket.recv(65536)
        except (TimeoutError, ConnectionError) as error:
            raise WrongAnswerError(f"connection failed before the answer was complete: {error}") from error
        if not data:
            raise WrongAnswerError(f"connection closed before the answer was complete, after {self._buffer[:200]!r}")
        if self._request is None:
            raise WrongAnswerError(f"an answer nobody asked for: {data[:200]!r}")
        self._buffer += data
        answer = self._parse()
        if answer is not None:
            wrong = self._request.check(answer)
            if wrong is not None:
                raise WrongAnswerError(wrong)
            self._request = None
        return answer

    def _parse(self) -> Answer | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = self._buffer[:end]
        lowered = head.lower()
        at = lowered.find(b"\r\ncontent-length:")
        if at < 0:
            raise WrongAnswerError(f"an answer without Content-Length: {head[:300]!r}")
        stop = lowered.find(b"\r\n", at + 2)
        length = int(lowered[at + 17 : stop if stop > 0 else end])
        body = self._buffer[end + 4 :]
        if len(body) < length:
            return None
        if len(body) > length:
            raise WrongAnswerError(f"{len(body) - length} bytes more than Content-Length said, after {head[:300]!r}")
        self._buffer = b""
        self.closing = b"\r\nconnection: close" in lowered
        return Answer(int(head[9:12]), head, body)
