"""Caddy, with one processor: what is one worker to others."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from benchmarks.load import Address
from benchmarks.peers.peer import Peer, find, with_file
from benchmarks.server import Server

# It sets X-Forwarded-For, -Host and -Proto by itself.
_CONFIG = """
{{
    admin off
    auto_https off
    grace_period 1s
}}
:{listen} {{
    bind 127.0.0.1
    reverse_proxy {host}:{port} {{
        transport http {{
            keepalive_idle_conns 1024
            keepalive_idle_conns_per_host 1024
        }}
    }}
}}
"""


def proxy(upstream: Address) -> AbstractContextManager[Server]:
    host, port = upstream
    return with_file(
        "Caddy", "Caddyfile", lambda listen, _: _CONFIG.format(listen=listen, host=host, port=port), _command
    )


def _command(path: Path) -> list[str]:
    own = [f"{name}={path.parent}" for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")]
    program = find("caddy") or "caddy"
    return ["/usr/bin/env", "GOMAXPROCS=1", *own, program, "run", "--adapter", "caddyfile", "--config", str(path)]


CADDY = Peer("Caddy", proxy, program="caddy", version_flag="version")
