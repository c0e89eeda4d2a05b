"""What the access log costs: a small JSON answer of a remote app, with a line for each request and without.

Everything is in the CPU of the worker: noting a request, making its line, and writing it to a file.
"""

from __future__ import annotations

import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.apps.books_fastapi import BOOK
from benchmarks.embedded_fastapi import sticky_cookies
from benchmarks.load import get
from benchmarks.paired import COLUMNS, Subject, measure
from benchmarks.peers import nginx
from benchmarks.peers.apps import quick
from benchmarks.peers.gateway import routes_text
from benchmarks.peers.nginx import NGINX
from benchmarks.proxies import PATHS
from benchmarks.report import goal, table
from benchmarks.server import gateway, server_cpus

CONNECTIONS = 32
ROUNDS = 20
SECONDS = 0.5
# µs of CPU a request.
LIMIT = 6.0


def main() -> bool:
    """Print the table; True when the goals are met."""
    cpus = server_cpus()
    with ExitStack() as stack:
        upstream = stack.enter_context(nginx.app(BOOK) if NGINX.missing() is None else quick())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        routes = folder / "routes.yaml"
        routes.write_text(routes_text(upstream.address))
        flags = {
            "no access log": [],
            "text": ["--access-log", str(folder / "text.log")],
            "JSON": ["--access-log", str(folder / "json.log"), "--access-log-format", "json"],
        }
        servers = {name: stack.enter_context(gateway(routes, *more, cpus=cpus)) for name, more in flags.items()}
        cookies = sticky_cookies(servers["JSON"].address, PATHS[0], BOOK, CONNECTIONS)
        requests = [get(path, BOOK, cookie=cookies[turn % CONNECTIONS]) for turn, path in enumerate(PATHS)]
        subjects = [Subject(name, server, requests) for name, server in servers.items()]
        measure(subjects, connections=CONNECTIONS, rounds=ROUNDS, seconds=SECONDS)
        line = (folder / "json.log").read_bytes().partition(b"\n")[0]
    base, *logged = subjects
    table(
        f"The access log, lines of {len(line)} bytes in JSON, 1 worker, {CONNECTIONS} connections",
        COLUMNS,
        [subject.row(base) for subject in subjects],
    )
    met = [goal(f"{subject.name}, µs a request", _added(subject, base), LIMIT) for subject in logged]
    return all(met)


def _added(subject: Subject, base: Subject) -> float:
    """µs of CPU a request, the median over the rounds."""
    return statistics.median(mine - other for mine, other in zip(subject.cpu, base.cpu, strict=True)) * 1e6
