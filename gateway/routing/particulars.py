"""What a rule may ask of a request beside its path and method."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qsl

from gateway.routing.host import request_host


class Particulars:
    """Host, header fields and query of one request, each read when a rule first asks for it: most never do."""

    __slots__ = ("_fields", "_headers", "_host", "_query", "_query_string")

    def __init__(self, headers: Iterable[tuple[bytes, bytes]], query_string: bytes) -> None:
        self._headers = headers if isinstance(headers, (list, tuple)) else list(headers)
        self._query_string = query_string
        self._host: str | None = None
        self._fields: dict[bytes, list[bytes]] | None = None
        self._query: dict[str, str] | None = None

    @property
    def host(self) -> str:
        """In the form of host.py; "" when the request has none."""
        if self._host is None:
            self._host = request_host(self._headers)
        return self._host

    @property
    def fields(self) -> dict[bytes, list[bytes]]:
        """Every value of every header field. Field lines are not joined with commas and not split at them."""
        if self._fields is None:
            self._fields = {}
            for name, value in self._headers:
                self._fields.setdefault(name, []).append(value)
        return self._fields

    @property
    def query(self) -> dict[str, str]:
        """The query as application/x-www-form-urlencoded; of a key that is repeated, the first value."""
        if self._query is None:
            self._query = {}
            text = self._query_string.decode("utf-8", "replace")
            for name, value in parse_qsl(text, keep_blank_values=True, errors="replace"):
                self._query.setdefault(name, value)
        return self._query
