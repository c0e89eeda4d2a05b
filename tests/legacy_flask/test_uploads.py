from __future__ import annotations

import hashlib
import io
import tracemalloc

import pytest
from flask.testing import FlaskClient

from .conftest import MakeApp

MIB = 1024 * 1024
FORM = "multipart/form-data; boundary=b"


class Zeros(io.RawIOBase):
    """A body of `size` zeros that is nowhere in memory."""

    def __init__(self, size: int) -> None:
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        size = min(len(buffer), self.left)
        buffer[:size] = bytes(size)
        self.left -= size
        return size


def test_one_file(client: FlaskClient) -> None:
    response = client.post("/uploads", data={"file": (io.BytesIO(b"hello"), "greeting.txt")})
    assert response.status_code == 200
    assert response.json == {
        "files": [{"name": "greeting.txt", "size": 5, "sha256": hashlib.sha256(b"hello").hexdigest()}]
    }


def part(name: str, filename: str, content: bytes) -> bytes:
    """One part of a form with the boundary "b"."""
    heading = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"'
    return b"--b\r\n" + heading.encode() + b"\r\n\r\n" + content + b"\r\n"


def test_several_files_in_order(client: FlaskClient) -> None:
    large = b"x" * (2 * MIB)  # beyond what Werkzeug keeps in memory
    body = part("file", "empty", b"") + part("other", "left out", b"x") + part("file", "größer.bin", large) + b"--b--"
    answer = client.post("/uploads", data=body, content_type=FORM).json
    assert answer is not None
    assert [(file["name"], file["size"]) for file in answer["files"]] == [("empty", 0), ("größer.bin", len(large))]
    assert answer["files"][1]["sha256"] == hashlib.sha256(large).hexdigest()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", FORM),
        (b"file=hello", "application/x-www-form-urlencoded"),
        (b"hello", "text/plain"),
        (part("file", "", b"hello") + b"--b--", FORM),
        (part("other", "a", b"hello") + b"--b--", FORM),
    ],
)
def test_no_file(client: FlaskClient, body: bytes, content_type: str) -> None:
    response = client.post("/uploads", data=body, content_type=content_type)
    assert response.status_code == 400
    assert response.json == {"error": 'Send at least one file in the field "file".', "status": 400}


def test_raw_body(client: FlaskClient) -> None:
    response = client.put("/uploads/greeting.txt", data=b"hello")
    assert response.status_code == 200
    assert response.json == {"name": "greeting.txt", "size": 5, "sha256": hashlib.sha256(b"hello").hexdigest()}


def test_empty_raw_body(client: FlaskClient) -> None:
    assert (client.put("/uploads/nothing").json or {})["size"] == 0


def test_chunked_raw_body(client: FlaskClient) -> None:
    response = client.put(
        "/uploads/zeros",
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input": io.BufferedReader(Zeros(3 * MIB)), "wsgi.input_terminated": True},
    )
    assert (response.json or {})["size"] == 3 * MIB


def test_large_bodies_take_no_memory(client: FlaskClient) -> None:
    client.put("/uploads/warm-up", data=b"hello")
    size = 32 * MIB
    tracemalloc.start()
    try:
        response = client.put(
            "/uploads/zeros",
            environ_overrides={"wsgi.input": io.BufferedReader(Zeros(size)), "CONTENT_LENGTH": str(size)},
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (response.json or {})["size"] == size
    assert peak < 4 * MIB


def test_too_large(make_app: MakeApp) -> None:
    client = make_app(UPLOAD_MAX_BYTES=1000).test_client()
    too_large = {"error": "The body is too large.", "status": 413}
    response = client.put("/uploads/large", data=bytes(1001))
    assert (response.status_code, response.json) == (413, too_large)
    response = client.post("/uploads", data={"file": (io.BytesIO(bytes(1001)), "large")})
    assert (response.status_code, response.json) == (413, too_large)
    response = client.put(
        "/uploads/large",
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input": io.BufferedReader(Zeros(1001)), "wsgi.input_terminated": True},
    )
    assert (response.status_code, response.json) == (413, too_large)
    assert client.put("/uploads/fits", data=bytes(1000)).status_code == 200
