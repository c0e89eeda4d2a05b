"""The sections of the file that say what happens when a backend fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Discriminator, Field, Tag

from gateway.config.values import Model, Name, Seconds

# What is written where there is to be no fallback; no backend can be meant by it there.
NO_FALLBACK: Final = "none"

Occasion = Annotated[int, Field(ge=400, le=599)] | Literal["connect", "timeout"]


class Fallback(Model):
    """Who answers for a backend that has failed before the first byte of its answer, and when."""

    to: Name = Field(description="The backend that answers instead.")
    on: tuple[Occasion, ...] = Field(
        default=(502, 503, 504, "connect", "timeout"),
        strict=False,
        min_length=1,
        description=(
            "A status, of the app's or of the gateway's in its place; `connect`: the app cannot be reached; `timeout`: "
            "it takes too long. With 404, what the new app does not have yet the old one answers."
        ),
        examples=[[404, 405, 502, 503, 504, "connect", "timeout"]],
    )
    body: int = Field(
        default=64 * 1024,
        ge=0,
        le=16 * 1024 * 1024,
        description="The longest request body, in bytes, that is kept so that it can be sent again.",
    )
    repeatable: bool = Field(
        default=False,
        description=(
            "`true` says that on this route also POST and PATCH may be sent again: both apps then make of two such "
            "requests one, by an `Idempotency-Key` that they share, say."
        ),
    )


class Breaker(Model):
    """When a backend is left alone, and how it comes back. Each route has its own breaker for it, in each worker."""

    error_ratio: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="It opens at this share of failures: answers of 500 and above, time-outs, no answer.",
    )
    consecutive: int = Field(default=5, ge=1, le=10_000, description="It opens after so many failures in a row, too.")
    window: Annotated[float, Field(ge=1, le=3600)] = Field(
        default=10.0, description="The share is that of so many seconds."
    )
    minimum: int = Field(
        default=20, ge=1, le=1_000_000, description="With fewer requests than this in the window there is no share."
    )
    open: Seconds = Field(default=10.0, description="For how many seconds it stays open.")
    probes: int = Field(
        default=3, ge=1, le=1000, description="How many requests are then tried at once; if all succeed, it closes."
    )
    ramp: Annotated[float, Field(ge=0, le=86_400)] = Field(
        default=30.0, description="For how many seconds the share that it lets through grows until it is all."
    )


def _form_of_fallback(value: object) -> str | None:
    return "backend" if isinstance(value, str) else "settings" if isinstance(value, Mapping | Fallback) else None


FallbackSetting = Annotated[
    Annotated[Name, Tag("backend"), Field(title="Backend", description="The backend that answers instead, or `none`.")]
    | Annotated[Fallback, Tag("settings")],
    Discriminator(_form_of_fallback),
]


def _form_of_breaker(value: object) -> str | None:
    return "word" if isinstance(value, str) else "settings" if isinstance(value, Mapping | Breaker) else None


BreakerSetting = Annotated[
    Annotated[
        Literal["off", "open", "closed"],
        Tag("word"),
        Field(title="By hand", description="No breaker, or one that stays `open` or `closed`."),
    ]
    | Annotated[Breaker, Tag("settings")],
    Discriminator(_form_of_breaker),
]


def fallback_of(setting: str | Fallback | None, default: str | Fallback | None) -> Fallback | None:
    """What a route's ``fallback`` comes to, given that of ``defaults``."""
    chosen = default if setting is None else setting
    if chosen is None or chosen == NO_FALLBACK:
        return None
    return Fallback(to=chosen) if isinstance(chosen, str) else chosen
