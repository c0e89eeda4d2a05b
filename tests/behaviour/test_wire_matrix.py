"""Every row of the table of what proxies get wrong, on the wire, against `gateway run` before a scripted app.

`python -m benchmarks wire_matrix` puts the same bytes to nginx, HAProxy, Envoy and Caddy, where they are installed.
`pytest -s` shows the table.
"""

from __future__ import annotations

from benchmarks.peers.gateway import GATEWAY
from benchmarks.report import table
from benchmarks.wire import requests, responses
from benchmarks.wire_matrix import probe_all


def test_every_row_is_clean() -> None:
    probes = [*requests.PROBES, *responses.PROBES]
    found = probe_all(GATEWAY, probes)
    table("On the wire", ["", "RFC", "gateway run"], [[p.row, p.rule, str(found[p.name])] for p in probes])
    assert len(found) == len(probes) > 40
    assert {name: str(verdict) for name, verdict in found.items() if not verdict.clean} == {}
