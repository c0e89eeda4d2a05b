"""The machine's clock is set while requests run: forward by years, back to the beginning."""

from __future__ import annotations

import os
from pathlib import Path

from tests.behaviour.probe import replace, settled_on
from tests.behaviour.process import ROOT, GatewayProcess, eventually
from tests.faults.conftest import Tell
from tests.faults.ledger import Ledger
from tests.faults.length import long
from tests.faults.servers import UVICORN, Server, reserved_port
from tests.faults.test_workers import ROUTES, more_right
from tests.faults.traffic import Traffic

# Read by Python at its start, before anybody can have taken hold of time.time. The file holds seconds to add.
SHIFTED = """
import os, time

_offset = os.open({offset!r}, os.O_RDONLY)
_true = time.time_ns

def _time_ns():
    return _true() + int(os.pread(_offset, 32, 0)) * 1_000_000_000

time.time_ns = _time_ns
time.time = lambda: _time_ns() / 1e9
"""

DAY = 86_400
JUMPS = (DAY, -DAY, 10 * 365 * DAY, -40 * 365 * DAY, 3, -3, 0)


def test_the_clock_jumps(tmp_path: Path, ledger: Ledger, tell: Tell) -> None:
    offset = tmp_path / "offset"
    # Always as long, so that nobody reads half of it.
    offset.write_text(f"{0:+020d}")
    (tmp_path / "sitecustomize.py").write_text(SHIFTED.format(offset=str(offset)))
    env = {"FAULTS_BOOK": str(ledger.book("legacy")), "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    with reserved_port() as port, Server("new", ledger, port, *UVICORN):
        routes = tmp_path / "routes.yaml"
        text = ROUTES.format(new=port)
        routes.write_text(text)
        with GatewayProcess(routes, workers=2, env=env) as gateway:
            pids = gateway.worker_pids()
            with Traffic(gateway.url) as traffic:
                for turn, jump in enumerate(JUMPS * long(1, 4)):
                    with offset.open("r+") as file:
                        file.write(f"{jump:+020d}")
                    more_right(traffic, 30)
                    text += f"# {turn}\n"
                    replace(routes, text)
                    # As a file that was unpacked from an archive: older than what it replaces.
                    os.utime(routes, (turn, turn))
                    eventually(lambda text=text: settled_on(gateway, text))  # type: ignore[misc]
                    assert gateway.ask("/api/v1/status").status_code == 200
                    assert gateway.ask("/api/v1/series").status_code == 200
            row = tell("clock jumps", traffic, ledger=ledger)
            assert gateway.worker_pids() == pids
            entries = gateway.ask("/api/v1/history").json()["versions"]
            assert "Traceback" not in gateway.log()
    # The clock was shifted indeed.
    times = [entry["at"] for entry in entries]
    assert max(times) - min(times) > 40 * 365 * DAY
    assert row.broken == 0, traffic.reasons()
