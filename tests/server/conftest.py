from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.server.limits import Limits
from gateway.server.websocket_door import WebSocketDoor
from gateway.websocket.limits import Limits as StreamLimits
from tests.server.serving import LOOPS, Served, hello, wait_until

# Short enough for a test to wait for, and long enough for a busy machine.
HURRIED = Limits(
    header_timeout=0.2,
    body_timeout=0.2,
    send_timeout=0.2,
    keep_alive=0.2,
    linger=0.2,
    half_closed=0.08,
    half_closed_quiet=0.2,
)


@pytest.fixture(scope="package", params=list(LOOPS))
def _served(request: pytest.FixtureRequest) -> Iterator[Served]:
    served = Served(request.param)
    yield served
    served.stop()
    served.join()


@pytest.fixture
def served(_served: Served) -> Served:
    """A server with the limits of production, on each event loop."""
    _served.app = hello
    return _served


@pytest.fixture(scope="package", params=list(LOOPS))
def _hurried(request: pytest.FixtureRequest) -> Iterator[Served]:
    served = Served(request.param, HURRIED)
    yield served
    served.stop()
    served.join()


@pytest.fixture
def hurried(_hurried: Served) -> Served:
    """A server that waits for nothing longer than a fifth of a second."""
    _hurried.app = hello
    return _hurried


@pytest.fixture(scope="package", params=list(LOOPS))
def _sockets(request: pytest.FixtureRequest) -> Iterator[Served]:
    served = Served(request.param, ws=WebSocketDoor)
    yield served
    served.stop()
    served.join()


@pytest.fixture
def sockets(_sockets: Served) -> Iterator[Served]:
    """Nothing is left of any test."""
    yield _sockets
    wait_until(lambda: not _sockets.connections and not _sockets.tasks)


@pytest.fixture(params=list(LOOPS))
def hurried_sockets(request: pytest.FixtureRequest) -> Iterator[Served]:
    """With limits that a test can wait for."""
    limits = StreamLimits(ping_interval=0.1, ping_timeout=0.1, close_timeout=0.1, linger=0.1)
    door = type("Door", (WebSocketDoor,), {"stream_limits": limits, "limits": HURRIED, "__slots__": ()})
    served = Served(request.param, ws=door, ws_max_size=1000)
    yield served
    served.stop()
    served.join()


@pytest.fixture(scope="package")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost, which is its own authority, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is needed to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*command, *subject, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key
