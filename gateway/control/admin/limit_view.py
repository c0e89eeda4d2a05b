"""Limits of requests in flight, as the admin API shows them."""

from __future__ import annotations

from pydantic import BaseModel, Field

from gateway.control.figures.figures import Figures
from gateway.control.figures.sample import Limit
from gateway.control.figures.sampler import Sampler


class LimitView(BaseModel):
    """What `limit` of a route or a backend does, over all workers."""

    in_flight: int = Field(description="Requests that it has let in, as of the last second.")
    allowed: int = Field(description="How many there may be: `in_flight` of the file, once for each worker.")
    waiting: int = Field(description="Requests that wait for their turn, as of the last second.")
    refused: int = Field(description="Requests that found no place within the last minute.")
    trouble: str = Field(default="", description="What to say of it to people; empty while all is well.")


def limit_views(sampler: Sampler, figures: Figures) -> dict[Limit, LimitView]:
    """Of all that the workers go by."""
    views = {}
    for limit, now in sampler.limits.items():
        refused = figures.refused_at(limit)
        trouble = "is at its limit: requests were refused within the last minute" if refused else ""
        views[limit] = LimitView(
            in_flight=now.in_flight, allowed=now.allowed, waiting=now.waiting, refused=refused, trouble=trouble
        )
    return views
