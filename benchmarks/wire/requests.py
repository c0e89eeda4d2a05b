"""What a client says, and what of it the app may hear."""

from __future__ import annotations

import re

from benchmarks.wire.judging import app_not_told, app_told, refuses, request
from benchmarks.wire.probe import Probe, Seen, Verdict

_CHUNKED = b"Transfer-Encoding: chunked"
_HELLO = b"5\r\nhello\r\n0\r\n\r\n"


def _one_continue(seen: Seen) -> Verdict:
    count = len(re.findall(rb"HTTP/1\.1 100 ", seen.told))
    if seen.status != 200:
        return Verdict(False, seen.describe())
    if count != 1:
        return Verdict(False, f"{count} of them")
    return Verdict(bool(seen.told_before_body), "one" if seen.told_before_body else "one, but too late")


def _te(seen: Seen) -> Verdict:
    te = re.search(rb"\nte:([^\r]*)", seen.asked_head)
    if not seen.asked:
        return Verdict(False, seen.describe())
    if te is None:
        return Verdict(True, "removed")
    return Verdict(te[1].strip() == b"trailers", f"TE: {te[1].strip().decode()}")


def _host_of_target(seen: Seen) -> Verdict:
    if not seen.asked:
        return Verdict(False, seen.describe())
    hosts = re.findall(rb"\nhost: *([^\r]*)", seen.asked_head)
    return Verdict(hosts == [b"other.example"], "replaced" if hosts == [b"other.example"] else "Host as sent")


def _unfolded(seen: Seen) -> Verdict:
    folded = re.search(rb"\nx-folded:[^\r]*\r\n[ \t]", seen.asked_head) is not None
    return Verdict(not folded, "passed on folded" if folded else "unfolded")


def _length_removed(seen: Seen) -> Verdict:
    both = b"\ncontent-length:" in seen.asked_head and b"\ntransfer-encoding:" in seen.asked_head
    return Verdict(False, "passes on both" if both else "drops one")


def _trailer(seen: Seen) -> Verdict:
    if not seen.asked:
        return Verdict(seen.refused, seen.describe())
    if b"6.6.6.6" in seen.asked_head:
        return Verdict(False, "merged")
    return Verdict(True, "forwarded" if b"6.6.6.6" in seen.asked[-1] else "dropped")


PROBES = (
    Probe(
        "named-request",
        "fields named in Connection are removed",
        "9110 7.6.1",
        request("named-request", b"X-Secret: 1", b"Connection: keep-alive, X-Secret"),
        app_not_told(rb"\nx-secret:"),
    ),
    Probe(
        "hop-by-hop-request",
        "Keep-Alive and Proxy-Connection are removed",
        "9110 7.6.1",
        request("hop-by-hop-request", b"Keep-Alive: timeout=5", b"Proxy-Connection: keep-alive"),
        app_not_told(rb"\nkeep-alive:", rb"\nproxy-connection:"),
    ),
    Probe(
        "upgrade",
        "Upgrade: h2c is removed",
        "9110 7.8",
        request("upgrade", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk"),
        app_not_told(rb"\nupgrade:"),
    ),
    Probe("te", "TE is at most trailers", "9110 10.1.4", request("te", b"TE: gzip, trailers", b"Connection: TE"), _te),
    Probe(
        "both-lengths",
        "Content-Length and Transfer-Encoding: refused",
        "9112 6.1",
        request("both-lengths", b"Content-Length: 5", _CHUNKED, method=b"POST", body=_HELLO),
        refuses(also_fine=_length_removed),
    ),
    Probe(
        "two-lengths",
        "two different Content-Length: refused",
        "9112 6.3",
        request("two-lengths", b"Content-Length: 5", b"Content-Length: 6", method=b"POST", body=b"hello!"),
        refuses(),
    ),
    Probe(
        "signed-length",
        "Content-Length: +5 is refused",
        "9112 6.3",
        request("signed-length", b"Content-Length: +5", method=b"POST", body=b"hello"),
        refuses(),
    ),
    Probe(
        "gzip-chunked",
        "Transfer-Encoding: gzip, chunked is refused",
        "9112 6.1",
        request("gzip-chunked", b"Transfer-Encoding: gzip, chunked", method=b"POST", body=_HELLO),
        refuses(),
    ),
    Probe(
        "chunked-1-0",
        "Transfer-Encoding in HTTP/1.0: refused",
        "9112 6.1",
        request("chunked-1-0", _CHUNKED, method=b"POST", body=_HELLO).replace(b"HTTP/1.1", b"HTTP/1.0"),
        refuses(),
    ),
    Probe(
        "bad-chunk",
        "a chunk size that is none: refused or cut off",
        "9112 7.1",
        request("bad-chunk", _CHUNKED, method=b"POST", body=b"5x\r\nhello\r\n0\r\n\r\n"),
        lambda seen: Verdict(
            seen.status != 200 and (400 <= seen.status < 500 or seen.closed),
            seen.describe() if seen.status != 200 else "passes it on",
        ),
    ),
    Probe("no-host", "no Host: 400", "9112 3.2", request("no-host", host=False), refuses()),
    Probe("two-hosts", "two Hosts: 400", "9112 3.2", request("two-hosts", b"Host: evil.example"), refuses()),
    Probe(
        "absolute",
        "an absolute target replaces Host",
        "9112 3.2.2",
        b"GET http://other.example/probe/absolute HTTP/1.1\r\nHost: bench.example\r\n\r\n",
        _host_of_target,
    ),
    Probe(
        "folded",
        "a folded line is refused or unfolded",
        "9112 5.2",
        request("folded", b"X-Folded: one\r\n two"),
        refuses(also_fine=_unfolded),
    ),
    Probe(
        "space-before-colon",
        "space before a colon: 400",
        "9112 5.1",
        request("space-before-colon", b"X-Name : value"),
        refuses(),
    ),
    Probe("nul", "NUL in a value: refused", "9110 5.5", request("nul", b"X-Name: va\0lue"), refuses()),
    Probe(
        "bare-cr",
        "bare CR in a value: refused or replaced",
        "9112 2.2",
        request("bare-cr", b"X-Name: va\rX-Other: 1"),
        refuses(
            also_fine=lambda seen: Verdict(
                b"va\rx-other" not in seen.asked_head, "passes it on" if b"va\r" in seen.asked_head else "replaced"
            )
        ),
    ),
    Probe(
        "long-line",
        "a target of 2 MB: refused",
        "9112 3",
        request("long-line").replace(b" HTTP", b"?" + b"a" * 2_000_000 + b" HTTP", 1),
        refuses(),
    ),
    Probe(
        "long-head",
        "fields of 2 MB: refused",
        "6585 5",
        request("long-head", *(b"X-%d: %b" % (number, b"a" * 20_000) for number in range(100))),
        refuses(),
    ),
    Probe(
        "continue",
        "one 100 Continue, before the body",
        "9110 10.1.1",
        request("continue", b"Expect: 100-continue", b"Content-Length: 5", method=b"POST"),
        _one_continue,
        held_back=b"hello",
    ),
    Probe(
        "request-trailer",
        "a trailer is not merged into the header",
        "9110 6.5.1",
        request(
            "request-trailer",
            _CHUNKED,
            b"Trailer: X-Forwarded-For",
            method=b"POST",
            body=b"5\r\nhello\r\n0\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n",
        ),
        _trailer,
    ),
    Probe(
        "via",
        "Via is added for the app",
        "9110 7.6.3",
        request("via"),
        app_told(rb"\nvia:", "yes", "no"),
    ),
    Probe(
        "max-forwards",
        "TRACE with Max-Forwards: 0 goes no further",
        "9110 7.6.2",
        request("max-forwards", b"Max-Forwards: 0", method=b"TRACE"),
        lambda seen: Verdict(not seen.asked and seen.status > 0, "forwards" if seen.asked else seen.describe()),
    ),
    *(
        Probe(
            f"claims-{name.decode().lower()}",
            f"{name.decode()} of a stranger is not believed",
            "7239 8.1",
            request(f"claims-{name.decode().lower()}", b"%b: %b" % (name, value)),
            app_not_told(rb"\n%b:[^\r]*%b" % (name.lower(), re.escape(value)), left="passes it on"),
        )
        for name, value in (
            (b"X-Forwarded-For", b"6.6.6.6"),
            (b"X-Forwarded-Host", b"evil.example"),
            (b"X-Forwarded-Proto", b"https"),
            (b"Forwarded", b"for=6.6.6.6"),
        )
    ),
    Probe(
        "underscore",
        "X_Forwarded_For does not pose as the dashed one",
        "3875 4.1.18",
        request("underscore", b"X_Forwarded_For: 6.6.6.6"),
        app_not_told(rb"\nx_forwarded_for:", left="passes it on"),
    ),
    Probe(
        "escaped",
        "%2F stays as it is",
        "3986 2.2",
        request("escaped").replace(b" HTTP", b"/a%2Fb HTTP", 1),
        app_told(rb"^get /probe/escaped/a%2fb ", "as sent", "decoded"),
    ),
)
