"""What each proxy makes of the requests and responses that proxies get wrong, and of those that attackers send.

No time is measured. Every row is a raw connection to the proxy, as it is set up in benchmarks/peers/, with an app
behind it that answers byte for byte what the row says.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from benchmarks.peers.caddy import CADDY
from benchmarks.peers.envoy import ENVOY
from benchmarks.peers.gateway import GATEWAY
from benchmarks.peers.haproxy import HAPROXY
from benchmarks.peers.nginx import NGINX
from benchmarks.peers.peer import Peer, present
from benchmarks.report import fact, table
from benchmarks.wire import requests, responses
from benchmarks.wire.app import ScriptedApp
from benchmarks.wire.probe import Probe, Verdict

PEERS = (NGINX, HAPROXY, ENVOY, CADDY, GATEWAY)
PARTS = {"Requests": requests.PROBES, "Responses": responses.PROBES}


def main() -> bool:
    """Print the tables; True when `gateway run` is clean on every row."""
    peers = present(PEERS)
    probes = [probe for part in PARTS.values() for probe in part]
    with ThreadPoolExecutor(len(peers)) as pool:
        found = dict(
            zip([peer.name for peer in peers], pool.map(lambda peer: probe_all(peer, probes), peers), strict=True)
        )
    titles = [peer.title() for peer in peers]
    for part, members in PARTS.items():
        rows = [[probe.row, probe.rule, *(str(found[peer.name][probe.name]) for peer in peers)] for probe in members]
        clean = [sum(found[peer.name][probe.name].clean for probe in members) for peer in peers]
        total = ["clean rows", "", *(f"{count} of {len(members)}" for count in clean)]
        table(f"{part}: what each proxy makes of them", ["", "RFC", *titles], [*rows, total])
    ours = found[GATEWAY.name].values()
    return fact("`gateway run` is clean on every row", all(verdict.clean for verdict in ours))


def probe_all(peer: Peer, probes: list[Probe]) -> dict[str, Verdict]:
    """The verdicts by the names of the probes."""
    answers = {probe.name: probe.answer for probe in probes}
    closing = frozenset(probe.name for probe in probes if probe.closing)
    with ScriptedApp(answers, closing) as app, peer.serve(app.address) as server:
        return {probe.name: probe.run(server.address, app) for probe in probes}
