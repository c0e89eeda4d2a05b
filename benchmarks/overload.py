"""Once, twice and three times as many requests as an app can answer, with a limit on those in flight and without.

The capacity is what a closed loop of a few clients gets. Then clients that do not wait for each other offer one, two
and three times of it. Goodput is the answers 200 a second; with a limit it must hold, and those that are accepted must
not have waited for long: the rest is told at once to come again.

A limit is what the app does in the time that a user may wait. For one that computes for a fraction of a millisecond
that is a hundred, of which its threads always find the next one without the event loop.

"unsent" are requests that had no connection: those wait for an answer, or to be read after a refusal.
"""

from __future__ import annotations

import contextlib
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.apps.books_flask import BOOK, SLOW
from benchmarks.load import Request, drive, get
from benchmarks.open_loop import Outcome, offer
from benchmarks.report import goal, percentile, table
from benchmarks.server import Server, gateway, gunicorn

TIMES = (1, 2, 3)
ROUNDS = 2
SECONDS = 3.0
CONNECTIONS = 1000
LEAST_SHARE = 0.9
FLASK = "benchmarks.apps.books_flask:app"


@dataclass(frozen=True, slots=True)
class Case:
    """An app, what is asked of it, and the limit it is given. ``clients`` are as many as keep it busy."""

    name: str
    backend: Callable[[], AbstractContextManager[str]]
    request: Request
    clients: int
    limit: str


@contextlib.contextmanager
def embedded() -> Iterator[str]:
    yield f'app: "{FLASK}"'


@contextlib.contextmanager
def remote() -> Iterator[str]:
    with gunicorn(FLASK, worker="gthread", threads=8) as server:
        yield f'url: "http://{server.address[0]}:{server.address[1]}"'


CASES = (
    Case(
        "embedded Flask, computes", embedded, get("/legacy/books/7", BOOK), 8, "{in_flight: 64, queue: 16, wait: 0.2}"
    ),
    Case("embedded Flask, waits", embedded, get("/legacy/slow", SLOW), 32, "{in_flight: 32, queue: 16, wait: 0.2}"),
    Case("remote Flask, computes", remote, get("/legacy/books/7", BOOK), 8, "{in_flight: 64, queue: 16, wait: 0.2}"),
)


def main() -> bool:
    """Print the table; True when goodput with a limit stays at nine tenths of the peak."""
    rows, goals = [], []
    for case in CASES:
        with case.backend() as backend:
            for limit in ("", case.limit):
                with served(backend, limit) as server:
                    capacity, offered = measured(server, case)
                peak = max([capacity, *(median(outcomes) for outcomes in offered.values())])
                for times, outcomes in offered.items():
                    rows.append(row(f"{case.name}, {'limit' if limit else 'no limit'}, {times}x", peak, outcomes))
                if limit:
                    goals.append((case.name, 1 - median(offered[3]) / peak))
    table(
        f"Goodput under overload, medians of {ROUNDS} x {SECONDS:g} s",
        ["", "good/s", "of peak", "shed/s", "unsent", "p50 ms", "p99 ms", "shed p99 ms"],
        rows,
    )
    met = [goal(f"share of goodput lost at three times, {name}", lost, 1 - LEAST_SHARE) for name, lost in goals]
    return all(met)


@contextlib.contextmanager
def served(backend: str, limit: str) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        routes = Path(folder) / "routes.yaml"
        limited = f", limit: {limit}" if limit else ""
        routes.write_text(f"version: 1\nbackends:\n  app: {{{backend}{limited}}}\ndefault: app\nroutes: []\n")
        with gateway(routes) as server:
            yield server


def measured(server: Server, case: Case) -> tuple[float, dict[int, list[Outcome]]]:
    """The capacity, and what came of each multiple of it; in turns, for the machine's other work hits all alike."""
    warm = drive(server.address, [case.request], connections=case.clients, seconds=SECONDS)
    capacity = warm.answers / warm.seconds
    offered: dict[int, list[Outcome]] = {times: [] for times in TIMES}
    for _ in range(ROUNDS):
        for times in TIMES:
            outcome = offer(
                server.address, case.request, rate=capacity * times, seconds=SECONDS, connections=CONNECTIONS
            )
            offered[times].append(outcome)
    return capacity, offered


def median(outcomes: list[Outcome]) -> float:
    return statistics.median(outcome.goodput for outcome in outcomes)


def row(name: str, peak: float, outcomes: list[Outcome]) -> list[str]:
    good = sorted(latency for outcome in outcomes for latency in outcome.good)
    shed = sorted(latency for outcome in outcomes for latency in outcome.shed)
    seconds = sum(outcome.seconds for outcome in outcomes)
    return [
        name,
        f"{median(outcomes):.0f}",
        f"{median(outcomes) / peak:.0%}",
        f"{len(shed) / seconds:.0f}",
        str(sum(outcome.unsent for outcome in outcomes)),
        f"{percentile(good, 50) * 1e3:.0f}",
        f"{percentile(good, 99) * 1e3:.0f}",
        f"{percentile(shed, 99) * 1e3:.0f}" if shed else "-",
    ]
