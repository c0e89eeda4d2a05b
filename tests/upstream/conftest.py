from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop

Loops = Mapping[str, Callable[[], asyncio.AbstractEventLoop]]


@pytest.hookimpl(optionalhook=True)
def pytest_asyncio_loop_factories(item: pytest.Item) -> Loops:
    """The loop of `gateway run`, and for what depends on the loop also the one of other servers."""
    if "a_name_is_looked_up" in item.nodeid:
        # uvloop asks the C library, where no test can answer.
        return {"asyncio": asyncio.new_event_loop}
    if "test_ending" in item.nodeid or "test_exchange" in item.nodeid:
        return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}
    return {"uvloop": uvloop.new_event_loop}
