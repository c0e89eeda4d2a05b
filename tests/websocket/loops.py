"""Runs a test on both event loops: their transports differ where it hurts, in how a connection ends."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}

# Seconds that a test may wait for what it waits for.
PATIENCE = 5.0


AsyncTest = Callable[..., Coroutine[Any, Any, None]]


def on_each_loop(test: AsyncTest) -> Callable[..., None]:
    """A test function for the coroutine function ``test``, which may take fixtures."""
    return _on(tuple(LOOPS), test)


def on_one_loop(test: AsyncTest) -> Callable[..., None]:
    """For what mostly waits, and is no affair of the loop."""
    return _on(("uvloop",), test)


def _on(loops: tuple[str, ...], test: AsyncTest) -> Callable[..., None]:

    async def in_time(**fixtures: Any) -> None:
        async with asyncio.timeout(PATIENCE):
            await test(**fixtures)
        # What the test has begun has an end, and no transport is left to the garbage collector.
        await asyncio.sleep(0)

    def run(loop: str, **fixtures: Any) -> None:
        with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
            runner.run(in_time(**fixtures))

    signature = inspect.signature(test)
    loop = inspect.Parameter("loop", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    run.__signature__ = signature.replace(parameters=[loop, *signature.parameters.values()])  # type: ignore[attr-defined]
    run.__name__, run.__doc__, run.__module__ = test.__name__, test.__doc__, test.__module__
    parametrized: Callable[..., None] = pytest.mark.parametrize("loop", loops)(run)
    return parametrized


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until ``condition`` holds; the test's own time is the limit."""
    while not condition():
        await asyncio.sleep(0.002)
