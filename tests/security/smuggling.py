"""Requests that hide others, as attackers send them to make two servers in line see different ones.

``@`` stands for the prefix of the app that is asked. Behind each case comes a last request, which ends the connection.
"""

from __future__ import annotations

from dataclasses import dataclass

HIDDEN = b"GET /@/hidden HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /@/last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
# Its version is still to be filled in.
HANDSHAKE = (
    b"GET /@/one HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: %b\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class Case:
    """``statuses`` are what the client is told, and ``seen`` is what the app hears: path below its prefix, and size."""

    name: str
    says: bytes
    statuses: tuple[int, ...]
    seen: tuple[tuple[str, int], ...]

    def __str__(self) -> str:
        return self.name


def post(*fields: bytes, body: bytes = b"", line: bytes = b"POST /@/one HTTP/1.1", host: bytes = b"Host: x") -> bytes:
    return b"\r\n".join([line, *filter(None, (host,)), *fields, b"", body])


def refused(name: str, says: bytes, status: int = 400) -> Case:
    """No app hears anything, and what comes behind is not read as a request."""
    return Case(name, says, (status,), ())


def honest(name: str, says: bytes, *seen: tuple[str, int]) -> Case:
    """There is one way to read it, and everybody does."""
    return Case(name, says, (200,) * (len(seen) + 1), (*seen, ("last", 0)))


# Prefixes are of four letters.
SIZE = len(HIDDEN) + 3
_SIZED = b"Content-Length: %d" % SIZE
_CHUNKED = b"Transfer-Encoding: chunked"
_END = b"0\r\n\r\n"

# The head says that there is a chunked body, as a server may or may not understand it. To whoever does, it is empty,
# and the hidden request is the next one; to the other that is the body.
_CODINGS = {
    "xchunked": b"Transfer-Encoding: xchunked",
    "chunked twice": b"Transfer-Encoding: chunked, chunked",
    "identity last": b"Transfer-Encoding: chunked, identity",
    "identity first": b"Transfer-Encoding: identity, chunked",
    "gzip": b"Transfer-Encoding: gzip",
    "two lines": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "two lines the other way": b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    "the same twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "empty": b"Transfer-Encoding:",
    "quoted": b'Transfer-Encoding: "chunked"',
    "a parameter": b"Transfer-Encoding: chunked;q=1",
    "a comma": b"Transfer-Encoding: ,chunked",
    "space before the colon": b"Transfer-Encoding : chunked",
    "tab before the colon": b"Transfer-Encoding\t: chunked",
    "vertical tab": b"Transfer-Encoding:\x0bchunked",
    "form feed behind": b"Transfer-Encoding: chunked\x0c",
    "NUL behind": b"Transfer-Encoding: chunked\x00",
    "NUL in the name": b"Transfer-Encoding\x00: chunked",
    "a high byte": b"Transfer-Encoding: chunked\xa0",
    "a high byte in the name": b"Transfer-Encoding\xff: chunked",
    "folded": b"Transfer-Encoding:\r\n chunked",
    "folded behind another": b"X-Other: a\r\n Transfer-Encoding: chunked",
    "bare LF before": b"X-Other: a\nTransfer-Encoding: chunked",
    "bare CR before": b"X-Other: a\rTransfer-Encoding: chunked",
    "leading space": b" Transfer-Encoding: chunked",
}

_LENGTHS = {
    "two": b"Content-Length: 0\r\nContent-Length: 40",
    "the same twice": b"Content-Length: 5\r\nContent-Length: 5",
    "a list": b"Content-Length: 5, 5",
    "a sign": b"Content-Length: +5",
    "negative": b"Content-Length: -5",
    "hexadecimal": b"Content-Length: 0x5",
    "an underscore": b"Content-Length: 1_0",
    "a point": b"Content-Length: 5.0",
    "empty": b"Content-Length:",
    "beyond 64 bits": b"Content-Length: 18446744073709551621",
    "digits of another script": "Content-Length: \u0665".encode(),
    "space before the colon": b"Content-Length : 5",
    "space inside": b"Content-Length: 5 5",
    "folded": b"Content-Length:\r\n 5",
}

_CHUNKS = {
    "a sign": b"+5\r\nhello\r\n" + _END,
    "0x": b"0x5\r\nhello\r\n" + _END,
    "an underscore": b"0_5\r\nhello\r\n" + _END,
    "space before": b" 5\r\nhello\r\n" + _END,
    "space behind": b"5 \r\nhello\r\n" + _END,
    "empty": b"\r\nhello\r\n" + _END,
    "beyond 64 bits": b"10000000000000005\r\nhello\r\n" + _END,
    "bare LF behind the size": b"5\nhello\r\n" + _END,
    "bare LF in an extension": b"5;a\nb\r\nhello\r\n" + _END,
    "bare CR in an extension": b"5;a\rb\r\nhello\r\n" + _END,
    "bare LF behind the data": b"5\r\nhello\n" + _END,
    "longer than its size": b"5\r\nhello!\r\n" + _END,
    "two bytes for the end": b"5\r\nhelloXX" + _END,
    "bare LF at the end": b"0\n\n",
    "NUL in a trailer": b"0\r\nX-Trailer: a\x00\r\n\r\n",
    "a trailer that is none": b"0\r\nGET /@/hidden HTTP/1.1\r\n\r\n",
    "a folded trailer": b"0\r\nX-Trailer: a\r\n b\r\n\r\n",
}

CASES = (
    # Both framings: CL.TE and TE.CL.
    refused("length, then coding", post(b"Content-Length: 5", _CHUNKED, body=_END + HIDDEN)),
    refused("coding, then length", post(_CHUNKED, b"Content-Length: 5", body=_END + HIDDEN)),
    refused("coding, and no length in length", post(_CHUNKED, b"Content-Length: 0", body=_END + HIDDEN)),
    refused("coding in HTTP/1.0", post(_CHUNKED, body=_END + HIDDEN, line=b"POST /@/one HTTP/1.0")),
    *(refused(f"coding: {name}", post(_SIZED, field, body=_END + HIDDEN)) for name, field in _CODINGS.items()),
    *(refused(f"length: {name}", post(field, body=HIDDEN)) for name, field in _LENGTHS.items()),
    *(refused(f"chunk: {name}", post(_CHUNKED, body=chunks + HIDDEN)) for name, chunks in _CHUNKS.items()),
    # Lines.
    refused("bare LF for the head's end", b"POST /@/one HTTP/1.1\r\nHost: x\n\n" + HIDDEN),
    refused("bare LF behind the request line", b"POST /@/one HTTP/1.1\nHost: x\r\n\r\n" + HIDDEN),
    refused("a line without a colon", post(b"X-Other", body=HIDDEN)),
    refused("a field without a name", post(b": x", body=HIDDEN)),
    refused("two hosts", post(b"Host: y", body=HIDDEN)),
    refused("no host", post(host=b"", body=HIDDEN)),
    refused("a host with a path", post(host=b"Host: x/@/hidden", body=HIDDEN)),
    refused("a target with a space", post(line=b"POST /@/one x HTTP/1.1", body=HIDDEN)),
    refused("a target with a tab", post(line=b"POST /@/one\tx HTTP/1.1", body=HIDDEN)),
    refused("a target with NUL", post(line=b"POST /@/one\x00 HTTP/1.1", body=HIDDEN)),
    refused("a field in the target", post(line=b"POST /@/one\nX-Other:x HTTP/1.1", body=HIDDEN)),
    refused("a field in the query", post(line=b"POST /@/one?\nX-Other:x HTTP/1.1", body=HIDDEN)),
    refused("a target with a fragment", post(line=b"POST /@/one#x HTTP/1.1", body=HIDDEN)),
    refused("another version", post(line=b"POST /@/one HTTP/1.2", body=HIDDEN), 505),
    refused("HTTP/2 by prior knowledge", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + HIDDEN, 505),
    refused("a method nobody knows", post(line=b"FROBNICATE /@/one HTTP/1.1", body=HIDDEN), 501),
    refused("a tunnel", b"CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n" + HIDDEN, 501),
    refused("a trace", b"TRACE /@/one HTTP/1.1\r\nHost: x\r\n\r\n" + HIDDEN, 405),
    refused("an expectation nobody knows", post(b"Expect: 100-continue, x", _SIZED, body=HIDDEN), 417),
    refused(
        "a handshake with a body",
        post(b"Connection: Upgrade", b"Upgrade: websocket", _SIZED, body=HIDDEN, line=b"GET /@/one HTTP/1.1"),
    ),
    # The hidden request is a body, and stays one.
    honest("a sized body", post(_SIZED, body=HIDDEN), ("one", SIZE)),
    honest("a body with GET", post(_SIZED, body=HIDDEN, line=b"GET /@/one HTTP/1.1"), ("one", SIZE)),
    honest(
        "a chunked body with GET",
        post(_CHUNKED, body=b"5\r\nGET /\r\n" + _END, line=b"GET /@/one HTTP/1.1"),
        ("one", 5),
    ),
    honest("white space around a length", post(b"Content-Length: \t5 ", body=b"hello"), ("one", 5)),
    honest("zeros before a length", post(b"Content-Length: 0005", body=b"hello"), ("one", 5)),
    honest("an underscore for the coding", post(_SIZED, b"Transfer_Encoding: chunked", body=HIDDEN), ("one", SIZE)),
    honest("an underscore for the length", post(_SIZED, b"Content_Length: 0", body=HIDDEN), ("one", SIZE)),
    honest("Connection names the length", post(_SIZED, b"Connection: Content-Length", body=HIDDEN), ("one", SIZE)),
    honest(
        "Connection names the coding",
        post(_CHUNKED, b"Connection: Transfer-Encoding", body=b"5\r\nhello\r\n" + _END),
        ("one", 5),
    ),
    honest("Connection names the host", post(b"Connection: Host", b"Content-Length: 0"), ("one", 0)),
    honest("an extension of a chunk", post(_CHUNKED, body=b'5;a="0\\r\\n"\r\nhello\r\n' + _END), ("one", 5)),
    honest("zeros before a chunk's size", post(_CHUNKED, body=b"00000000005\r\nhello\r\n000\r\n\r\n"), ("one", 5)),
    honest(
        "a trailer that frames",
        post(_CHUNKED, body=b"0\r\nContent-Length: 40\r\nTransfer-Encoding: x\r\n\r\n"),
        ("one", 0),
    ),
    honest("an absolute target", post(b"Content-Length: 0", line=b"POST http://y/@/one HTTP/1.1"), ("one", 0)),
    honest("coding in capitals", post(b"tRANSFER-eNCODING: ChUnKeD", body=b"5\r\nhello\r\n" + _END), ("one", 5)),
    # The second is a request of its own: the client has said so, and the gateway counts it.
    honest("two in one", post(b"Content-Length: 0") + HIDDEN, ("one", 0), ("hidden", 0)),
    honest("behind the last chunk", post(_CHUNKED, body=_END) + HIDDEN, ("one", 0), ("hidden", 0)),
    honest("behind a request without a body", post() + HIDDEN, ("one", 0), ("hidden", 0)),
    honest(
        "behind empty lines", b"\r\n\r\n" + post(b"Content-Length: 0") + b"\r\n" + HIDDEN, ("one", 0), ("hidden", 0)
    ),
    honest(
        "behind an upgrade to h2c",
        post(b"Connection: Upgrade", b"Upgrade: h2c", b"Content-Length: 0") + HIDDEN,
        ("one", 0),
        ("hidden", 0),
    ),
    # RFC 9112 9.3: a proxy keeps no connection with an HTTP/1.0 client.
    Case(
        "behind HTTP/1.0", post(b"Connection: keep-alive", line=b"POST /@/one HTTP/1.0") + HIDDEN, (200,), (("one", 0),)
    ),
    Case("behind the end", post(b"Connection: close") + HIDDEN, (200,), (("one", 0),)),
)
