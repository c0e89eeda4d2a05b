from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.dataplane.embedded import Echo, Serving


@pytest.fixture
def legacy() -> Echo:
    return Echo("legacy")


@pytest.fixture
def new() -> Echo:
    return Echo("new")


@pytest.fixture
async def serve(legacy: Echo, new: Echo) -> AsyncIterator[Serving]:
    serving = Serving(legacy, new)
    yield serving
    await serving.stop()
