"""What one route matches, and which of two routes goes first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.routing.host import host_pattern
from gateway.routing.particulars import Particulars
from gateway.routing.template import Template


@dataclass(frozen=True, slots=True)
class Rule:
    """The matching half of a route.

    ``methods``: any when empty. ``host``: any when None; a text that is not a host raises HostError. ``headers``
    (with lower-case names) and ``query`` want an exact value, or with None any value. All of them must hold.

    A header field that a request repeats matches if any of its lines has the value: the gateway then agrees with an
    app that reads the first of them, the last or all. A repeated query key counts with its first value, as in Flask.
    """

    template: Template
    methods: frozenset[str] = frozenset()
    host: str | None = None
    headers: tuple[tuple[bytes, bytes | None], ...] = ()
    query: tuple[tuple[str, str | None], ...] = ()

    def __post_init__(self) -> None:
        if self.host is not None:
            object.__setattr__(self, "host", host_pattern(self.host))

    @property
    def conditional(self) -> bool:
        return bool(self.headers or self.query)

    @property
    def rank(self) -> tuple[int, int, bool, int, int]:
        """Precedence among rules of one template shape, lowest first: rules of equal rank that overlap tie.

        Exact host, then wildcards with more labels first, then any host; named methods before any method; more
        header matches before fewer; more query matches before fewer.
        """
        if self.host is None:
            host = (2, 0)
        elif self.host.startswith("*."):
            host = (1, -self.host.count("."))
        else:
            host = (0, 0)
        return (*host, not self.methods, -len(self.headers), -len(self.query))

    @property
    def order(self) -> tuple[Any, ...]:
        """Precedence among all rules, lowest first.

        Rules of which neither goes before the other follow in order of their text, so that the order of the file
        shows nowhere.
        """
        return (
            self.template.shape,
            self.rank,
            self.host or "",
            sorted(self.methods),
            sorted((name, value is not None, value or b"") for name, value in self.headers),
            sorted((name, value is not None, value or "") for name, value in self.query),
        )

    def holds(self, particulars: Particulars) -> bool:
        """Whether header and query matches hold."""
        for name, value in self.headers:
            values = particulars.fields.get(name)
            if values is None or (value is not None and value not in values):
                return False
        for key, wanted in self.query:
            sent = particulars.query.get(key)
            if sent is None or (wanted is not None and sent != wanted):
                return False
        return True

    def refusal(self, method: str, particulars: Particulars) -> str | None:
        """Why a request whose path matches is not for this rule, in words; None if it is."""
        if self.host is not None and not _host_matches(self.host, particulars.host):
            return f"host is {_quoted(particulars.host)}, not {self.host}"
        if self.methods and method not in self.methods:
            return f"method is {method}, not {' or '.join(sorted(self.methods))}"
        for name, value in self.headers:
            values = particulars.fields.get(name)
            shown = name.decode("latin-1")
            if values is None:
                return f"there is no header {shown}"
            if value is not None and value not in values:
                sent = " and ".join(_quoted(v.decode("latin-1")) for v in values)
                return f"header {shown} is {sent}, not {_quoted(value.decode('latin-1'))}"
        for key, wanted in self.query:
            got = particulars.query.get(key)
            if got is None:
                return f"there is no query parameter {key}"
            if wanted is not None and got != wanted:
                return f"query parameter {key} is {_quoted(got)}, not {_quoted(wanted)}"
        return None


def _host_matches(pattern: str, host: str) -> bool:
    if pattern.startswith("*."):
        # A dot must stand before the suffix and something before the dot.
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return host == pattern


def _quoted(text: str) -> str:
    return f"'{text}'"
