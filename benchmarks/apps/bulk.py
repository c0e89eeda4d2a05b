"""``python -m benchmarks.apps.bulk PORT``: an app that sends and takes large bodies, and copies none of them.

``GET /bytes/N`` answers N bytes. ``PUT /count`` answers how many bytes came, ``PUT /sum`` their CRC-32 as well. What is
counted only is thrown away by the kernel, and what is sent comes from its pages: so the proxy between is what is
measured, and not this.
"""

from __future__ import annotations

import os
import random
import socket
import sys
import threading
import zlib

# What bodies consist of, again and again.
PATTERN = random.Random(7).randbytes(1 << 23)
_PIECE = 1 << 20


def pattern_file() -> int:
    """A descriptor of a file in memory that holds PATTERN."""
    descriptor = os.memfd_create("pattern")
    os.write(descriptor, PATTERN)
    return descriptor


def send(connection: socket.socket, pattern: int, size: int) -> None:
    """Send the first ``size`` bytes of the body without end."""
    sent = 0
    while sent < size:
        offset = sent % len(PATTERN)
        sent += os.sendfile(connection.fileno(), pattern, offset, min(len(PATTERN) - offset, size - sent))


def skip(connection: socket.socket, size: int) -> None:
    """Throw away the next ``size`` bytes. Raises ConnectionError when the peer ends before."""
    waste = memoryview(bytearray(_PIECE))
    while size:
        # tcp(7): with MSG_TRUNC the bytes are discarded rather than passed back.
        taken = connection.recv_into(waste, min(size, _PIECE), socket.MSG_TRUNC)
        if not taken:
            raise ConnectionError(f"the connection ended with {size} bytes to come")
        size -= taken


def checksum(connection: socket.socket, begun: bytes, size: int) -> int:
    """The CRC-32 of ``size`` bytes, of which ``begun`` have come. Raises ConnectionError as ``skip`` does."""
    value = zlib.crc32(begun)
    size -= len(begun)
    while size:
        piece = connection.recv(min(size, _PIECE))
        if not piece:
            raise ConnectionError(f"the connection ended with {size} bytes to come")
        value = zlib.crc32(piece, value)
        size -= len(piece)
    return value


def expected_checksum(size: int) -> int:
    whole, rest = divmod(size, len(PATTERN))
    value = 0
    for _ in range(whole):
        value = zlib.crc32(PATTERN, value)
    return zlib.crc32(PATTERN[:rest], value)


def read_head(connection: socket.socket) -> tuple[bytes, bytes]:
    """A message's head, without its empty line, and what came behind it. Empty when the peer has ended."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b"", b""
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def content_length(head: bytes) -> int:
    """0 if there is none."""
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _serve(connection: socket.socket, pattern: int) -> None:
    with connection:
        while True:
            head, begun = read_head(connection)
            if not head:
                return
            target = head.split(b" ", 2)[1]
            if target.startswith(b"/bytes/"):
                size = int(target.removeprefix(b"/bytes/"))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
                send(connection, pattern, size)
                continue
            size = content_length(head)
            if target == b"/sum":
                answer = b"%d bytes, CRC-32 %08x" % (size, checksum(connection, begun, size))
            else:
                skip(connection, size - len(begun))
                answer = b"%d bytes" % size
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer))


def main(port: int) -> None:
    pattern = pattern_file()
    with socket.create_server(("127.0.0.1", port), backlog=128) as listener:
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_serve, args=(connection, pattern), daemon=True).start()


if __name__ == "__main__":
    main(int(sys.argv[1]))
