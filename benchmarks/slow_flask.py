"""1,000 slow Flask requests at once, while FastAPI requests are timed in the same worker process.

Each Flask view sleeps 100 ms, as one that waits for a third party does. Two runs: with the default queue, where all
must be served, and with a short one, where what does not fit must be refused at once with 503 and Retry-After.

The requests arrive over half a second, and are then all there for seconds. In one instant they would be 1,000 times
a request's own CPU in one event loop, and what came next would wait for that on any server. Latencies are of the wall
clock, with the machine's other work in them: so the goal is about what the Flask load adds to them, in the median of
the bursts.
"""

from __future__ import annotations

import multiprocessing
import statistics
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.apps.books_fastapi import BOOK
from benchmarks.apps.books_flask import SLOW, SLOW_SECONDS
from benchmarks.embedded_fastapi import ROUTES
from benchmarks.load import Address, Answer, Request, Tally, drive, get, pace
from benchmarks.report import fact, goal, percentile, table
from benchmarks.server import gateway

CONCURRENT = 1000
BURSTS = 3
ARRIVE_SECONDS = 0.5
RATE = 200.0  # timed FastAPI requests a second
THREADS, SHORT_QUEUE = 16, 100
# A FastAPI request that had to wait for even one slow Flask request would take its 100 ms.
LIMIT_MS = SLOW_SECONDS * 1e3 / 2


def main() -> bool:
    """Print the table; True when nothing was lost and no FastAPI request waited for a slow one."""
    with tempfile.TemporaryDirectory() as folder:
        short = Path(folder) / "routes.yaml"
        short.write_text(with_queue(ROUTES.read_text(), THREADS, SHORT_QUEUE))
        with gateway(ROUTES) as server:
            quiet = [pace(server.address, get("/books/7", BOOK), rate=RATE, seconds=1.0) for _ in range(BURSTS)]
            all_served, beside_served = _under_slow_load(server.address)
        with gateway(short) as server:
            some_refused, beside_refused = _under_slow_load(server.address)
    sent = CONCURRENT * BURSTS
    base = _percentile(quiet, 99)
    fits = (THREADS + SHORT_QUEUE) * BURSTS
    table(
        f"FastAPI at {RATE:g} requests/s beside {BURSTS} x {CONCURRENT} Flask requests of {SLOW_SECONDS * 1e3:g} ms",
        ["", "Flask 200", "Flask 503", "burst s", "FastAPI p50 ms", "p90 ms", "p99 ms", "max ms"],
        [
            _row("no Flask load", Tally(), quiet),
            _row("32 threads, queue 1024 (default)", all_served, beside_served),
            _row(f"{THREADS} threads, queue {SHORT_QUEUE}", some_refused, beside_refused),
        ],
    )
    met = [
        fact(f"default queue: {sent} sent, {sent} answered 200", all_served.statuses == {200: sent}),
        fact(
            f"short queue: {sent} sent, at least {fits} answered 200, all others 503 with Retry-After",
            sum(some_refused.statuses.values()) == sent and some_refused.statuses.get(200, 0) >= fits,
        ),
        goal("ms added to FastAPI's p99, default queue", _percentile(beside_served, 99) - base, LIMIT_MS, ".1f"),
        goal("ms added to FastAPI's p99, short queue", _percentile(beside_refused, 99) - base, LIMIT_MS, ".1f"),
    ]
    return all(met)


def _under_slow_load(address: Address) -> tuple[Tally, list[Tally]]:
    """The Flask requests of all bursts together, and for each burst the FastAPI requests timed meanwhile."""
    slow, timed = Tally(), []
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        pool.submit(int).result()  # the process has started before the clock runs
        for _ in range(BURSTS):
            burst = pool.submit(_burst, address)
            meanwhile = Tally()
            while not burst.done():
                meanwhile.merge(pace(address, get("/books/7", BOOK), rate=RATE, seconds=0.25))
            timed.append(meanwhile)
            slow.merge(burst.result())
    return slow, timed


def _burst(address: Address) -> Tally:
    slow = Request(get("/legacy/slow", SLOW).payload, _served_or_refused)
    return drive(address, [slow], connections=CONCURRENT, count=CONCURRENT, spread=ARRIVE_SECONDS)


def _served_or_refused(answer: Answer) -> str | None:
    if answer.status == 200 and answer.body == SLOW:
        return None
    if answer.status == 503 and (answer.header("retry-after") or "").isdigit():
        return None
    return f"neither served nor properly refused: {answer.head!r} {answer.body[:80]!r}"


def with_queue(text: str, threads: int, queue: int) -> str:
    app = 'legacy: {app: "benchmarks.apps.books_flask:create_app()"'
    changed = text.replace(app, f"{app}, threads: {threads}, queue: {queue}")
    if changed == text:
        raise ValueError("routes.yaml has no legacy backend to change")
    return changed


def _percentile(bursts: list[Tally], percent: float) -> float:
    """In ms: the median of the bursts' own percentiles."""
    return statistics.median(percentile(sorted(burst.latencies), percent) for burst in bursts) * 1e3


def _row(name: str, slow: Tally, timed: list[Tally]) -> list[str]:
    return [
        name,
        f"{slow.statuses.get(200, 0):,}",
        f"{slow.statuses.get(503, 0):,}",
        f"{slow.seconds / BURSTS:.1f}" if slow.seconds else "",
        *(f"{_percentile(timed, percent):.2f}" for percent in (50, 90, 99, 100)),
    ]
