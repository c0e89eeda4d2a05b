"""The new backend is killed and comes back, again and again, while it is used."""

from __future__ import annotations

import time
from pathlib import Path

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
    with (
        reserved_port() as legacy_port,
        reserved_port() as new_port,
        Server("legacy", ledger, legacy_port, *GUNICORN),
        Server("new", ledger, new_port, *UVICORN) as new,
    ):
        routes = tmp_path / "routes.yaml"
        routes.write_text(ROUTES.format(legacy=legacy_port, new=new_port, to="{legacy: 50, new: 50}"))
        with GatewayProcess(routes, workers=2) as gateway:
            with Traffic(gateway.url) as traffic:
                kill_and_restart(new, traffic, long(3, 30))
            row = tell("backend killed (-9) and restarted, no fallback", traffic, ledger=ledger)
            assert "Traceback" not in gateway.log()
    assert traffic.apps()["legacy"] > 50
    assert row.right > row.broken > 0
    assert all("502" in reason or "ended" in reason for reason in traffic.reasons(Verdict.BROKEN))
