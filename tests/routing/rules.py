"""Short ways to write rules and requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.routing.table import Rule, Table
from gateway.routing.template import parse


def rule(
    path: str,
    methods: str = "",
    host: str | None = None,
    headers: Mapping[str, str | None] | None = None,
    query: Mapping[str, str | None] | None = None,
) -> Rule:
    """``methods`` has spaces between them; None as a value wants a header or query key to be there."""
    return Rule(
        parse(path),
        frozenset(methods.split()),
        host,
        tuple((name.lower().encode(), None if v is None else v.encode()) for name, v in (headers or {}).items()),
        tuple((query or {}).items()),
    )


def ask(
    table: Table[str],
    path: str,
    method: str = "GET",
    host: str | None = None,
    headers: Sequence[tuple[str, str]] = (),
    query: str = "",
) -> str | None:
    """What the table answers, after a look at whether ``explain`` agrees with ``match``."""
    fields = [(name.lower().encode(), value.encode()) for name, value in headers]
    if host is not None:
        fields.append((b"host", host.encode()))
    answer = table.match(method, path, fields, query.encode())
    explained = table.explain(method, path, fields, query.encode())
    assert next((value for value, reason in explained if reason is None), None) == answer
    return answer
