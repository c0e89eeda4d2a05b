"""Whether a client got what it asked for: the judgement on one answer."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from tests.faults.stamped import Wanted
from tests.faults.wire import Fields, Malformed, field, read_body, read_head

# What a gateway may say of a backend that does not do its part.
FAILURES = frozenset((502, 503, 504))
_PROBLEM = {"type", "title", "status", "detail"}


class Verdict(Enum):
    """``BROKEN`` is visible to the client: an end before the end of the answer, or a 502, 503 or 504 that says so.

    ``WRONG`` is what a client could take for its answer and is not. ``LOST`` is no end at all.
    """

    RIGHT = "answered right"
    BROKEN = "broken visibly"
    WRONG = "wrong"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. ``fault`` is what the backend is to do instead of answering; "" for nothing."""

    method: str
    wanted: Wanted
    body: bytes = b""
    fault: str = ""
    chunked: bool = False

    def encoded(self) -> bytes:
        lines = [f"{self.method} {self.wanted.target} HTTP/1.1", "Host: shop.example"]
        if self.fault:
            lines.append(f"X-Fault: {self.fault}")
        body = self.body
        if self.chunked:
            lines.append("Transfer-Encoding: chunked")
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
        elif self.method != "GET":
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(frozen=True, slots=True)
class Judged:
    """``reason`` says what is not right. ``app`` is who answered, ``last`` whether the connection ends with it.

    ``begun`` tells of a connection that ended in the middle of an answer, and not before it.
    """

    verdict: Verdict
    reason: str = ""
    app: str = ""
    last: bool = False
    begun: bool = False


async def read_and_judge(
    reader: asyncio.StreamReader, asked: Asked, within: float, failures: Collection[int] = FAILURES
) -> Judged:
    """Read one answer, for ``within`` seconds. A problem+json with one of ``failures`` says that there is none."""
    begun = False
    try:
        async with asyncio.timeout(within):
            line, fields = await read_head(reader)
            begun = True
            body = await read_body(reader, fields, until_end=True)
            return judge(line, fields, body, asked, failures)
    except TimeoutError:
        return Judged(Verdict.LOST, f"no end within {within} s", last=True)
    except (EOFError, ConnectionError) as error:
        begun = begun or bool(getattr(error, "partial", b""))
        where = "in the middle of the answer" if begun else "before the answer"
        return Judged(Verdict.BROKEN, f"the connection ended {where}", last=True, begun=begun)
    except Malformed as error:
        return Judged(Verdict.WRONG, str(error), last=True)


def judge(line: str, fields: Fields, body: bytes, asked: Asked, failures: Collection[int] = FAILURES) -> Judged:
    """The answer is whole, as far as its framing goes."""
    version, _, status = line.partition(" ")
    if version != "HTTP/1.1" or not status[:3].isdecimal():
        return Judged(Verdict.WRONG, f"the status line {line[:80]!r}", last=True)
    code = int(status[:3])
    last = (field(fields, "connection") or "").lower() == "close"
    if b"Traceback" in body:
        return Judged(Verdict.WRONG, "a traceback", last=last)
    try:
        said = json.loads(body)
    except ValueError:
        return Judged(Verdict.WRONG, f"{code} with {body[:80]!r}", last=last)
    if code in failures:
        if field(fields, "content-type") == "application/problem+json" and set(said) >= _PROBLEM:
            return Judged(Verdict.BROKEN, f"{code} {said['detail']}", last=last)
        return Judged(Verdict.WRONG, f"{code} with {body[:80]!r}", last=last)
    wrong = _difference(code, said, asked)
    if wrong:
        return Judged(Verdict.WRONG, wrong, last=last)
    return Judged(Verdict.RIGHT, app=said["app"], last=last)


def _difference(code: int, said: object, asked: Asked) -> str:
    if code != 200 or not isinstance(said, dict) or "id" not in said:
        return f"{code} with {str(said)[:200]}"
    if said["id"] != asked.wanted.name:
        return f"the answer of {said['id']}"
    if said["got"] != hashlib.sha256(asked.body).hexdigest():
        return "the backend got another body"
    if len(said["fill"]) != asked.wanted.size or said["end"] != asked.wanted.name:
        return "something is missing"
    return ""
