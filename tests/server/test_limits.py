from __future__ import annotations

import pytest

from gateway.server.limits import Limits


@pytest.mark.parametrize(
    ("limits", "tick"),
    [
        (Limits(), 0.5),
        (Limits(linger=100), 1.0),
        (Limits(header_timeout=0.2, linger=100), 0.05),
        (Limits(stream_lifetime=0.4), 0.1),
    ],
)
def test_deadlines_are_looked_at_in_time_for_the_shortest(limits: Limits, tick: float) -> None:
    assert limits.tick == tick
