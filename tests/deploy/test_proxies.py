"""The configurations of nginx and HAProxy in docs/deploy.md, before a running gateway."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from tests.behaviour.process import GatewayProcess, eventually

DOCS = Path(__file__).resolve().parents[2] / "docs" / "deploy.md"
SEARCH = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"])
NGINX, HAPROXY = shutil.which("nginx", path=SEARCH), shutil.which("haproxy", path=SEARCH)

APP = """
import json

async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "hello"})
        await receive()
        return
    body = json.dumps({"scheme": scope["scheme"], "client": scope["client"][0],
                       "host": dict(scope["headers"])[b"host"].decode()}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
"""
ROUTES = """\
version: 1
backends: {only: {app: "behind:app"}}
default: only
trusted_proxies: ["127.0.0.1"]
routes: []
"""


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("behind")
    (folder / "behind.py").write_text(APP)
    (folder / "routes.yaml").write_text(ROUTES)
    with GatewayProcess(folder / "routes.yaml") as gateway:
        yield gateway


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)


def answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


def check(url: str, scheme: str) -> None:
    eventually(lambda: answers(url), timeout=10, step=0.05)
    transport = httpx.HTTPTransport(local_address="127.0.0.7")
    lies = {"Host": "shop.example", "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Host": "evil.example"}
    with httpx.Client(transport=transport, headers=lies) as client:
        assert client.get(url).json() == {"scheme": scheme, "client": "127.0.0.7", "host": "shop.example"}
    with connect(url.replace("http", "ws")) as websocket:
        assert websocket.recv() == "hello"


@pytest.mark.skipif(NGINX is None, reason="nginx is missing")
def test_nginx(gateway: GatewayProcess, tmp_path: Path) -> None:
    assert NGINX is not None
    port = free()
    site = block("nginx").replace("listen 443 ssl http2;", f"listen 127.0.0.1:{port};")
    site = site.replace("127.0.0.1:8000", gateway.url.removeprefix("http://"))
    places = "\n".join(
        f"{name}_temp_path {tmp_path}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = tmp_path / "nginx.conf"
    file.write_text(
        f"daemon off; master_process off; pid {tmp_path}/pid; error_log {tmp_path}/log;\n"
        f"events {{}}\nhttp {{ access_log off; {places}\n{site} }}\n"
    )
    with running(NGINX, "-p", str(tmp_path), "-c", str(file)):
        check(f"http://127.0.0.1:{port}/", "http")


@pytest.mark.skipif(HAPROXY is None, reason="haproxy is missing")
def test_haproxy(gateway: GatewayProcess, tmp_path: Path) -> None:
    assert HAPROXY is not None
    port, address, admin = free(), gateway.url.removeprefix("http://"), gateway.admin.rpartition(":")[2]
    site = block("haproxy").replace(":443 ssl crt /etc/haproxy/shop.pem alpn h2,http/1.1", f"127.0.0.1:{port}")
    # Without tokens the admin listener answers to this machine's names only.
    site = (
        site.replace("10.0.0.11:8000", address)
        .replace("port 8001", f"port {admin}")
        .replace("Host gateway", "Host localhost")
    )
    site = "\n".join(line for line in site.splitlines() if "10.0.0.12" not in line)
    file = tmp_path / "haproxy.cfg"
    file.write_text(f"defaults\n    mode http\n    timeout connect 5s\n    timeout client 60s\n{site}\n")
    with running(HAPROXY, "-db", "-f", str(file)):
        check(f"http://127.0.0.1:{port}/", "https")
