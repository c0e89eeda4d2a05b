"""What protects a route from one of its backends: the keys of the route, of `defaults` and of the backend together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gateway.config.model import Config, RouteConfig
from gateway.config.survival import Breaker, Fallback, fallback_of


@dataclass(frozen=True, slots=True)
class Safeguards:
    """``instead`` is the backend that has the share of this one while its breaker is open; None where nobody has."""

    fallback: Fallback | None
    breaker: Breaker | Literal["open", "closed"] | None
    instead: str | None

    def __bool__(self) -> bool:
        return self.fallback is not None or self.breaker is not None


def safeguards(config: Config, route: RouteConfig | None, backend: str) -> Safeguards:
    """For what ``route`` sends to ``backend``; None stands for what no route names.

    A backend is no fallback for itself. There is a breaker unasked where a fallback makes it safe to have one.
    """
    fallback, alone, own = None, True, None
    if route is not None:
        fallback = fallback_of(route.fallback, config.defaults.fallback)
        alone = sum(weight > 0 for _, weight in route.weights) == 1
        own = route.breaker if backend != config.default else None
    if fallback is not None and fallback.to == backend:
        fallback = None
    chosen = own if own is not None else config.backends[backend].breaker
    if chosen is None and fallback is not None:
        chosen = Breaker()
    instead = None
    if fallback is not None:
        instead = fallback.to
    elif not alone and backend != config.default:
        instead = config.default
    return Safeguards(fallback, None if chosen == "off" else chosen, instead)
