"""Rules of one template, where more than the method decides between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

from gateway.routing.particulars import Particulars
from gateway.routing.rule import Rule

T = TypeVar("T")


class Leaf(Generic[T]):
    """Rules of one shape of template with what they lead to, given in order of precedence."""

    __slots__ = ("_hosts", "_suffix_labels")

    def __init__(self, entries: Sequence[tuple[Rule, T]]) -> None:
        by_host: dict[str | None, list[tuple[Rule, T]]] = defaultdict(list)
        for entry in entries:
            by_host[entry[0].host].append(entry)
        self._hosts = {host: _Methods(of_host) for host, of_host in by_host.items()}
        wildcards = (host.count(".") for host in by_host if host is not None and host.startswith("*."))
        self._suffix_labels = sorted(set(wildcards), reverse=True)

    def pick(self, method: str, particulars: Particulars) -> tuple[Rule, T] | None:
        """The first entry that the request matches, or None."""
        for methods in self._for_host(particulars):
            for entry in methods.named.get(method, methods.unnamed):
                if entry[0].holds(particulars):
                    return entry
        return None

    def _for_host(self, particulars: Particulars) -> Iterator[_Methods[T]]:
        """Found by name, never by looking through them: a file may have a route for each of a thousand hosts."""
        if len(self._hosts) > 1 or None not in self._hosts:
            host = particulars.host
            if host in self._hosts:
                yield self._hosts[host]
            for labels in self._suffix_labels:
                parts = host.rsplit(".", labels)
                if len(parts) > labels and parts[0]:
                    wildcard = self._hosts.get(f"*.{'.'.join(parts[1:])}")
                    if wildcard is not None:
                        yield wildcard
        if None in self._hosts:
            yield self._hosts[None]


class _Methods(Generic[T]):
    """Entries of one host: for each method that one of them names, those that take it; and those that take any."""

    __slots__ = ("named", "unnamed")

    def __init__(self, entries: Sequence[tuple[Rule, T]]) -> None:
        self.unnamed = tuple(entry for entry in entries if not entry[0].methods)
        self.named = {
            method: tuple(entry for entry in entries if not entry[0].methods or method in entry[0].methods)
            for method in {method for rule, _ in entries for method in rule.methods}
        }
