from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.answering import QuietHandler, answering

SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "healthcheck.py"


class Handler(QuietHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/readyz" else 503)
        self.end_headers()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with answering(Handler) as url:
        yield url


def check(url: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), url],
        # Whatever proxy the container is told to use: this is not for it.
        env={"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    return done.returncode, done.stderr


def test_only_a_200_is_healthy(url: str) -> None:
    assert check(url + "/readyz") == (0, "")
    assert check(url + "/") == (1, f"{url}/: 503\n")


def test_nobody_there_is_not_healthy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    code, told = check(f"http://127.0.0.1:{port}/readyz")
    assert code == 1
    assert told.count("\n") == 1
