"""From the save of routes.yaml to the last of two workers applying it, seen by their clients.

Nothing inside the gateway is asked: a route changes between two apps that answer with their names, and one
connection to each worker is asked every millisecond. Which worker a connection ended at is read from /proc. So the
figure also holds the request that shows the change, and is at most a poll and a request too long, never too short.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.cpu import tree
from benchmarks.load import Answer, Client, Request, WrongAnswerError
from benchmarks.report import goal, percentile, table
from benchmarks.server import Server, gateway

WORKERS = 2
SAVES = 200
POLL_SECONDS = 0.001
GIVE_UP_SECONDS = 5.0
LIMIT_MS = 100.0


def main() -> bool:
    """Print the table; True when the goal is met."""
    with tempfile.TemporaryDirectory() as folder:
        routes = Path(folder) / "routes.yaml"
        routes.write_text(routes_text("blue", 0))
        with gateway(routes, workers=WORKERS) as server, _one_client_per_worker(server) as clients:
            by_kind = _saves(routes, clients)
    times = sorted(seconds for taken in by_kind.values() for seconds in taken)
    table(
        f"Reload, {WORKERS} workers under traffic: ms from the save to the last worker's first new answer",
        ["", "saves", "p50", "p90", "p99", "max"],
        [_row(kind, taken) for kind, taken in [*by_kind.items(), ("all", times)]],
    )
    return goal("p99 in ms", percentile(times, 99) * 1e3, LIMIT_MS, ".1f")


def _saves(routes: Path, clients: list[Client]) -> dict[str, list[float]]:
    """Seconds that each save took to be applied everywhere, by the way of saving."""
    chance = random.Random(7)  # the moments of the saves must not fall in step with a poll of the watcher
    saves: dict[str, Callable[[Path, str], None]] = {"atomic rename": _rename_over, "plain write": _write_in_place}
    taken: dict[str, list[float]] = {kind: [] for kind in saves}
    for number in range(1, SAVES + 1):
        old, new = ("blue", "green") if number % 2 else ("green", "blue")
        kind = list(saves)[number // 2 % 2]
        quiet_until = time.perf_counter() + chance.uniform(0.02, 0.12)
        while time.perf_counter() < quiet_until:
            for client in clients:
                if _ask(client) != old:
                    raise WrongAnswerError(f"save {number}: a worker left {old!r} although nothing was saved")
            time.sleep(POLL_SECONDS)
        saved = time.perf_counter()
        saves[kind](routes, routes_text(new, number))
        taken[kind].append(_until_all_say(new, clients, number) - saved)
    return taken


def _until_all_say(new: str, clients: list[Client], number: int) -> float:
    """The moment when the last worker first answered as the new version says."""
    waiting = list(clients)
    last = time.perf_counter()
    deadline = last + GIVE_UP_SECONDS
    while waiting:
        for client in list(waiting):
            if _ask(client) == new:
                last = time.perf_counter()
                waiting.remove(client)
        if time.perf_counter() > deadline:
            raise WrongAnswerError(f"save {number} was not applied by {len(waiting)} workers in {GIVE_UP_SECONDS:g} s")
        if waiting:
            time.sleep(POLL_SECONDS)
    return last


def _ask(client: Client) -> str:
    return client.ask(_WHICH).body.decode()


def _named(answer: Answer) -> str | None:
    return None if answer.status == 200 and answer.body in {b"blue", b"green"} else f"got {answer.head!r}"


_WHICH = Request(b"GET /which HTTP/1.1\r\nHost: bench.example\r\n\r\n", _named)


@contextmanager
def _one_client_per_worker(server: Server) -> Iterator[list[Client]]:
    """Connect until every worker holds a connection. Raises WrongAnswerError when 200 connections do not reach all."""
    with ExitStack() as stack:
        by_worker: dict[int, Client] = {}
        for _ in range(200):
            client = stack.enter_context(Client(server.address))
            client.ask(_WHICH)  # it is accepted once it answers
            by_worker.setdefault(_holder(client.local_port, server), client)
            if len(by_worker) == WORKERS:
                yield list(by_worker.values())
                return
        raise WrongAnswerError(f"200 connections reached only {len(by_worker)} of {WORKERS} workers")


def _holder(client_port: int, server: Server) -> int:
    """The process id, in the server's tree, of the other end of a connection from ``client_port``."""
    remote = f"0100007F:{client_port:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[2] == remote and int(fields[1].split(":")[1], 16) == server.address[1]:
            inode = f"socket:[{fields[9]}]"
            for pid in tree(server.pid):
                if inode in _open_files(pid):
                    return pid
    raise WrongAnswerError(f"no process of {server.name} holds the connection from port {client_port}")


def _open_files(pid: int) -> set[str]:
    found = set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.add(os.readlink(f"/proc/{pid}/fd/{name}"))
        except FileNotFoundError:  # closed between the listing and now
            continue
    return found


def routes_text(backend: str, number: int) -> str:
    """Twenty routes, of which one decides what /which answers."""
    others = "".join(f'  - {{path: "/r{i}/{{id}}", to: blue}}\n' for i in range(19))
    return (
        f"# save {number}\nversion: 1\n"
        'backends:\n  blue: {app: "benchmarks.apps.which:blue"}\n  green: {app: "benchmarks.apps.which:green"}\n'
        f"default: blue\nroutes:\n  - {{path: /which, to: {backend}}}\n{others}"
    )


def _rename_over(routes: Path, text: str) -> None:
    """As most editors save: a new file beside it, renamed over it."""
    fresh = routes.with_suffix(".new")
    fresh.write_text(text)
    os.replace(fresh, routes)


def _write_in_place(routes: Path, text: str) -> None:
    """As `echo > file` saves: emptied first, then filled."""
    routes.write_text(text)


def _row(kind: str, taken: list[float]) -> list[str]:
    times = sorted(taken)
    figures = [percentile(times, 50), percentile(times, 90), percentile(times, 99), times[-1]]
    return [kind, str(len(times)), *(f"{seconds * 1e3:.1f}" for seconds in figures)]
