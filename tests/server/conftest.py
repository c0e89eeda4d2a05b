from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.server.limits import Limits
from tests.server.serving import LOOPS, Served, hello

# Short enough for a test to wait for, and long enough for a busy machine.
HURRIED = Limits(
    header_timeout=0.2,
    body_timeout=0.2,
    send_timeout=0.2,
    keep_alive=0.2,
    linger=0.2,
    half_closed=0.08,
    half_closed_quiet=0.2,
)


@pytest.fixture(scope="package", params=list(LOOPS))
def _served(request: pytest.FixtureRequest) -> Iterator[Served]:
    served = Served(request.param)
    yield served
    served.stop()
    served.join()


@pytest.fixture
def served(_served: Served) -> Served:
    """A server with the limits of production, on each event loop."""
    _served.app = hello
    return _served


@pytest.fixture(scope="package", params=list(LOOPS))
def _hurried(request: pytest.FixtureRequest) -> Iterator[Served]:
    served = Served(request.param, HURRIED)
    yield served
    served.stop()
    served.join()


@pytest.fixture
def hurried(_hurried: Served) -> Served:
    """A server that waits for nothing longer than a fifth of a second."""
    _hurried.app = hello
    return _hurried
