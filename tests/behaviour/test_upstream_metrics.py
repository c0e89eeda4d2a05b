"""What remote apps fail to do: each way has its own answer and its own count on the metrics page."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.behaviour.process import GatewayProcess, eventually

# What each backend is allowed, in YAML. Where it listens is up to the fixture.
BACKENDS = {
    "refusing": "",
    "full": "timeouts: {connect: 0.2}",
    "deaf": "timeouts: {send: 0.2}",
    "silent": "timeouts: {head: 0.2}",
    "slow": "timeouts: {total: 0.2}",
    "stopping": "timeouts: {idle: 0.2}",
    "breaking": "",
    "hanging": "",
    "babbling": "",
    "held": "",
    "busy": "connections: 1, queue: 0, timeouts: {head: 0.4}",
    "crowded": "connections: 1, queue: 1, timeouts: {head: 0.8, connect: 0.2}",
}

ANSWERS = {
    "stopping": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
    "breaking": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
    "hanging": b"",
    "babbling": b"I am no HTTP server\r\n\r\n",
}


class Apps:
    """Listening sockets. The kernel takes connections and bytes for those that nobody serves."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.ports = {name: self._listen(name) for name in BACKENDS}

    def _listen(self, name: str) -> int:
        listener = socket.socket()
        self._stack.callback(listener.close)
        listener.bind(("127.0.0.1", 0))
        if name == "refusing":
            return int(listener.getsockname()[1])
        if name == "deaf":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.listen(0 if name == "full" else 16)
        if name == "full":
            # Linux takes one more than the backlog, and then answers no further SYN.
            for _ in range(2):
                caller = socket.socket()
                caller.setblocking(False)
                caller.connect_ex(listener.getsockname())
                self._stack.callback(caller.close)
        elif name in ANSWERS:
            threading.Thread(target=self._serve, args=(listener, name), daemon=True).start()
        return int(listener.getsockname()[1])

    def _serve(self, listener: socket.socket, name: str) -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            peer.recv(65536)
            peer.sendall(ANSWERS[name])
            if name == "stopping":
                self._stack.callback(peer.close)
            else:
                peer.close()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("failing")
    with ExitStack() as stack:
        ports = Apps(stack).ports
        lines = ["version: 1", "default: refusing", "backends:"]
        lines += [f'  {name}: {{url: "http://127.0.0.1:{ports[name]}", {more}}}' for name, more in BACKENDS.items()]
        lines += ["routes:", *(f"  - {{path: /{name}, to: {name}}}" for name in BACKENDS), ""]
        (folder / "routes.yaml").write_text("\n".join(lines))
        yield stack.enter_context(GatewayProcess(folder / "routes.yaml", cwd=folder))


def samples(gateway: GatewayProcess, name: str) -> dict[tuple[str, ...], float]:
    """Label values in the order of the label names → value."""
    return {
        tuple(sample.labels[label] for label in sorted(sample.labels)): sample.value
        for family in text_string_to_metric_families(gateway.ask("/metrics").text)
        for sample in family.samples
        if sample.name == name
    }


def failures(gateway: GatewayProcess, backend: str) -> dict[str, float]:
    """``STAGE/REASON`` → count."""
    found = samples(gateway, "gateway_upstream_failures_total").items()
    return {f"{stage}/{reason}": n for (name, reason, _, stage), n in found if name == backend}


@pytest.mark.parametrize(
    ("backend", "status", "detail", "counted"),
    [
        ("refusing", 502, "The application cannot be reached.", "connect/connect"),
        ("full", 504, "The application could not be reached in time.", "connect/connect_timeout"),
        ("deaf", 504, "The application did not take the request in time.", "send/send_timeout"),
        ("silent", 504, "The application did not begin its answer in time.", "head/head_timeout"),
        ("slow", 504, "The application did not complete its answer in time.", "head/total_timeout"),
        ("hanging", 502, "The application closed the connection without an answer.", "head/no_answer"),
        ("babbling", 502, "The application's answer is not valid.", "head/bad_head"),
    ],
)
def test_a_failure_has_its_own_answer_and_its_own_count(
    gateway: GatewayProcess, backend: str, status: int, detail: str, counted: str
) -> None:
    content = bytes(1 << 24) if backend == "deaf" else b""
    answer = httpx.post(f"{gateway.url}/{backend}", content=content, timeout=10)
    assert (answer.status_code, answer.json()["detail"]) == (status, detail)
    eventually(lambda: failures(gateway, backend) == {counted: 1.0})


@pytest.mark.parametrize(("backend", "counted"), [("stopping", "body/idle_timeout"), ("breaking", "body/truncated")])
def test_an_answer_that_has_begun_is_broken_off_and_counted(
    gateway: GatewayProcess, backend: str, counted: str
) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{gateway.url}/{backend}", timeout=10)
    eventually(lambda: failures(gateway, backend) == {counted: 1.0})


@pytest.mark.parametrize(
    ("backend", "detail", "counted"),
    [
        ("busy", "Too many requests are waiting for this application.", "queue/queue_full"),
        ("crowded", "No connection to the application became free in time.", "queue/queue_timeout"),
    ],
)
def test_who_gets_no_connection_is_told_so_and_counted(
    gateway: GatewayProcess, backend: str, detail: str, counted: str
) -> None:
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: httpx.get(f"{gateway.url}/{backend}", timeout=10), range(2)))
    assert sorted(answer.status_code for answer in answers) == [503, 504]
    [refused] = [answer for answer in answers if answer.status_code == 503]
    assert refused.json()["detail"] == detail
    assert refused.headers["retry-after"] == "1"
    eventually(lambda: failures(gateway, backend) == {counted: 1.0, "head/head_timeout": 1.0})


def test_connections_are_counted_by_state_and_a_client_that_leaves_is_no_failure(gateway: GatewayProcess) -> None:
    def held() -> dict[str, float]:
        found = samples(gateway, "gateway_upstream_connections").items()
        return {state: count for (backend, state), count in found if backend == "held"}

    parts = urlsplit(gateway.url)
    with socket.create_connection((parts.hostname, parts.port)) as client:
        client.sendall(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
        eventually(lambda: held() == {"connecting": 0, "busy": 1, "idle": 0, "websocket": 0})
    eventually(lambda: set(held().values()) == {0.0})
    assert samples(gateway, "gateway_upstream_requests_waiting")["held",] == 0
    answered = samples(gateway, "gateway_requests_total")
    assert {status: n for (backend, _, _, status), n in answered.items() if backend == "held"} == {"499": 1.0}
    assert failures(gateway, "held") == {}
