"""Live figures: rates, errors and latencies of the last seconds and minutes, out of counters that only grow."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.control.figures.quantile import quantile
from gateway.control.figures.sample import NOTHING, Counts, Lane, Limit, Sample, sample_of, total
from gateway.telemetry.slots import Key

# Seconds. Rates are of the last RATE, errors and latencies of the last WINDOW: fewer would make them jump.
RATE = 10.0
WINDOW = 60.0
# The charts: a point for every STEP, 15 minutes of them.
STEP = 10.0
STEPS = 90


@dataclass(frozen=True, slots=True)
class Figure:
    """A lane, or several as one.

    ``requests`` and ``errors`` count since the gateway's start, ``recent`` the requests of the last minute; ``rate`` is
    in requests a second, ``p50`` and ``p95`` in seconds, None where the last minute had no request.
    """

    requests: int
    errors: int
    in_flight: int
    recent: int
    rate: float
    error_ratio: float
    p50: float | None
    p95: float | None


@dataclass(frozen=True, slots=True)
class Point:
    """What a chart shows of one step. ``p95`` is None where there was no request."""

    rate: float = 0.0
    error_ratio: float = 0.0
    p95: float | None = None


_QUIET = Point()


class Figures:
    """Keeps what the windows and the charts need of the samples it is given, and no more.

    In memory are the samples of the last 10 seconds, one of each of the last seven steps, and the points of those
    lanes that had a request within the last 15 minutes.
    """

    def __init__(self, at: float) -> None:
        """``at`` is the time from which on samples will be given. Nothing has been counted before it."""
        first = Sample(at)
        self._recent = deque((first,))
        self._steps = deque((first,))
        self._step = 0
        self._points: dict[Lane, deque[tuple[int, Point]]] = {}

    @property
    def at(self) -> float:
        """The time of the last sample."""
        return self._recent[-1].at

    @property
    def step_at(self) -> float:
        """The end of the last point of the charts, in seconds of the samples' clock."""
        return self._steps[-1].at

    def sample(self, totals: Mapping[Key, Sequence[float]], at: float) -> None:
        """Take in what is counted by ``at``: a few times a second or once a step, the windows get only less sharp."""
        now = sample_of(totals, at, self._recent[-1])
        self._recent.append(now)
        _forget(self._recent, at - RATE)
        if at - self._steps[-1].at >= STEP:
            self._close_step(now)

    def figure(self, lanes: Iterable[Lane]) -> Figure:
        """``lanes`` as one."""
        lanes = list(lanes)
        now = self._recent[-1]
        counts = total(now.of(lane) for lane in lanes)
        window = total(now.of(lane).since(self._steps[0].of(lane)) for lane in lanes)
        base = self._recent[0]
        since = counts.requests - sum(base.of(lane).requests for lane in lanes)
        return Figure(
            requests=round(counts.requests),
            errors=round(counts.errors),
            # A sample is not taken at one instant: a request that ends meanwhile may be counted off first.
            in_flight=max(0, round(counts.in_flight)),
            recent=round(window.requests),
            rate=since / (now.at - base.at) if now.at > base.at else 0.0,
            error_ratio=_ratio(window),
            p50=quantile(0.5, window.buckets),
            p95=quantile(0.95, window.buckets),
        )

    def refused(self) -> dict[str, int]:
        """What was refused in the last minute, by reason; nothing of a reason that did not occur."""
        before = self._steps[0].refused
        lately = {reason: round(count - before.get(reason, 0)) for reason, count in self._recent[-1].refused.items()}
        return {reason: count for reason, count in lately.items() if count > 0}

    def refused_at(self, limit: Limit) -> int:
        """How many requests were refused there in the last minute."""
        return round(self._recent[-1].refused_at.get(limit, 0) - self._steps[0].refused_at.get(limit, 0))

    def lanes(self) -> Iterable[Lane]:
        """All that have ever been used or configured."""
        return self._recent[-1].lanes.keys()

    def points(self, lane: Lane) -> list[Point]:
        """The last STEPS steps of a lane, oldest first; the last one ends at ``step_at``.

        The lane with the route "" is the whole backend.
        """
        points = [_QUIET] * STEPS
        for step, point in self._points.get(lane, ()):
            place = step - self._step + STEPS - 1
            if place >= 0:
                points[place] = point
        return points

    def _close_step(self, now: Sample) -> None:
        before = self._steps[-1]
        seconds = now.at - before.at
        self._step += 1
        self._steps.append(now)
        _forget(self._steps, now.at - WINDOW)
        whole: dict[str, Counts] = {}
        for lane, counts in now.lanes.items():
            known = before.of(lane)
            if counts.requests > known.requests:
                since = counts.since(known)
                self._add(lane, since, seconds)
                whole[lane[1]] = total((whole.get(lane[1], NOTHING), since))
        for backend, counts in whole.items():
            self._add(("", backend), counts, seconds)
        oldest = self._step - STEPS
        self._points = {lane: points for lane, points in self._points.items() if points[-1][0] > oldest}

    def _add(self, lane: Lane, counts: Counts, seconds: float) -> None:
        point = Point(counts.requests / seconds, _ratio(counts), quantile(0.95, counts.buckets))
        self._points.setdefault(lane, deque(maxlen=STEPS)).append((self._step, point))


def _ratio(counts: Counts) -> float:
    return counts.errors / counts.requests if counts.requests else 0.0


def _forget(samples: deque[Sample], until: float) -> None:
    """Drop what is older than the window; the newest sample at or before its beginning stays, to count from."""
    while len(samples) > 1 and samples[1].at <= until:
        samples.popleft()
