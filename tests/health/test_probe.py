"""One check, as the app sees it and as the checker does."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from gateway.health.probe import Probe, ProbeError
from tests.upstream.scripted import Peer, always, answering, app


def says(status: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()


async def ask(url: str, path: str = "/healthz", timeout: float = 0.5, tls: ssl.SSLContext | None = None) -> str:
    async with Probe(url, path, timeout, tls, None) as probe:
        return await probe.ask()


@pytest.mark.parametrize("status", ["200 OK", "204 No Content", "302 Found", "399 Odd"])
async def test_well_is_any_status_from_200_to_399(status: str) -> None:
    async with app(answering(says(status))) as served:
        assert await ask(served.url) == ""


@pytest.mark.parametrize("status", ["400 Bad Request", "404 Not Found", "500 Internal Server Error", "503 Busy"])
async def test_any_other_is_not(status: str) -> None:
    async with app(answering(says(status))) as served:
        assert await ask(served.url) == f"status {status[:3]}"


async def test_what_the_app_is_asked() -> None:
    async with app(answering(says("200 OK"))) as served:
        assert await ask(served.url, "/healthz?deep=1") == ""
        head = served.peers[0].heard.decode()
    assert head.startswith("GET /healthz?deep=1 HTTP/1.1\r\n")
    assert f"host: 127.0.0.1:{served.port}\r\n" in head.lower()
    assert "user-agent: strangler-gateway/" in head.lower()


async def test_each_check_has_a_connection_of_its_own() -> None:
    async with app(always(says("200 OK"))) as served, Probe(served.url, "/", 1, None, None) as probe:
        assert [await probe.ask() for _ in range(3)] == ["", "", ""]
        assert len(served.peers) == 3


async def test_only_the_head_of_the_answer_is_waited_for() -> None:
    async def streams(peer: Peer) -> None:
        await peer.head()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        await peer.rest()

    async with app(streams) as served:
        assert await ask(served.url) == ""


async def test_an_app_that_hangs_or_dribbles_is_not_well() -> None:
    async def hangs(peer: Peer) -> None:
        await peer.rest()

    async def dribbles(peer: Peer) -> None:
        await peer.head()
        for byte in says("200 OK"):
            await peer.say(bytes([byte]))
            await asyncio.sleep(0.05)

    for script in (hangs, dribbles):
        async with app(script) as served:
            assert await ask(served.url, timeout=0.1) == "no answer within 0.1 s"


async def test_an_app_that_is_not_there_or_no_app_is_not_well(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert (await ask(f"http://127.0.0.1:{taken.getsockname()[1]}")).startswith("ConnectError: ")
    assert (await ask(f"unix:{tmp_path / 'gone.sock'}")).startswith("ConnectError: ")
    async with app(answering(b"I am no HTTP server\r\n\r\n")) as served:
        assert (await ask(served.url)).startswith("RemoteProtocolError: ")


async def test_over_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "app.sock")
    async with app(answering(says("200 OK")), path=path) as served:
        assert await ask(f"unix:{path}") == ""
        assert b"host: localhost\r\n" in served.peers[0].heard.lower()


async def test_over_tls_the_certificate_is_verified_as_for_the_traffic(tmp_path: Path) -> None:
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=shop"
    subprocess.run(
        [*command.split(), "-addext", "subjectAltName=DNS:shop.internal", "-keyout", "key", "-out", "cert"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(says("200 OK"))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    trusting = ssl.create_default_context(cafile=str(tmp_path / "cert"))
    async with server:
        async with Probe(url, "/", 1, trusting, "shop.internal") as probe:
            assert await probe.ask() == ""
        assert "CERTIFICATE_VERIFY_FAILED" in await ask(url, tls=trusting)
        assert "CERTIFICATE_VERIFY_FAILED" in await ask(url, tls=ssl.create_default_context())


async def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with app(answering(says("200 OK"))) as served:
        assert await ask(served.url) == ""


async def test_our_own_want_of_file_descriptors_is_not_the_apps_fault() -> None:
    async with app(answering(says("200 OK"))) as served:
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        in_use = max(map(int, os.listdir("/proc/self/fd")))
        resource.setrlimit(resource.RLIMIT_NOFILE, (in_use + 1, limits[1]))
        taken = []
        try:
            while True:
                try:
                    taken.append(os.dup(0))
                except OSError:
                    break
            with pytest.raises(ProbeError):
                await ask(served.url)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            for descriptor in taken:
                os.close(descriptor)
