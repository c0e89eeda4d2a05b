"""HAProxy, with one thread."""

from __future__ import annotations

from contextlib import AbstractContextManager

from benchmarks.load import Address
from benchmarks.peers.peer import CONNECTIONS, Peer, find, with_file
from benchmarks.server import Server

_CONFIG = """
global
    nbthread 1
    maxconn {connections}
defaults
    mode http
    maxconn {connections}
    timeout connect 5s
    timeout client 75s
    timeout server 75s
frontend front
    bind 127.0.0.1:{listen} backlog 4096
    option forwardfor
    # Without it, an event waits up to 200 ms for more to come.
    option http-no-delay
    unique-id-format %[uuid()]
    unique-id-header X-Request-Id
    http-request set-header X-Forwarded-Host %[req.hdr(host)]
    http-request set-header X-Forwarded-Port %[dst_port]
    http-request set-header X-Forwarded-Proto http
    default_backend app
backend app
    http-reuse always
    server app {host}:{port}
"""


def proxy(upstream: Address) -> AbstractContextManager[Server]:
    host, port = upstream
    return with_file(
        "HAProxy",
        "haproxy.cfg",
        lambda listen, _: _CONFIG.format(listen=listen, host=host, port=port, connections=CONNECTIONS // 2 - 64),
        lambda path: [find("haproxy") or "haproxy", "-db", "-q", "-f", str(path)],
    )


HAPROXY = Peer("HAProxy", proxy, program="haproxy", version_flag="-v")
