"""What had been counted at one moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import sub
from typing import NamedTuple

from gateway.telemetry.recorder import BOUNDS, DURATION, IN_FLIGHT, LIMIT_REFUSED, REFUSED, REQUESTS
from gateway.telemetry.slots import Key

# Route and backend.
Lane = tuple[str, str]
# Of requests in flight: `route` or `backend`, and which.
Limit = tuple[str, str]

_OF_LANES = frozenset((REQUESTS, DURATION, IN_FLIGHT))
_NO_BUCKETS = (0.0,) * (len(BOUNDS) + 1)


class Counts(NamedTuple):
    """What one lane has counted since the gateway's start; ``in_flight`` is what runs now.

    An error is a status of 500 and above: it is the app's or the gateway's fault, not the client's.
    """

    requests: float = 0.0
    errors: float = 0.0
    in_flight: float = 0.0
    buckets: Sequence[float] = _NO_BUCKETS

    def since(self, earlier: Counts) -> Counts:
        """What was counted after ``earlier``."""
        if self is earlier:
            return Counts(in_flight=self.in_flight)
        return Counts(
            self.requests - earlier.requests,
            self.errors - earlier.errors,
            self.in_flight,
            list(map(sub, self.buckets, earlier.buckets)),
        )


NOTHING = Counts()


@dataclass(frozen=True, slots=True)
class Sample:
    """All lanes at ``at``, in seconds of a clock that never goes back; and what was ``refused``, by reason."""

    at: float
    lanes: Mapping[Lane, Counts] = field(default_factory=dict)
    refused: Mapping[str, float] = field(default_factory=dict)
    refused_at: Mapping[Limit, float] = field(default_factory=dict)

    def of(self, lane: Lane) -> Counts:
        return self.lanes.get(lane, NOTHING)


def total(counts: Iterable[Counts]) -> Counts:
    """Several lanes as one."""
    lanes = list(counts)
    if len(lanes) == 1:
        return lanes[0]
    buckets = [each.buckets for each in lanes if each.requests]
    return Counts(
        sum(each.requests for each in lanes),
        sum(each.errors for each in lanes),
        sum(each.in_flight for each in lanes),
        list(map(sum, zip(*buckets, strict=True))) if buckets else _NO_BUCKETS,
    )


def sample_of(totals: Mapping[Key, Sequence[float]], at: float, before: Sample) -> Sample:
    """``totals`` by lane.

    A lane that has counted nothing since the sample ``before`` shares its numbers with it: what stands still takes no
    memory, however many samples are kept.
    """
    requests: dict[Lane, float] = {}
    errors: dict[Lane, float] = {}
    in_flight: dict[Lane, float] = {}
    buckets: dict[Lane, Sequence[float]] = {}
    refused: dict[str, float] = {}
    refused_at: dict[Limit, float] = {}
    for key, values in totals.items():
        kind = key[0]
        if kind not in _OF_LANES:
            if kind == REFUSED:
                refused[key[1]] = values[0]
            elif kind == LIMIT_REFUSED:
                limit = (key[1], key[2])
                refused_at[limit] = refused_at.get(limit, 0.0) + values[0]
            continue
        lane = (key[1], key[2])
        if kind == REQUESTS:
            requests[lane] = requests.get(lane, 0.0) + values[0]
            # The status is three digits, or `overflow` where labels were lost.
            if key[4] >= "500" and key[4].isdecimal():
                errors[lane] = errors.get(lane, 0.0) + values[0]
        elif kind == DURATION:
            buckets[lane] = values[1:]
        else:
            in_flight[lane] = values[0]
    lanes: dict[Lane, Counts] = {}
    for lane in requests.keys() | in_flight.keys():
        counts = Counts(
            requests.get(lane, 0.0),
            errors.get(lane, 0.0),
            in_flight.get(lane, 0.0),
            buckets.get(lane, _NO_BUCKETS),
        )
        known = before.lanes.get(lane)
        lanes[lane] = counts if known is None or known != counts else known
    return Sample(at, lanes, refused, refused_at)
