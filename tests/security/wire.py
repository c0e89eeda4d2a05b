"""Bytes to a gateway, and what comes back, to the end."""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit


def say(url: str, data: bytes) -> bytes:
    """All that comes until the gateway closes the connection."""
    parts = urlsplit(url)
    told = b""
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as client:
        client.sendall(data)
        try:
            while piece := client.recv(65536):
                told += piece
        except ConnectionResetError:
            pass  # there was more than the gateway wanted to read
    return told


def statuses(told: bytes, *, bodiless: bool = False) -> tuple[int, ...]:
    """Of all the answers in ``told``, which must be answers from end to end. The first may break off in its content.

    ``bodiless`` says that they are answers to HEAD.
    """
    found = []
    while told:
        head, end, told = told.partition(b"\r\n\r\n")
        status = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
        assert status is not None, head
        assert end, head
        if status[1].startswith(b"1"):
            continue
        found.append(int(status[1]))
        if bodiless or status[1] in (b"204", b"304"):
            continue
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        if length is None:
            assert b"\r\nTransfer-Encoding: chunked" in head, head
            told = _behind_chunks(told)
        else:
            told = told[int(length[1]) :]
    return tuple(found)


def _behind_chunks(told: bytes) -> bytes:
    while told:
        line, _, told = told.partition(b"\r\n")
        size = int(line, 16)
        told = told[size + 2 :]
        if not size:
            return told
    return b""
