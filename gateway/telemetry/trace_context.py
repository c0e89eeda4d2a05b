"""W3C Trace Context, level 1: reading, making and continuing ``traceparent``. No I/O."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

TRACEPARENT: Final = b"traceparent"
TRACESTATE: Final = b"tracestate"

SAMPLED: Final = 0x01

# 3.2.2: lower case only. What a later version appends begins with another dash.
_TRACEPARENT: Final = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_NO_TRACE: Final = b"0" * 32
_NO_SPAN: Final = b"0" * 16


class Parent(NamedTuple):
    """What a valid ``traceparent`` says. The ids are numbers above 0."""

    trace_id: int
    span_id: int
    sampled: bool


def read(fields: Iterable[tuple[bytes, bytes]]) -> Parent | None:
    """The parent in a request's header fields; None if there is none, or none that counts.

    3.2: a value that cannot be read is as good as none, and so are two of them.
    """
    found: bytes | None = None
    for name, value in fields:
        if name == TRACEPARENT:
            if found is not None:
                return None
            found = value
    return None if found is None else _parse(found)


def _parse(value: bytes) -> Parent | None:
    match = _TRACEPARENT.fullmatch(value)
    if match is None:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    # 3.2.2.1: ff is no version. 4.3: of later ones, what is known is read.
    if version == b"ff" or (version == b"00" and more is not None) or trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return None
    return Parent(int(trace_id, 16), int(span_id, 16), bool(int(flags, 16) & SAMPLED))


def write(trace_id: int, span_id: int, *, sampled: bool) -> bytes:
    """The value of ``traceparent``, in version 00."""
    return b"00-%032x-%016x-%02x" % (trace_id, span_id, SAMPLED if sampled else 0)


# Ids must be different, not secret. The module's own generator is seeded anew in each process that is forked.


def new_trace_id() -> int:
    return random.getrandbits(128) or 1


def new_span_id() -> int:
    return random.getrandbits(64) or 1


def drawn(share: float) -> bool:
    """Whether one trace is kept, of which ``share`` (0 to 1) are."""
    return random.random() < share  # noqa: S311
