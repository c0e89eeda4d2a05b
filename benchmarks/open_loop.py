"""Clients that do not wait for each other: requests are sent when they are due, however the server is doing.

A closed loop asks less of a server the slower it answers, and so can never ask too much of it.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.load import Address, Answer, Client, Request


@dataclass(slots=True)
class Outcome:
    """What became of the requests that were due in ``seconds``. Latencies of the good answers are in seconds.

    ``unsent`` had no free connection when they were due; ``late`` were not answered when the time was over.
    """

    seconds: float
    good: list[float] = field(default_factory=list)
    shed: list[float] = field(default_factory=list)
    unsent: int = 0
    late: int = 0

    @property
    def goodput(self) -> float:
        """Good answers a second."""
        return len(self.good) / self.seconds


def good_or_shed(check: Callable[[Answer], str | None]) -> Callable[[Answer], str | None]:
    """Besides what ``check`` wants, a 503 that says when to come again is right."""

    def either(answer: Answer) -> str | None:
        if answer.status == 503 and answer.header("retry-after") is not None:
            return None
        return check(answer)

    return either


def offer(
    address: Address, request: Request, *, rate: float, seconds: float, connections: int, settle: float = 1.0
) -> Outcome:
    """Send ``rate`` requests a second, evenly spaced, each on a connection that is free. Raises WrongAnswerError.

    What is due in the first ``settle`` seconds comes on top, and does not count: that is the rush of new connections.
    """
    outcome = Outcome(seconds)
    request = Request(request.payload, good_or_shed(request.check))
    poll = select.epoll()
    clients: dict[int, Client] = {}
    free: list[Client] = []

    def connect() -> None:
        client = Client(address)
        clients[client.fileno()] = client
        poll.register(client.fileno(), select.EPOLLIN)
        free.append(client)

    try:
        for _ in range(connections):
            connect()
        started = time.perf_counter()
        due = 0
        end = started + settle + seconds
        total = int(rate * (settle + seconds))
        while (now := time.perf_counter()) < end:
            while due < total and started + due / rate <= now:
                due += 1
                if free:
                    free.pop().send(request)
                elif now >= started + settle:
                    outcome.unsent += 1
            next_due = started + due / rate if due < total else end
            for number, _ in poll.poll(max(0.0, min(next_due, end) - time.perf_counter())):
                client = clients[number]
                answer = client.receive()
                if answer is None:
                    continue
                now = time.perf_counter()
                if now >= started + settle:
                    (outcome.good if answer.status == 200 else outcome.shed).append(now - client.sent_at)
                if client.closing:
                    poll.unregister(number)
                    clients.pop(number).close()
                    connect()
                else:
                    free.append(client)
        outcome.late = len(clients) - len(free)
    finally:
        poll.close()
        for client in clients.values():
            client.close()
    return outcome
