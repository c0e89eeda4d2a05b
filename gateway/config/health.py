"""The sections of the file that say how the health of a remote app is found out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag

from gateway.config.values import Model, Seconds


class HealthCheck(Model):
    """Each address of a remote app is asked, whether there is traffic or not."""

    path: Annotated[str, StringConstraints(pattern=r"^/[!-\"$-~]*$", max_length=2000)] = Field(
        description="What is asked with GET. A status from 200 to 399 is well; redirects are not followed.",
        examples=["/healthz"],
    )
    every: Annotated[float, Field(ge=0.1, le=3600)] = Field(
        default=5.0, description="Seconds from one check to the next, give or take a tenth."
    )
    timeout: Seconds = Field(default=2.0, description="Seconds until a check without an answer has failed.")
    healthy_after: int = Field(
        default=2, ge=1, le=100, description="An address is back after so many checks in a row have passed."
    )
    unhealthy_after: int = Field(
        default=3, ge=1, le=100, description="An address is down after so many checks in a row have failed."
    )


class Outliers(Model):
    """When one of several addresses gets no requests because those that it got have failed.

    Each worker decides by its own requests. Never more than half of the addresses are left out, by this and by
    `health` together; when all are bad, none is.
    """

    consecutive: int = Field(default=5, ge=1, le=10_000, description="After so many failures in a row.")
    error_ratio: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="At this share of failures: answers of 500 and above but 501, time-outs, no answer.",
    )
    window: Annotated[float, Field(ge=1, le=3600)] = Field(
        default=10.0, description="The share is that of so many seconds."
    )
    minimum: int = Field(
        default=20, ge=1, le=1_000_000, description="With fewer requests than this in the window there is no share."
    )
    eject: Seconds = Field(
        default=10.0,
        description="For how many seconds it is left out the first time; up to ten times as long if it fails again.",
    )
    slow_start: Annotated[float, Field(ge=0, le=86_400)] = Field(
        default=30.0, description="For how many seconds its share grows when it is back, until it is whole."
    )


def _form_of_outliers(value: object) -> str | None:
    return "word" if isinstance(value, str) else "settings" if isinstance(value, Mapping | Outliers) else None


OutliersSetting = Annotated[
    Annotated[
        Literal["off"], Tag("word"), Field(title="Off", description="No address is left out for what requests met.")
    ]
    | Annotated[Outliers, Tag("settings")],
    Discriminator(_form_of_outliers),
]
