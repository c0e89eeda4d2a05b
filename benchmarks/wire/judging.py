"""How to tell from what was seen whether a rule was kept, and the words for it."""

from __future__ import annotations

import re
from collections.abc import Callable

from benchmarks.wire.probe import Seen, Verdict

Judge = Callable[[Seen], Verdict]


def request(name: str, *lines: bytes, method: bytes = b"GET", body: bytes = b"", host: bool = True) -> bytes:
    """A request for the probe of that name, from its fields."""
    fields = [b"Host: bench.example"] if host else []
    return b"\r\n".join([b"%b /probe/%b HTTP/1.1" % (method, name.encode()), *fields, *lines, b"", body])


def refuses(*, also_fine: Judge | None = None, otherwise: str = "passes it on") -> Judge:
    """The client is told so, or cut off, and the app hears nothing of it. ``also_fine`` looks at what got through."""

    def judge(seen: Seen) -> Verdict:
        if seen.refused:
            return Verdict(True, seen.describe())
        if also_fine is not None and seen.asked:
            return also_fine(seen)
        return Verdict(False, otherwise if seen.asked else seen.describe())

    return judge


def app_not_told(*patterns: bytes, gone: str = "removed", left: str = "leaks") -> Judge:
    """None of the patterns, in lower case, is in what the app was asked. Refusing the request is as good."""

    def judge(seen: Seen) -> Verdict:
        if seen.refused:
            return Verdict(True, seen.describe())
        if not seen.asked:
            return Verdict(False, seen.describe())
        found = [pattern for pattern in patterns if re.search(pattern, seen.asked_head)]
        return Verdict(not found, left if found else gone)

    return judge


def app_told(pattern: bytes, yes: str, no: str) -> Judge:
    def judge(seen: Seen) -> Verdict:
        if not seen.asked:
            return Verdict(False, seen.describe())
        told = re.search(pattern, seen.asked_head) is not None
        return Verdict(told, yes if told else no)

    return judge


def client_not_told(*patterns: bytes, gone: str = "removed", left: str = "leaks", status: int = 200) -> Judge:
    """None of the patterns, in lower case, is in the head that the client gets."""

    def judge(seen: Seen) -> Verdict:
        if seen.status != status:
            return Verdict(False, seen.describe())
        found = [pattern for pattern in patterns if re.search(pattern, seen.told_head)]
        return Verdict(not found, left if found else gone)

    return judge


def client_told(pattern: bytes, yes: str, no: str) -> Judge:
    def judge(seen: Seen) -> Verdict:
        told = re.search(pattern, seen.told_head) is not None
        return Verdict(told, yes if told else no) if seen.status == 200 else Verdict(False, seen.describe())

    return judge


def bad_gateway(seen: Seen) -> Verdict:
    """The answer is none: the client is told so, or cut off."""
    if seen.status in (502, 503) or (not seen.told and seen.closed):
        return Verdict(seen.status == 502, seen.describe())
    return Verdict(False, f"passes it on as {seen.status}" if seen.status else seen.describe())


def visibly_broken(seen: Seen) -> Verdict:
    """What the client has got cannot be taken for a whole answer."""
    if seen.status == 502:
        return Verdict(True, "502")
    if seen.status != 200:
        return Verdict(False, seen.describe())
    if not seen.closed:
        return Verdict(False, "the client waits for more")
    length = re.search(rb"\ncontent-length: *(\d+)", seen.told_head)
    if length:
        broken = len(seen.told_content) < int(length[1])
    elif b"\ntransfer-encoding: chunked" in seen.told_head:
        broken = not seen.told_content.endswith(b"0\r\n\r\n")
    else:
        broken = False
    return Verdict(broken, "cut off" if broken else "ends as if it were whole")


def content(seen: Seen) -> bytes:
    """The content that the client has got, out of its chunks."""
    if b"\ntransfer-encoding: chunked" not in seen.told_head:
        return seen.told_content
    left, found = seen.told_content, b""
    while left:
        size_line, _, left = left.partition(b"\r\n")
        size = int(size_line.partition(b";")[0] or b"0", 16)
        if not size:
            break
        found, left = found + left[:size], left[size + 2 :]
    return found
