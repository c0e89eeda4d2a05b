"""1,000 slow Flask requests at once, while FastAPI requests are timed in the same worker process.

Each Flask view sleeps 100 ms, as one that waits for a third party does. Two runs: with the default queue, where all
must be served, and with a short one, where what does not fit must be refused at once with 503 and Retry-After.
"""

from __future__ import annotations

import multiprocessing
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
BURSTS = 2
RATE = 200.0  # timed FastAPI requests a second
THREADS, SHORT_QUEUE = 16, 100
# A FastAPI request that had to wait for even one slow Flask request would take its 100 ms.
LIMIT_MS = SLOW_SECONDS * 1e3 / 2


def main() -> bool:
    """Print the table; True when nothing was lost and no FastAPI request waited for a slow one."""
    with tempfile.TemporaryDirectory() as folder:
        short = Path(folder) / "routes.yaml"
        short.write_text(_with_queue(ROUTES.read_text(), THREADS, SHORT_QUEUE))
        with gateway(ROUTES) as server:
            quiet = pace(server.address, get("/books/7", BOOK), rate=RATE, seconds=2.0)
            all_served, beside_served = _under_slow_load(server.address)
        with gateway(short) as server:
            some_refused, beside_refused = _under_slow_load(server.address)
    sent = CONCURRENT * BURSTS
    fits = (THREADS + SHORT_QUEUE) * BURSTS
    table(
        f"FastAPI at {RATE:g} requests/s beside {BURSTS} x {CONCURRENT} Flask requests of {SLOW_SECONDS * 1e3:g} ms",
        ["", "Flask 200", "Flask 503", "burst s", "FastAPI p50 ms", "p99 ms", "max ms"],
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
        goal("FastAPI p99 in ms, default queue", _p99(beside_served), LIMIT_MS, ".1f"),
        goal("FastAPI p99 in ms, short queue", _p99(beside_refused), LIMIT_MS, ".1f"),
    ]
    return all(met)


def _under_slow_load(address: Address) -> tuple[Tally, Tally]:
    """The Flask requests of all bursts together, and the FastAPI requests timed meanwhile."""
    slow, timed = Tally(), Tally()
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        pool.submit(int).result()  # the process has started before the clock runs
        for _ in range(BURSTS):
            burst = pool.submit(_burst, address)
            while not burst.done():
                _merge(timed, pace(address, get("/books/7", BOOK), rate=RATE, seconds=0.25))
            _merge(slow, burst.result())
    return slow, timed


def _burst(address: Address) -> Tally:
    path = b"GET /legacy/slow HTTP/1.1\r\nHost: bench.example\r\n\r\n"
    return drive(address, [Request(path, _served_or_refused)], connections=CONCURRENT, count=CONCURRENT)


def _served_or_refused(answer: Answer) -> str | None:
    if answer.status == 200 and answer.body == SLOW:
        return None
    if answer.status == 503 and (answer.header("retry-after") or "").isdigit():
        return None
    return f"neither served nor properly refused: {answer.head!r} {answer.body[:80]!r}"


def _merge(into: Tally, tally: Tally) -> None:
    into.latencies.extend(tally.latencies)
    into.seconds += tally.seconds
    for status, count in tally.statuses.items():
        into.statuses[status] = into.statuses.get(status, 0) + count


def _with_queue(text: str, threads: int, queue: int) -> str:
    app = 'legacy: {app: "benchmarks.apps.books_flask:create_app()"'
    changed = text.replace(app, f"{app}, threads: {threads}, queue: {queue}")
    if changed == text:
        raise ValueError("routes.yaml has no legacy backend to change")
    return changed


def _p99(tally: Tally) -> float:
    return percentile(sorted(tally.latencies), 99) * 1e3


def _row(name: str, slow: Tally, timed: Tally) -> list[str]:
    times = sorted(timed.latencies)
    return [
        name,
        f"{slow.statuses.get(200, 0):,}",
        f"{slow.statuses.get(503, 0):,}",
        f"{slow.seconds / BURSTS:.1f}" if slow.seconds else "",
        f"{percentile(times, 50) * 1e3:.2f}",
        f"{percentile(times, 99) * 1e3:.2f}",
        f"{times[-1] * 1e3:.2f}",
    ]
