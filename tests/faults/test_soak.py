"""Everything at once for a while, again and again: what a worker holds when it is left alone stays the same."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.behaviour.probe import metric, replace
from tests.behaviour.process import GatewayProcess, eventually
from tests.faults.answer import Asked
from tests.faults.conftest import Tell
from tests.faults.hostile import Hostile
from tests.faults.ledger import Ledger
from tests.faults.length import long
from tests.faults.stamped import Wanted
from tests.faults.test_clients import Leaver
from tests.faults.traffic import Traffic
from tests.faults.upstream_faults import AFTER, ENDS, HANGS, NONSENSE

ROUTES = """\
version: 1
backends:
  legacy: {{app: "tests.faults.flask_app:app", threads: 2}}
  new: {{url: "{url}", timeouts: {{head: 0.3, idle: 0.3}}, keepalive: 0.5}}
  inside: {{app: "tests.faults.inside_app:app"}}
default: legacy
routes:
  - {{path: "/inside", to: inside}}
  - {{path: "/orders/{{id}}", to: {{legacy: 30, new: 70}}}}
"""

FAULTS = HANGS | ENDS | AFTER | NONSENSE
# In the short form clients take their time: two minutes of it are to cost no more than a few tests do.
ROUNDS = long(6, 12)
SECONDS = long(18, 45)
PAUSE = long(0.1, 0.01)

# What the allocator keeps in reserve is not the same each time.
SPARE_KIB = 6 * 1024
# Metrics of what was not seen before, for example. Thousands of requests lie between the two looks.
SPARE_OBJECTS = 1000


@dataclass(frozen=True, slots=True)
class Held:
    """By one worker. ``memory`` is resident, in KiB; ``objects`` are those that Python's collector knows."""

    memory: int
    files: int
    threads: int
    tasks: int
    objects: int


def held(gateway: GatewayProcess) -> Held:
    said = httpx.get(gateway.url + "/inside").json()
    process = Path(f"/proc/{said['pid']}")
    resident = next(line for line in (process / "status").read_text().splitlines() if line.startswith("VmRSS:"))
    files = len(list((process / "fd").iterdir()))
    return Held(int(resident.split()[1]), files, said["threads"], said["tasks"], said["objects"])


def rest(gateway: GatewayProcess) -> Held:
    """What is held once all is over: idle connections to the backend are closed after half a second."""
    eventually(lambda: metric(gateway, "gateway_requests_in_flight") == 0)
    time.sleep(1.5)
    return held(gateway)


def a_round(gateway: GatewayProcess, text: str, number: int, seconds: float, pause: float) -> list[Traffic]:
    """Clean and faulty traffic, pipelines, clients that vanish, and reloads; ``pause`` seconds between two requests."""
    faults = random.Random(number).sample(sorted(FAULTS), 3)
    until = time.monotonic() + seconds
    leavers = [Leaver(gateway, reset=True), Leaver(gateway, reset=False)]
    turn = 0
    with (
        Traffic(gateway.url, connections=3, pause=pause) as one,
        Traffic(gateway.url, connections=2, pause=pause, depth=4) as two,
        Traffic(gateway.url, connections=2, pause=pause, faults=faults[0:1]) as three,
        Traffic(gateway.url, connections=2, pause=pause, faults=faults[1:2]) as four,
        Traffic(gateway.url, connections=2, pause=pause, faults=faults[2:3]) as five,
    ):
        while time.monotonic() < until:
            turn += 1
            wanted = Wanted(f"left-{number}-{turn}", (0, 300_000)[turn % 2])
            leavers[turn % 2].leave(Asked("POST", wanted, b"." * (turn % 5 * 500)))
            if turn % 20 == 0:
                replace(gateway.routes, text + f"# {number} {turn}\n")
            time.sleep(2 * pause)
    return [one, two, three, four, five]


@pytest.mark.timeout(900)
def test_what_a_worker_holds_does_not_grow(tmp_path: Path, ledger: Ledger, tell: Tell) -> None:
    with Hostile(ledger, FAULTS) as upstream:
        routes = tmp_path / "routes.yaml"
        text = ROUTES.format(url=upstream.url)
        routes.write_text(text)
        with GatewayProcess(routes, workers=1, env={"FAULTS_BOOK": str(ledger.book("legacy"))}) as gateway:
            # The first rounds fill caches, pools and the allocator.
            traffic = a_round(gateway, text, 0, long(8, 45), 0.01)
            before = rest(gateway)
            for number in range(ROUNDS):
                traffic += a_round(gateway, text, number + 1, SECONDS, PAUSE)
            # A connection that has just been closed on one side may take a moment longer on a busy machine.
            rest(gateway)
            eventually(lambda: held(gateway).files <= before.files, timeout=10)
            after = held(gateway)
            tell("soak: all of it at once", *traffic, ledger=ledger)
    assert after.files <= before.files, (before, after)
    assert after.threads <= before.threads, (before, after)
    assert after.tasks <= before.tasks, (before, after)
    assert after.memory < before.memory + SPARE_KIB, (before, after)
    assert after.objects < before.objects + SPARE_OBJECTS, (before, after)
