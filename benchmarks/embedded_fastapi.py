"""What the gateway adds to an embedded FastAPI app, against the same app on plain uvicorn.

Metrics, the admin listener and the control process are on, and their cost is in the figures.
"""

from __future__ import annotations

import statistics

from benchmarks.apps.books_fastapi import BOOK
from benchmarks.load import Address, Answer, Request, drive, get
from benchmarks.paired import COLUMNS, Subject, measure
from benchmarks.report import goal, table
from benchmarks.server import ROOT, gateway, server_cpus, uvicorn

ROUTES = ROOT / "benchmarks" / "apps" / "routes.yaml"
CONNECTIONS = 32
ROUNDS = 26
SECONDS = 0.5
LIMIT = 1.10


def main() -> bool:
    """Print the table; True when the goals are met."""
    cpus = server_cpus()
    with uvicorn("benchmarks.apps.books_fastapi:app", cpus=cpus) as plain, gateway(ROUTES, cpus=cpus) as front:
        # Every client sends a cookie, also to plain uvicorn: requests of one size, and browsers do.
        cookies = sticky_cookies(front.address, "/catalogue/7", BOOK, CONNECTIONS)
        moved = [get("/books/7", BOOK, cookie=cookie) for cookie in cookies]
        split = [get("/catalogue/7", BOOK, cookie=cookie) for cookie in cookies]
        base = Subject("plain uvicorn", plain, moved)
        subjects = [
            base,
            Subject("gateway run, route moved to new", front, moved),
            Subject("gateway run, 50/50 sticky cookie", front, split),
        ]
        measure(subjects, connections=CONNECTIONS, rounds=ROUNDS, seconds=SECONDS)
    table(
        f"Embedded FastAPI, 20 routes, 1 worker, {CONNECTIONS} connections, {ROUNDS} paired rounds of {SECONDS:g} s",
        COLUMNS,
        [subject.row(base) for subject in subjects],
    )
    met = [
        goal(f"{subject.name}, against plain uvicorn", statistics.median(subject.ratios_to(base)), LIMIT)
        for subject in subjects[1:]
    ]
    return all(met)


def sticky_cookies(address: Address, path: str, body: bytes, count: int) -> list[str]:
    """``name=value`` of the cookies that ``count`` new clients are given on their first request."""
    cookies: list[str] = []

    def keep(answer: Answer) -> str | None:
        set_cookie = answer.header("set-cookie")
        if answer.status != 200 or set_cookie is None:
            return f"wanted 200 with a cookie, got {answer.head!r}"
        cookies.append(set_cookie.split(";", 1)[0])
        return None

    first = Request(get(path, body).payload, keep)
    drive(address, [first], connections=1, count=count)
    return cookies
