"""nginx: as a proxy, and as an app that answers at once."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path

from benchmarks.load import Address
from benchmarks.peers.peer import CONNECTIONS, Peer, find, with_file
from benchmarks.server import Server

# Bodies are streamed, not collected in files: that is its fastest, and what the gateway does.
_PROXY = """
    upstream app {{ server {host}:{port}; keepalive 1024; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{listen} backlog=4096;
        location / {{
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_request_buffering off;
            proxy_max_temp_file_size 0;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Host $host;
            proxy_set_header X-Forwarded-Port $server_port;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Request-Id $request_id;
        }}
    }}
"""

_APP = """
    server {{
        listen 127.0.0.1:{listen} backlog=4096;
        default_type application/json;
        location / {{ return 200 '{body}'; }}
    }}
"""


def proxy(upstream: Address) -> AbstractContextManager[Server]:
    host, port = upstream
    return with_file(
        "nginx",
        "nginx.conf",
        lambda listen, folder: _whole(_PROXY.format(listen=listen, host=host, port=port), folder),
        _command,
    )


def app(body: bytes) -> AbstractContextManager[Server]:
    """An app that answers every request with ``body``, which has no apostrophe in it, at the least cost there is."""
    return with_file(
        "nginx as the app",
        "nginx.conf",
        lambda listen, folder: _whole(_APP.format(listen=listen, body=body.decode()), folder),
        _command,
    )


def _whole(servers: str, folder: Path) -> str:
    # Its workers would be `nobody`, who cannot look into our folder.
    user = "user root;" if os.geteuid() == 0 else ""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "\n".join(f"    {kind}_temp_path {folder}/{kind};" for kind in kinds)
    return f"""{user}
daemon off;
worker_processes 1;
worker_rlimit_nofile {CONNECTIONS};
pid {folder}/pid;
error_log stderr warn;
events {{ worker_connections {CONNECTIONS}; }}
http {{
    access_log off;
    client_max_body_size 0;
    keepalive_requests 1000000000;
{places}
{servers}
}}
"""


def _command(path: Path) -> list[str]:
    return [find("nginx") or "nginx", "-c", str(path), "-p", str(path.parent)]


NGINX = Peer("nginx", proxy, program="nginx", version_flag="-v")
