"""Envoy, with one worker thread."""

from __future__ import annotations

from contextlib import AbstractContextManager

from benchmarks.load import Address
from benchmarks.peers.peer import CONNECTIONS, Peer, find, with_file
from benchmarks.server import Server

_MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = "envoy.extensions.filters.http.router.v3.Router"

# It makes X-Request-Id by itself, and with use_remote_address it rebuilds X-Forwarded-For and -Proto.
_CONFIG = """
static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {listen}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/{manager}
          stat_prefix: front
          use_remote_address: true
          route_config:
            virtual_hosts:
            - name: app
              domains: ["*"]
              routes:
              - match: {{prefix: "/"}}
                route: {{cluster: app, timeout: 0s}}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/{router}}}
  clusters:
  - name: app
    type: STATIC
    connect_timeout: 5s
    circuit_breakers:
      thresholds:
      - {{max_connections: {connections}, max_pending_requests: {connections}, max_requests: {connections}}}
    load_assignment:
      cluster_name: app
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{socket_address: {{address: {host}, port_value: {port}}}}}}}
"""


def proxy(upstream: Address) -> AbstractContextManager[Server]:
    host, port = upstream
    flags = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
    return with_file(
        "Envoy",
        "envoy.yaml",
        lambda listen, _: _CONFIG.format(
            listen=listen, host=host, port=port, manager=_MANAGER, router=_ROUTER, connections=CONNECTIONS
        ),
        lambda path: [find("envoy") or "envoy", *flags, "--config-path", str(path)],
    )


ENVOY = Peer("Envoy", proxy, program="envoy")
