"""WebSockets through a running gateway, to an app in its process and to one behind uvicorn: as if it were not there."""

from __future__ import annotations

import json
import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Opcode
from websockets.sync.client import ClientConnection

from tests.behaviour.process import eventually
from tests.behaviour.socket_apps import Sockets, sockets
from tests.behaviour.socket_clients import connect, end_of, raw
from tests.server.websocket_client import TEXT, masked, read_close, read_frame

BOTH = pytest.mark.parametrize("backend", ["embedded", "remote"])
LONGEST = 16 * 1024 * 1024


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sockets]:
    with sockets(tmp_path_factory.mktemp("sockets")) as running:
        yield running


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
    with raw(running, f"/echo?name={name}", backend) as client:
        client.send(struct.pack("!BBQ", 0x82, 0xFF, LONGEST + 1))
        assert read_close(client)[0] == 1009
    eventually(lambda: running.marked(name).startswith("1009"))


@BOTH
def test_text_that_is_not_utf_8_ends_with_1007_for_both(running: Sockets, backend: str) -> None:
    name = f"utf-8-{backend}"
    with raw(running, f"/echo?name={name}", backend) as client:
        client.send(masked(TEXT, b"\xff", fin=False) + masked(Opcode.CONT))
        assert read_close(client)[0] == 1007
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
    with raw(running, f"/echo?name={name}", backend) as client:
        client.send(masked(Opcode.CLOSE))
        assert read_frame(client) == (Opcode.CLOSE, b"")
    eventually(lambda: running.marked(name) == "1005 ")


@BOTH
def test_a_client_that_vanishes_is_told_to_the_app_at_once(running: Sockets, backend: str) -> None:
    name = f"vanished-{backend}"
    with raw(running, f"/echo?name={name}", backend) as client:
        client.reset()
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
    with raw(running, f"/flood?size={LONGEST}&count={count}&name={name}", backend) as client:
        time.sleep(0.5)
        # The app is not let run ahead of a client that takes nothing: so many are on the way from hop to hop.
        assert int(running.marked(name) or 0) <= 6
        # Some of it may have come with the handshake's answer.
        left = count * (LONGEST + 10) - len(client.buffer)
        client.buffer = b""
        buffer = bytearray(1 << 20)
        while left:
            left -= client.socket.recv_into(buffer, min(left, len(buffer)))
            if left % 7 == 0:
                peak = max(peak, resident(worker))
        assert read_close(client)[0] == 1000
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
            with raw(running, "/echo", backend) as client:
                client.reset()
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
