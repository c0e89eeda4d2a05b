"""How one request stands in the access log: a line of JSON, or a line that begins as nginx' and Apache's do.

What a client wrote is escaped as JSON has it, in both: no line can be forged, and no terminal be driven. Headers,
cookies and the query stay out, for that is where secrets are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from json.encoder import encode_basestring_ascii as quoted
from typing import Final, Literal

# A request line may be longer; what is in the log of it has to end somewhere.
LONGEST_PATH: Final = 2048

Format = Literal["text", "json"]


# What is noted of a request: begun, first byte, ended, request id, client, method, path, HTTP version, route, backend,
# why that backend, status, size. A plain tuple, for a named one takes five times as long to make.
#
# The first three are ``time.perf_counter()``; the first byte is when the app's answer began, None if it never did. The
# id is one that needs no escaping. The size is the content's, in bytes, as it was sent; None for a WebSocket.
Entry = tuple[float, float | None, float, str, str, str, bytes, str, str, str, str, int, int | None]

# Routes, backends and reasons that are remembered: those of one file, and of some before it.
_MEMORY: Final = 4096


class Lines:
    """Formats entries. ``offset`` is what is added to ``time.perf_counter()`` to make it the time of day."""

    def __init__(self, form: Format) -> None:
        self._line: Callable[[Entry, float], str] = self._json if form == "json" else self._text
        self._json_form = form == "json"
        self._second = -1
        self._day = ""
        self._choices: dict[tuple[str, str, str], str] = {}

    def __call__(self, entries: Sequence[Entry], offset: float) -> bytes:
        line = self._line
        return "".join([line(entry, offset) for entry in entries]).encode("ascii")

    def _json(self, entry: Entry, offset: float) -> str:
        begun, first_byte, ended, request_id, client, method, path, _, route, backend, why, status, size = entry
        began = begun + offset
        second = int(began)
        if second != self._second:
            self._second = second
            self._day = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        choice = self._choices.get((route, backend, why)) or self._choice(route, backend, why)
        # With %, not with a format specifier, which takes twice as long for a float.
        seconds = "%.6f" % (ended - begun)
        first = "null" if first_byte is None else "%.6f" % (first_byte - begun)
        return (
            f'{{"time":"{self._day}.{int((began - second) * 1000):03d}Z","request_id":"{request_id}",'
            f'"client":{quoted(client) if client else "null"},"method":{quoted(method)},"path":{quoted(_shown(path))},'
            f'{choice},"status":{status},"bytes":{"null" if size is None else size},"seconds":{seconds},'
            f'"first_byte_seconds":{first}}}\n'
        )

    def _text(self, entry: Entry, offset: float) -> str:
        begun, first_byte, ended, request_id, client, method, path, version, route, backend, why, status, size = entry
        second = int(begun + offset)
        if second != self._second:
            self._second = second
            self._day = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(second))
        choice = self._choices.get((route, backend, why)) or self._choice(route, backend, why)
        seconds = "%.6f" % (ended - begun)
        first = "-" if first_byte is None else "%.6f" % (first_byte - begun)
        return (
            f"{quoted(client)[1:-1] or '-'} - - [{self._day}] {quoted(f'{method} {_shown(path)} HTTP/{version}')} "
            f"{status} {'-' if size is None else size} {choice} seconds={seconds} first_byte={first} id={request_id}\n"
        )

    def _choice(self, route: str, backend: str, why: str) -> str:
        if self._json_form:
            text = f'"route":{quoted(route)},"backend":{quoted(backend)},"why":"{why}"'
        else:
            text = f"route={quoted(route)} backend={backend} why={why}"
        if len(self._choices) >= _MEMORY:
            self._choices.clear()
        self._choices[route, backend, why] = text
        return text


def _shown(path: bytes) -> str:
    text = path.decode("latin-1")
    return text if len(text) <= LONGEST_PATH else text[:LONGEST_PATH] + "..."
