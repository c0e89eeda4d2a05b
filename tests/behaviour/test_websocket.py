"""WebSockets through a running gateway, to an app in its process and to one behind uvicorn: as if it were not there."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as websockets_connect

from tests.behaviour.probe import replace
from tests.behaviour.process import eventually
from tests.behaviour.socket_apps import ROUTES, Sockets, sockets

BOTH = pytest.mark.parametrize("backend", ["embedded", "remote"])
LONGEST = 16 * 1024 * 1024


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sockets]:
    with sockets(tmp_path_factory.mktemp("sockets")) as running:
        yield running


def to(backend: str) -> dict[str, str]:
    return {"X-Gateway-Backend": backend}


def connect(running: Sockets, path: str, backend: str = "embedded", **options: Any) -> ClientConnection:
    headers = {**to(backend), **options.pop("additional_headers", {})}
    return direct(running, path, additional_headers=headers, **options)


def direct(running: Sockets, path: str, **options: Any) -> ClientConnection:
    options = {"compression": None, "max_size": None, "proxy": None, **options}
    connection: ClientConnection = websockets_connect(running.url(path), **options)
    return connection


def end_of(websocket: ClientConnection) -> tuple[int, str]:
    """Code and reason of the close frame that comes next; 1006 for none, 1005 for an empty one."""
    with pytest.raises(ConnectionClosed) as closed:
        websocket.recv(timeout=5)
    received = closed.value.rcvd
    return (received.code, received.reason) if received is not None else (1006, "")


class Raw:
    """A client that does not keep the rules."""

    def __init__(self, running: Sockets, path: str, backend: str) -> None:
        host, port = running.host.split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=5)
        self.send(
            f"GET {path} HTTP/1.1\r\nHost: {running.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"X-Gateway-Backend: {backend}\r\n\r\n".encode()
        )
        assert self.until(b"\r\n\r\n").startswith(b"HTTP/1.1 101 ")

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send_frame(self, opcode: Opcode, data: bytes = b"", *, fin: bool = True) -> None:
        self.send(Frame(opcode, data, fin).serialize(mask=True))

    def until(self, end: bytes) -> bytes:
        got = b""
        while not got.endswith(end):
            part = self.socket.recv(1)
            assert part, got
            got += part
        return got

    def read_frame(self) -> tuple[Opcode, bytes]:
        """The next frame, which is short."""
        first, size = self.socket.recv(2, socket.MSG_WAITALL)
        assert size < 126
        return Opcode(first & 15), self.socket.recv(size, socket.MSG_WAITALL) if size else b""

    def read_close(self) -> int:
        opcode, data = self.read_frame()
        assert opcode is Opcode.CLOSE
        (code,) = struct.unpack("!H", data[:2])
        return int(code)

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


# The handshake.


@BOTH
def test_the_handshake_arrives_as_it_was_sent_and_so_does_its_answer(running: Sockets, backend: str) -> None:
    headers = {
        "Cookie": "session=1",
        "Origin": "https://shop.example",
        "Authorization": "Bearer x",
        "X-Forwarded-For": "6.6.6.6",
    }
    with connect(
        running,
        "/handshake?q=%20x",
        backend,
        additional_headers=headers,
        subprotocols=["v1", "v2"],
        compression="deflate",
    ) as websocket:
        assert websocket.subprotocol == "v2"
        assert websocket.response is not None
        assert websocket.response.headers.get_all("set-cookie") == ["a=1", "b=2"]
        assert "sec-websocket-extensions" not in websocket.response.headers
        said = json.loads(websocket.recv())
        assert end_of(websocket) == (1000, "")
    assert said["offered"] == ["v1", "v2"]
    assert said["url"] == f"ws://{running.host}/handshake?q=%20x"
    told = [tuple(field) for field in said["headers"]]
    for name, value in (("cookie", "session=1"), ("origin", "https://shop.example"), ("authorization", "Bearer x")):
        assert (name, value) in told
    assert [value for name, value in told if name == "x-forwarded-for"] == ["127.0.0.1"]
    assert [value for name, value in told if name == "x-forwarded-proto"] == ["http"]
    assert len([value for name, value in told if name == "x-request-id"]) == 1


@BOTH
def test_a_refused_handshake_is_passed_on_with_its_status_and_body(running: Sockets, backend: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        connect(running, "/refuse", backend)
    response = refused.value.response
    assert (response.status_code, bytes(response.body)) == (401, b"not you")
    assert response.headers["www-authenticate"] == "Basic"
    assert response.headers.get_all("set-cookie") == ["c=3"]


@BOTH
@pytest.mark.parametrize("path", ["/closed-at-once", "/nowhere"])
def test_what_an_app_closes_before_accepting_is_403(running: Sockets, backend: str, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        connect(running, path, backend)
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(("backend", "status"), [("gone", 502), ("hasty", 504)])
def test_an_app_that_cannot_be_had(running: Sockets, backend: str, status: int) -> None:
    with pytest.raises(InvalidStatus) as refused:
        connect(running, "/late", backend)
    response = refused.value.response
    assert response.status_code == status
    assert json.loads(bytes(response.body))["status"] == status


# Messages.


@BOTH
def test_a_conversation(running: Sockets, backend: str) -> None:
    messages: list[str | bytes] = ["text: ü", b"\0\xff", "", b"", "x" * 100_000]
    with connect(running, "/echo", backend) as websocket:
        for message in messages:
            websocket.send(message)
            assert websocket.recv(timeout=5) == message
        websocket.send(["in ", "", "fragments"])
        assert websocket.recv(timeout=5) == "in fragments"
        assert websocket.ping("there?").wait(2)


@BOTH
@pytest.mark.parametrize("fragment", [LONGEST, 1 << 20])
def test_the_longest_message_comes_back(running: Sockets, backend: str, fragment: int) -> None:
    message = os.urandom(1024) * (LONGEST // 1024)
    parts = [message[start : start + fragment] for start in range(0, LONGEST, fragment)]
    with connect(running, "/echo", backend) as websocket:
        websocket.send(message if len(parts) == 1 else parts)
        assert websocket.recv(timeout=10) == message


@BOTH
def test_a_longer_one_ends_with_1009_for_both(running: Sockets, backend: str) -> None:
    name = f"longer-{backend}"
    with Raw(running, f"/echo?name={name}", backend) as raw:
        raw.send(struct.pack("!BBQ", 0x82, 0xFF, LONGEST + 1))
        assert raw.read_close() == 1009
    eventually(lambda: running.marked(name).startswith("1009"))


@BOTH
def test_text_that_is_not_utf_8_ends_with_1007_for_both(running: Sockets, backend: str) -> None:
    name = f"utf-8-{backend}"
    with Raw(running, f"/echo?name={name}", backend) as raw:
        raw.send_frame(Opcode.TEXT, b"\xff", fin=False)
        raw.send_frame(Opcode.CONT, b"")
        assert raw.read_close() == 1007
    eventually(lambda: running.marked(name).startswith("1007"))


# Ends.


@BOTH
@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1013, "later"), (4321, "ü" * 61)])
def test_the_client_sees_how_the_app_closes(running: Sockets, backend: str, code: int, reason: str) -> None:
    with connect(running, f"/close?code={code}&reason={reason}", backend) as websocket:
        assert websocket.recv(timeout=5) == "last words"
        assert end_of(websocket) == (code, reason)


@BOTH
@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1001, "tab closed"), (4321, "ü" * 61)])
def test_the_app_sees_how_the_client_closes(running: Sockets, backend: str, code: int, reason: str) -> None:
    name = f"client-{backend}-{code}"
    with connect(running, f"/echo?name={name}", backend) as websocket:
        websocket.close(code, reason)
        assert websocket.close_code == code
    eventually(lambda: running.marked(name) == f"{code} {reason}")


@BOTH
def test_an_empty_close_frame_is_one_at_the_other_end(running: Sockets, backend: str) -> None:
    name = f"empty-{backend}"
    with Raw(running, f"/echo?name={name}", backend) as raw:
        raw.send_frame(Opcode.CLOSE)
        assert raw.read_frame() == (Opcode.CLOSE, b"")
    eventually(lambda: running.marked(name) == "1005 ")


@BOTH
def test_a_client_that_vanishes_is_told_to_the_app_at_once(running: Sockets, backend: str) -> None:
    name = f"vanished-{backend}"
    raw = Raw(running, f"/echo?name={name}", backend)
    raw.reset()
    # Nobody has sent a code: the gateway's own process says so, and its own close frame says that it goes away.
    eventually(lambda: running.marked(name) != "", timeout=1)
    assert running.marked(name).split()[0] == ("1006" if backend == "embedded" else "1001")


@BOTH
def test_an_app_that_fails_ends_with_1011(running: Sockets, backend: str) -> None:
    with connect(running, "/fail", backend) as websocket:
        # uvicorn just ends the connection, and the gateway gives it a name.
        assert end_of(websocket)[0] == 1011


def test_a_websocket_where_nothing_is_said_is_closed(running: Sockets) -> None:
    with connect(running, "/echo?name=idle", "hasty", ping_interval=None) as websocket:
        assert end_of(websocket) == (1001, "nothing was said for 0.4 s")
    eventually(lambda: running.marked("idle") == "1001 nothing was said for 0.4 s")


def test_pings_of_the_client_keep_it_open(running: Sockets) -> None:
    with connect(running, "/echo", "hasty", ping_interval=None) as websocket:
        for _ in range(9):
            assert websocket.ping().wait(2)
            time.sleep(0.1)
        websocket.send("still here")
        assert websocket.recv(timeout=5) == "still here"


# Memory and leaks.


def resident(pid: int) -> float:
    """Mebibytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


@BOTH
def test_long_messages_to_a_slow_client_take_bounded_memory(running: Sockets, backend: str) -> None:
    (worker,) = running.gateway.worker_pids()
    before = peak = resident(worker)
    count = 20
    name = f"flood-{backend}"
    with Raw(running, f"/flood?size={LONGEST}&count={count}&name={name}", backend) as raw:
        time.sleep(0.5)
        # The app is not let run ahead of a client that takes nothing: so many are on the way from hop to hop.
        assert int(running.marked(name) or 0) <= 6
        left = count * (LONGEST + 10)
        buffer = bytearray(1 << 20)
        while left:
            left -= raw.socket.recv_into(buffer, min(left, len(buffer)))
            if left % 7 == 0:
                peak = max(peak, resident(worker))
        assert raw.read_close() == 1000
    # One message is held as it comes, as it is, and as it goes.
    assert peak - before < 130


@BOTH
def test_long_messages_to_a_slow_app_take_bounded_memory(running: Sockets, backend: str) -> None:
    (worker,) = running.gateway.worker_pids()
    before = peak = resident(worker)
    count = 20
    message = bytes(LONGEST)
    name = f"sink-{backend}"
    with connect(running, f"/sink?wait=0.3&name={name}", backend, close_timeout=20) as websocket:
        for _ in range(count):
            websocket.send(message)
            peak = max(peak, resident(worker))
    eventually(lambda: running.marked(name) == str(count * LONGEST), timeout=10)
    assert peak - before < 130


def test_nothing_is_left_of_what_has_ended(running: Sockets) -> None:
    (worker,) = running.gateway.worker_pids()

    def descriptors() -> int:
        return len(os.listdir(f"/proc/{worker}/fd"))

    def some_of_each() -> None:
        for backend in ("embedded", "remote"):
            for path, code in (("/close?code=4000", 4000), ("/fail", 1011)):
                with connect(running, path, backend) as websocket:
                    while end_code(websocket) is None:
                        pass
                    assert end_code(websocket) == code
            Raw(running, "/echo", backend).reset()
            with pytest.raises(InvalidStatus):
                connect(running, "/refuse", backend)

    some_of_each()
    before = descriptors()
    for _ in range(3):
        some_of_each()
    eventually(lambda: descriptors() <= before)
    log = running.gateway.log()
    assert "never retrieved" not in log
    assert "destroyed" not in log


def end_code(websocket: ClientConnection) -> int | None:
    try:
        websocket.recv(timeout=5)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd is not None else 1006
    return None


# Reloads and deaths, with a gateway of their own.


def test_reloads_the_death_of_an_app_and_the_end_of_the_gateway(tmp_path: Path) -> None:
    content = ROUTES.replace("routes: []", "routes:\n  - {path: /echo, to: TO}\n  - {path: /other, to: OTHER}\n")

    def routes(where: str, other: str) -> str:
        return content.replace("{port}", str(running.port)).replace("TO", where).replace("OTHER", other)

    def save(where: str, other: str, version: int) -> None:
        replace(gateway.routes, routes(where, other))
        eventually(lambda: gateway.ask("/readyz").json()["config"]["version"] == version)

    def echoes(websocket: ClientConnection) -> bool:
        websocket.send("hello")
        return websocket.recv(timeout=5) == "hello"

    with sockets(tmp_path, content.replace("TO", "embedded").replace("OTHER", "remote")) as running:
        gateway = running.gateway
        with direct(running, "/echo") as websocket:
            # Another route moves: this one stays.
            save("embedded", "embedded", version=2)
            time.sleep(0.6)
            assert echoes(websocket)
            # Its own moves: it goes on for the grace.
            save("remote", "embedded", version=3)
            assert echoes(websocket)
            assert end_of(websocket) == (1012, "the route has moved")
        with direct(running, "/echo?name=moved") as websocket:
            assert echoes(websocket)
            # And back, from a remote app to the one in the worker.
            save("embedded", "embedded", version=4)
            assert end_of(websocket) == (1012, "the route has moved")
        eventually(lambda: running.marked("moved") == "1012 the route has moved")
        # A shorter limit holds for what is opened from now on.
        replace(gateway.routes, gateway.routes.read_text().replace("grace: 0.4", "max_message: 1024"))
        eventually(lambda: gateway.ask("/readyz").json()["config"]["version"] == 5)
        for backend in ("embedded", "remote"):
            with connect(running, "/echo", backend) as websocket:
                websocket.send(b"x" * 1024)
                assert websocket.recv(timeout=5) == b"x" * 1024
                websocket.send(b"x" * 1025)
                assert end_of(websocket)[0] == 1009
        with direct(running, "/echo") as one, connect(running, "/echo", "remote") as two:
            assert echoes(two)
            running.process.kill()
            assert end_of(two) == (1011, "the application broke off the connection")
            gateway.signal(signal.SIGTERM)
            assert end_of(one) == (1012, "the server is restarting")
            assert gateway.wait() == 0
