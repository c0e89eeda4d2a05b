"""The new backend is killed and comes back, again and again, while it is used."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.behaviour.process import GatewayProcess, eventually
from tests.faults.answer import Verdict
from tests.faults.conftest import Tell
from tests.faults.ledger import Ledger
from tests.faults.length import long
from tests.faults.servers import GUNICORN, UVICORN, Server, reserved_port
from tests.faults.traffic import Traffic

ROUTES = """\
version: 1
backends:
  legacy: {{url: "http://127.0.0.1:{legacy}"}}
  new: {{url: "http://127.0.0.1:{new}"}}
default: legacy
routes:
  - path: /orders/{{id}}
    to: {to}
"""

# The longest body of this traffic is longer than what is kept without being asked to.
FALLBACK = """\
    fallback: {{to: legacy, body: 262144}}
    breaker: {breaker}
"""


@contextmanager
def town(folder: Path, ledger: Ledger, to: str, more: str = "") -> Iterator[tuple[GatewayProcess, Server]]:
    """Both backends and a gateway with two workers."""
    with (
        reserved_port() as legacy_port,
        reserved_port() as new_port,
        Server("legacy", ledger, legacy_port, *GUNICORN),
        Server("new", ledger, new_port, *UVICORN) as new,
    ):
        routes = folder / "routes.yaml"
        routes.write_text(ROUTES.format(legacy=legacy_port, new=new_port, to=to) + more)
        with GatewayProcess(routes, workers=2) as gateway:
            yield gateway, new


def kill_and_restart(server: Server, traffic: Traffic, times: int) -> None:
    """Leave it dead for a moment each time, and working for another."""
    for turn in range(times):
        right = len(traffic.judged)
        eventually(lambda right=right: len(traffic.judged) > right + 50, timeout=10)  # type: ignore[misc]
        server.kill()
        time.sleep(0.05 + 0.1 * (turn % 3))
        server.start()
        eventually(server.answers, timeout=20)
        answered = traffic.apps()["new"]
        eventually(lambda answered=answered: traffic.apps()["new"] > answered, timeout=10)  # type: ignore[misc]


def test_without_a_fallback_its_requests_fail_visibly(tmp_path: Path, ledger: Ledger, tell: Tell) -> None:
    with town(tmp_path, ledger, "{legacy: 50, new: 50}") as (gateway, new):
        with Traffic(gateway.url) as traffic:
            kill_and_restart(new, traffic, long(3, 12))
        row = tell("backend killed (-9) and restarted, no fallback", traffic, ledger=ledger)
        assert "Traceback" not in gateway.log()
    assert traffic.apps()["legacy"] > 50
    assert row.right > row.broken > 0
    assert all("502" in reason or "ended" in reason for reason in traffic.reasons(Verdict.BROKEN))


@pytest.mark.parametrize("breaker", ["off", "{open: 0.3, ramp: 0.3}"], ids=["no breaker", "breaker"])
def test_with_a_fallback_no_safe_request_fails(tmp_path: Path, ledger: Ledger, tell: Tell, breaker: str) -> None:
    """Nor one that is idempotent. A POST that the dead backend may have done fails visibly: nobody does it again."""
    with town(tmp_path, ledger, "new", FALLBACK.format(breaker=breaker)) as (gateway, new):
        # Answers in one piece: what breaks off after its first byte, nobody can take back.
        with Traffic(gateway.url, sizes=(0, 10, 100, 500), chunks=0) as traffic:
            kill_and_restart(new, traffic, long(4, 20))
        what = "fallback" if breaker == "off" else "fallback and breaker"
        tell(f"backend killed (-9) and restarted, {what}", traffic, ledger=ledger)
        assert "Traceback" not in gateway.log()
    assert traffic.apps()["legacy"] > 20
    broken = traffic.of(Verdict.BROKEN)
    begun = [name for name in broken if traffic.judged[name].begun]
    assert {traffic.asked[name].method for name in broken if name not in begun} <= {"POST"}, traffic.reasons()
    # uvicorn writes a head and its content one after the other: who is killed in between has begun to answer.
    assert len(begun) <= new.kills // 2, traffic.reasons()
    # A few were in the hands of each that was killed.
    assert len(broken) <= 6 * new.kills, traffic.reasons()
