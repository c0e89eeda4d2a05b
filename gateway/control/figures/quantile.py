"""Latencies out of a histogram."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from gateway.telemetry.recorder import BOUNDS


def quantile(share: float, counts: Sequence[float]) -> float | None:
    """The latency in seconds that ``share`` (0 to 1) of the requests did not exceed; None without a request.

    ``counts`` are requests by bucket, as the recorder keeps them: one for each of BOUNDS, and one for what took longer.
    Only the bucket is known, so the place in it is interpolated: the true value lies in the same bucket, no further
    off than the bucket is wide (a factor of 2.5 from bound to bound up to 10 s, 3 beyond). What took longer than the
    last bound counts as that, as in Prometheus' histogram_quantile.
    """
    total = sum(counts)
    if total <= 0:
        return None
    wanted = share * total
    low = before = 0.0
    for bound, count, until in zip(BOUNDS, counts, accumulate(counts), strict=False):
        if count and until >= wanted:
            return low + (bound - low) * (wanted - before) / count
        low, before = bound, until
    return BOUNDS[-1]
