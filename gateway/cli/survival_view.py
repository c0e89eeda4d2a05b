"""How a failure of a backend is found out, and what is done then, as `gateway explain` shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from gateway.config.backend import BackendConfig
from gateway.config.health import Outliers
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


def health_lines(backends: Mapping[str, BackendConfig]) -> Iterator[str]:
    """Nothing for an app in this process, nor for one address that is not checked."""
    for backend, config in backends.items():
        health, outliers = config.health, _outliers(config)
        if health is not None:
            yield (
                f"  {backend} is asked for {health.path} every {health.every:g} s; an address is down after "
                f"{_failures(health.unhealthy_after)}, and up again after {health.healthy_after} that pass"
            )
        if isinstance(outliers, Outliers):
            yield (
                f"  an address of {backend} is left out for {outliers.eject:g} s and more after "
                f"{_failures(outliers.consecutive)}, or {outliers.error_ratio:.0%} of {outliers.minimum} and "
                f"more in {outliers.window:g} s; at most {len(config.addresses) // 2} of {len(config.addresses)}"
            )


def health_data(backends: Mapping[str, BackendConfig]) -> Mapping[str, object]:
    """By backend, of those that are remote, with the settings that hold."""
    return {
        backend: {
            "checks": config.health.model_dump() if config.health is not None else None,
            "outliers": outliers.model_dump() if isinstance(outliers := _outliers(config), Outliers) else outliers,
        }
        for backend, config in backends.items()
        if config.addresses
    }


def _outliers(config: BackendConfig) -> Outliers | Literal["off"] | None:
    """None where there is no other address to turn to."""
    return (config.outliers or Outliers()) if len(config.addresses) > 1 else None


def _says(breaker: Breaker | str) -> str:
    if not isinstance(breaker, Breaker):
        return f"stays {breaker}, by hand"
    return (
        f"opens for {breaker.open:g} s after {_failures(breaker.consecutive)}, or {breaker.error_ratio:.0%} of "
        f"{breaker.minimum} and more in {breaker.window:g} s"
    )


def _failures(consecutive: int) -> str:
    return "1 failure" if consecutive == 1 else f"{consecutive} failures in a row"
