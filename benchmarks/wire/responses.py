"""What an app answers, and what of it the client may get."""

from __future__ import annotations

import re

from benchmarks.wire.judging import (
    Judge,
    bad_gateway,
    client_not_told,
    client_told,
    content,
    request,
    visibly_broken,
)
from benchmarks.wire.probe import Probe, Seen, Verdict


def _answer(*lines: bytes, status: bytes = b"200 OK", body: bytes = b"") -> bytes:
    return b"\r\n".join([b"HTTP/1.1 " + status, *lines, b"", body])


def _early_hints(seen: Seen) -> Verdict:
    if seen.status != 200 or content(seen) != b"ok":
        return Verdict(False, seen.describe())
    return Verdict(True, "forwarded" if b"HTTP/1.1 103" in seen.told else "dropped")


def _trailer(seen: Seen) -> Verdict:
    if seen.status != 200 or content(seen) != b"hello":
        return Verdict(False, seen.describe())
    if b"\nx-checksum:" in seen.told_head:
        return Verdict(False, "merged")
    return Verdict(True, "forwarded" if b"x-checksum" in seen.told_content.lower() else "dropped")


def _no_content(status: int, length: bytes | None) -> Judge:
    def judge(seen: Seen) -> Verdict:
        if seen.status != status:
            return Verdict(False, seen.describe())
        if seen.told_content:
            return Verdict(False, "has content")
        if b"\ntransfer-encoding:" in seen.told_head:
            return Verdict(status == 200, "chunked")
        told = re.search(rb"\ncontent-length: *(\d+)", seen.told_head)
        if length is None:
            return Verdict(told is None, "clean" if told is None else f"Content-Length {told[1].decode()}")
        # RFC 9110 9.3.2, 15.4.5: the length may be left out, and must not be another.
        same = told is None or told[1] == length
        return Verdict(same, "clean" if same else "another length")

    return judge


def _both_lengths(seen: Seen) -> Verdict:
    if seen.status == 502:
        return Verdict(True, "502")
    if b"\ncontent-length:" in seen.told_head and b"\ntransfer-encoding:" in seen.told_head:
        return Verdict(False, "passes on both")
    # RFC 9112 6.3: the coding counts.
    return Verdict(content(seen) == b"hello", "TE wins" if content(seen) == b"hello" else "CL wins")


def _cookies(seen: Seen) -> Verdict:
    count = len(re.findall(rb"\nset-cookie: *[ab]=", seen.told_head))
    return Verdict(count == 2, "yes" if count == 2 else "joined")


def _whole(expected: bytes) -> Judge:
    def judge(seen: Seen) -> Verdict:
        if seen.status != 200:
            return Verdict(False, seen.describe())
        return Verdict(content(seen) == expected, "yes" if content(seen) == expected else "cut")

    return judge


PROBES = (
    Probe(
        "named-response",
        "fields named in Connection are removed",
        "9110 7.6.1",
        request("named-response"),
        client_not_told(rb"\nx-secret:"),
        _answer(b"Connection: X-Secret", b"X-Secret: 1", b"Content-Length: 2", body=b"ok"),
    ),
    Probe(
        "hop-by-hop-response",
        "Keep-Alive and Proxy-Connection are removed",
        "9110 7.6.1",
        request("hop-by-hop-response"),
        # Not Keep-Alive by name: the proxy may say one of its own.
        client_not_told(rb"\nproxy-connection:", rb"\nkeep-alive: *timeout=77"),
        _answer(
            b"Connection: keep-alive",
            b"Keep-Alive: timeout=77",
            b"Proxy-Connection: keep-alive",
            b"Content-Length: 2",
            body=b"ok",
        ),
    ),
    Probe(
        "early-hints",
        "103 is forwarded or dropped, not taken for the answer",
        "9110 15.2",
        request("early-hints"),
        _early_hints,
        _answer(b"Link: </style.css>; rel=preload", status=b"103 Early Hints")
        + _answer(b"Content-Length: 2", body=b"ok"),
    ),
    Probe(
        "response-trailer",
        "a trailer is not merged into the header",
        "9110 6.5.1",
        request("response-trailer"),
        _trailer,
        _answer(b"Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\nX-Checksum: 1\r\n\r\n"),
    ),
    Probe(
        "head",
        "HEAD: no content, and the same length or none",
        "9110 9.3.2",
        request("head", method=b"HEAD"),
        _no_content(200, b"5"),
        _answer(b"Content-Length: 5"),
    ),
    Probe(
        "no-content",
        "204: no Content-Length",
        "9110 8.6",
        request("no-content"),
        _no_content(204, None),
        _answer(b"Content-Length: 0", status=b"204 No Content"),
    ),
    Probe(
        "not-modified",
        "304: no content, and the same length or none",
        "9110 15.4.5",
        request("not-modified"),
        _no_content(304, b"5"),
        _answer(b"Content-Length: 5", b'ETag: "1"', status=b"304 Not Modified"),
    ),
    Probe(
        "both-lengths-response",
        "both lengths: Transfer-Encoding wins, or 502",
        "9112 6.3",
        request("both-lengths-response"),
        _both_lengths,
        _answer(b"Content-Length: 3", b"Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n"),
    ),
    Probe(
        "two-lengths-response",
        "two different Content-Length: 502",
        "9112 6.3",
        request("two-lengths-response"),
        bad_gateway,
        _answer(b"Content-Length: 2", b"Content-Length: 3", body=b"ok!"),
    ),
    Probe(
        "garbage",
        "what is no HTTP: 502",
        "9110 15.6.3",
        request("garbage"),
        bad_gateway,
        b"220 mail.example ESMTP\r\n\r\n",
        closing=True,
    ),
    Probe(
        "truncated",
        "a body that ends early: the client sees it",
        "9112 8",
        request("truncated"),
        visibly_broken,
        _answer(b"Content-Length: 100", body=b"only this"),
        closing=True,
    ),
    Probe(
        "truncated-chunks",
        "chunks without an end: the client sees it",
        "9112 8",
        request("truncated-chunks"),
        visibly_broken,
        _answer(b"Transfer-Encoding: chunked", body=b"5\r\nhello\r\n"),
        closing=True,
    ),
    Probe(
        "until-close",
        "a body that the connection's end delimits",
        "9112 6.3",
        request("until-close"),
        _whole(b"until the end"),
        _answer(b"Content-Type: text/plain", body=b"until the end"),
        closing=True,
    ),
    Probe(
        "cookies",
        "two Set-Cookie stay two",
        "9110 5.3",
        request("cookies"),
        _cookies,
        _answer(b"Set-Cookie: a=1", b"Set-Cookie: b=2", b"Content-Length: 2", body=b"ok"),
    ),
    Probe(
        "date",
        "Date is added when missing",
        "9110 6.6.1",
        request("date"),
        client_told(rb"\ndate:", "yes", "no"),
    ),
)
