"""What is done when a backend fails, as `gateway explain` shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.config.safeguards import Safeguards
from gateway.config.survival import Breaker
from gateway.config.words import listed


def survival_lines(given: Mapping[str, Safeguards]) -> Iterator[str]:
    """Nothing for a backend that nothing is said of."""
    for backend, each in given.items():
        if each.fallback is not None:
            occasions = listed([str(occasion) for occasion in each.fallback.on], "or")
            yield f"  if {backend} fails with {occasions}, {each.fallback.to} answers what may be sent again"
        if each.breaker == "closed":
            yield f"  the breaker of {backend} stays closed, by hand"
        elif each.breaker is not None:
            share = f"{each.instead} has its share" if each.instead is not None else "it is answered 503"
            yield f"  the breaker of {backend} {_says(each.breaker)}; then {share}"


def survival_data(given: Mapping[str, Safeguards]) -> Mapping[str, object]:
    """By backend, with the settings that hold, also those that the file leaves out."""
    return {
        backend: {
            "fallback": each.fallback.model_dump(mode="json") if each.fallback is not None else None,
            "breaker": each.breaker.model_dump(mode="json") if isinstance(each.breaker, Breaker) else each.breaker,
            "instead": each.instead,
        }
        for backend, each in given.items()
        if each
    }


def _says(breaker: Breaker | str) -> str:
    if not isinstance(breaker, Breaker):
        return f"stays {breaker}, by hand"
    return (
        f"opens for {breaker.open:g} s after {breaker.consecutive} failures in a row, or {breaker.error_ratio:.0%} of "
        f"{breaker.minimum} and more in {breaker.window:g} s"
    )
