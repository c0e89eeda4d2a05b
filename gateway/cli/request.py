"""A request as it is written on the command line."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

_ABSOLUTE = re.compile(r"(?P<scheme>https?)://(?P<host>[^/?#]*)(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
# RFC 9110, 5.6.2: a token.
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


class RequestError(ValueError):
    """It is not written as a request. The text says how to write it."""


@dataclass(frozen=True, slots=True)
class Request:
    """``raw_path`` and ``query`` are as a client would send them; ``headers`` have lower-case names."""

    method: str
    scheme: str
    raw_path: bytes
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    client: str

    @classmethod
    def parse(cls, method: str, url: str, headers: Iterable[str], client: str) -> Self:
        """Raises RequestError."""
        if not _TOKEN.fullmatch(method):
            raise RequestError(f"'{method}' is not a method such as GET")
        fields = [_header(text) for text in headers]
        absolute = _ABSOLUTE.fullmatch(url)
        target = absolute["rest"] if absolute else url
        if absolute and not target.startswith("/"):
            target = "/" + target
        if not target.startswith("/"):
            raise RequestError(f"'{url}' is not a path that starts with a slash, and not a URL; did you mean '/{url}'?")
        if absolute and not any(name == b"host" for name, _ in fields):
            fields.append((b"host", absolute["host"].rpartition("@")[2].encode()))
        if client:
            try:
                ipaddress.ip_address(client)
            except ValueError:
                raise RequestError(f"'{client}' is not an IP address") from None
        # A fragment is never sent.
        path, _, query = target.partition("#")[0].partition("?")
        return cls(
            method=method.upper(),
            scheme=absolute["scheme"].lower() if absolute else "http",
            raw_path=path.encode("utf-8", "surrogateescape"),
            query=query.encode("utf-8", "surrogateescape"),
            headers=tuple(fields),
            client=client,
        )


def _header(text: str) -> tuple[bytes, bytes]:
    name, colon, value = text.partition(":")
    if not colon or not _TOKEN.fullmatch(name):
        raise RequestError(f"'{text}' is not a header; write it as 'Name: value'")
    return name.lower().encode(), value.strip().encode("utf-8", "surrogateescape")
