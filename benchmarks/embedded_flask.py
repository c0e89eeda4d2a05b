"""What one small Flask JSON view costs behind the gateway's own WSGI bridge, against gunicorn.

gunicorn is given its best: the thread count that costs it the least is found first. The sync worker, which closes
the connection after every answer, is there for comparison.
"""

from __future__ import annotations

import statistics

from benchmarks.apps.books_flask import BOOK
from benchmarks.cpu import tree_seconds
from benchmarks.embedded_fastapi import CONNECTIONS, ROUTES
from benchmarks.load import drive, get
from benchmarks.paired import COLUMNS, Subject, measure
from benchmarks.report import goal, table
from benchmarks.server import gateway, gunicorn, server_cpus

APP = "benchmarks.apps.books_flask:app"
THREADS = (4, 8, 16, 32)
ROUNDS = 20
SECONDS = 0.5
LIMIT = 0.65


def main() -> bool:
    """Print the table; True when the goal is met."""
    requests = [get("/legacy/books/7", BOOK)]
    threads = min(THREADS, key=_gthread_cost)
    cpus = server_cpus()
    with (
        gunicorn(APP, worker="gthread", threads=threads, cpus=cpus) as gthread,
        gunicorn(APP, worker="sync", cpus=cpus) as sync,
        gateway(ROUTES, cpus=cpus) as front,
    ):
        base = Subject(f"gunicorn gthread, {threads} threads", gthread, requests)
        embedded = Subject("gateway run, embedded", front, requests)
        subjects = [base, Subject("gunicorn sync, no keep-alive", sync, requests), embedded]
        measure(subjects, connections=CONNECTIONS, rounds=ROUNDS, seconds=SECONDS)
    table(
        f"Embedded Flask, 20 routes, 1 worker, {CONNECTIONS} connections, {ROUNDS} paired rounds of {SECONDS:g} s",
        COLUMNS,
        [subject.row(base) for subject in subjects],
    )
    ratio = statistics.median(embedded.ratios_to(base))
    return goal("gateway run, against gunicorn's gthread worker at its best", ratio, LIMIT)


def _gthread_cost(threads: int) -> float:
    """CPU seconds a request on gunicorn with that many threads."""
    requests = [get("/legacy/books/7", BOOK)]
    with gunicorn(APP, worker="gthread", threads=threads, cpus=server_cpus()) as server:
        drive(server.address, requests, connections=CONNECTIONS, seconds=0.5)
        before = tree_seconds(server.pid)
        tally = drive(server.address, requests, connections=CONNECTIONS, seconds=1.5)
        return (tree_seconds(server.pid) - before) / tally.answers
