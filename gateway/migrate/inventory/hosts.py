"""From a host with parameters, as apps have it, to the host of a route."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.migrate.inventory.endpoint import Parameter
from gateway.migrate.inventory.segments import Unroutable
from gateway.routing.host import HostError, host_pattern


def build_host(parts: Sequence[str | Parameter]) -> tuple[str | None, tuple[str, ...]]:
    """The host, None for any, and how it is wider than ``parts``; raises Unroutable.

    A parameter anywhere makes the name open to its left: ``{tenant}.eu.example.com`` is ``*.eu.example.com``.
    """
    written = "".join(part if isinstance(part, str) else f"{{{part.name}}}" for part in parts)
    last = max((at for at, part in enumerate(parts) if isinstance(part, Parameter)), default=None)
    if last is None:
        return _pattern(written), ()
    tail = "".join(part for part in parts[last + 1 :] if isinstance(part, str))
    note = f"the host '{written}' has other names, too, that match here"
    _, dot, suffix = tail.partition(".")
    if not dot or not suffix.partition(":")[0]:
        return None, (note,)
    return _pattern(f"*.{suffix}"), (note,)


def _pattern(text: str) -> str:
    name = text if text.startswith("[") or text.count(":") > 1 else text.partition(":")[0]
    try:
        return host_pattern(name)
    except HostError as error:
        raise Unroutable(str(error)) from None
