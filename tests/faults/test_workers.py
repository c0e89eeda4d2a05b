"""What becomes of requests when processes of the gateway's own end: killed, drained, replaced."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.behaviour.process import GatewayProcess, alive, eventually
from tests.faults.answer import Verdict
from tests.faults.conftest import Tell
from tests.faults.ledger import Ledger
from tests.faults.length import long
from tests.faults.servers import UVICORN, Server, reserved_port
from tests.faults.traffic import Traffic

# A remote app and an embedded one: what the worker has in hand is not the same.
ROUTES = """\
version: 1
backends:
  legacy: {{app: "tests.faults.flask_app:app"}}
  new: {{url: "http://127.0.0.1:{new}"}}
default: legacy
routes:
  - path: /orders/{{id}}
    to: {{legacy: 50, new: 50}}
"""


@contextmanager
def gateway_with_two_workers(folder: Path, ledger: Ledger) -> Iterator[GatewayProcess]:
    with reserved_port() as port, Server("new", ledger, port, *UVICORN):
        routes = folder / "routes.yaml"
        routes.write_text(ROUTES.format(new=port))
        with GatewayProcess(routes, workers=2, env={"FAULTS_BOOK": str(ledger.book("legacy"))}) as gateway:
            yield gateway


def more_right(traffic: Traffic, number: int = 100) -> None:
    wanted = traffic.right() + number
    eventually(lambda: traffic.right() > wanted, timeout=long(15, 120))


@pytest.mark.parametrize("depth", [1, 4], ids=["one at a time", "pipelined"])
def test_workers_killed_under_load(tmp_path: Path, ledger: Ledger, tell: Tell, depth: int) -> None:
    with gateway_with_two_workers(tmp_path, ledger) as gateway:
        with Traffic(gateway.url, depth=depth) as traffic:
            for turn in range(long(2, 10)):
                more_right(traffic)
                victim = gateway.worker_pids()[turn % 2]
                os.kill(victim, signal.SIGKILL)
                eventually(lambda victim=victim: len({*gateway.worker_pids()} - {victim}) == 2, timeout=20)  # type: ignore[misc]
            more_right(traffic)
        row = tell(f"worker killed (-9), {'pipelined' if depth > 1 else 'one at a time'}", traffic, ledger=ledger)
    # What the dead workers had in hand: a few on each connection, once for each death.
    assert row.broken <= 6 * depth * long(2, 10)
    assert all("ended" in reason for reason in traffic.reasons(Verdict.BROKEN))


def test_sigterm_under_load(tmp_path: Path, ledger: Ledger, tell: Tell) -> None:
    """What was taken is answered, and nobody is left with half of it."""
    with gateway_with_two_workers(tmp_path, ledger) as gateway:
        with Traffic(gateway.url, connections=12) as traffic:
            more_right(traffic, long(300, 3000))
            gateway.signal(signal.SIGTERM)
            assert gateway.wait() == 0
            eventually(lambda: traffic.refused > 10)
        row = tell("SIGTERM", traffic, ledger=ledger)
        assert "Traceback" not in gateway.log()
    assert row.broken == 0, traffic.reasons()


def test_rolling_restarts_under_load(tmp_path: Path, ledger: Ledger, tell: Tell) -> None:
    with gateway_with_two_workers(tmp_path, ledger) as gateway:
        before = gateway.worker_pids()
        with Traffic(gateway.url, connections=12) as traffic:
            for turn in range(long(2, 6)):
                more_right(traffic)
                gateway.signal(signal.SIGUSR2)
                done = turn + 1
                eventually(
                    lambda done=done: gateway.log().count("every worker has been replaced") == done,  # type: ignore[misc]
                    timeout=30,
                )
            more_right(traffic)
        row = tell("rolling restart (SIGUSR2)", traffic, ledger=ledger)
        assert not {*before} & {*gateway.worker_pids()}
        assert not any(alive(pid) for pid in before)
    assert row.broken == 0, traffic.reasons()
    assert traffic.refused == 0
