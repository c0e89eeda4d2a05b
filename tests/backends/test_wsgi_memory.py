"""Large bodies, in both directions, cost the server no memory that grows with them."""

from __future__ import annotations

import hashlib
import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SIZE = 50_000_000
BLOCK = bytes(range(250)) * 400  # 100,000 bytes

# In KiB. Buffers, thread stacks, sockets: far below the size of a body.
ALLOWED = 8_000


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    root = Path(__file__).parent.parent.parent
    with subprocess.Popen(
        [sys.executable, "-m", "tests.backends.memory_server"],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = int(process.stdout.readline())
        ask(port, "POST", "/stream", [BLOCK] * 20)  # what is imported or allocated once
        ask(port, "GET", "/lines/20000")
        yield port
        process.stdin.close()
        assert process.wait(20) == 0


def ask(port: int, method: str, path: str, body: object = None, **headers: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})  # type: ignore[arg-type]
        response = connection.getresponse()
        assert response.status == 200
        return response.read()
    finally:
        connection.close()


def peak(port: int) -> int:
    return int(ask(port, "GET", "/peak"))


@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_that_is_read_as_it_comes(port: int, chunked: bool) -> None:
    before = peak(port)
    headers = {} if chunked else {"Content_Length": str(SIZE)}
    digest = ask(port, "POST", "/stream", [BLOCK] * (SIZE // len(BLOCK)), **headers)
    assert digest.decode() == hashlib.sha256(BLOCK * (SIZE // len(BLOCK))).hexdigest()
    assert peak(port) - before < ALLOWED


def test_an_uploaded_file_in_a_form(port: int) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
    tail = b"\r\n--b--\r\n"
    before = peak(port)
    digest = ask(
        port,
        "POST",
        "/form",
        [head, *[BLOCK] * (SIZE // len(BLOCK)), tail],
        Content_Type="multipart/form-data; boundary=b",
        Content_Length=str(len(head) + SIZE + len(tail)),
    )
    assert digest.decode() == hashlib.sha256(BLOCK * (SIZE // len(BLOCK))).hexdigest()
    assert peak(port) - before < ALLOWED


def test_a_generated_download(port: int) -> None:
    before = peak(port)
    assert len(ask(port, "GET", f"/lines/{SIZE // 100}")) == SIZE
    assert peak(port) - before < ALLOWED


def test_a_file_to_a_slow_reader(port: int, tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        for _ in range(SIZE // len(BLOCK)):
            file.write(BLOCK)
    before = peak(port)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", f"/file?path={path}")
    response = connection.getresponse()
    digest = hashlib.sha256(response.read(1_000_000))
    time.sleep(0.1)  # the server would have read all of the file by now
    assert peak(port) - before < ALLOWED
    while block := response.read(1_000_000):
        digest.update(block)
    connection.close()
    assert digest.hexdigest() == hashlib.sha256(BLOCK * (SIZE // len(BLOCK))).hexdigest()
    assert peak(port) - before < ALLOWED
