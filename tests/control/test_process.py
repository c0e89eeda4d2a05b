from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from gateway.config.problem import Problem
from gateway.control.messages import LONGEST, Draining, Failed, Message, Ready, Reloaded, encode
from gateway.control.process import State, WorkerProcess

PROBLEM = Problem("routes.yaml", 3, 9, "unknown backend")


async def told(*lines: bytes) -> tuple[WorkerProcess, list[Message]]:
    """A worker that has told these lines, and what came of them."""
    reader = asyncio.StreamReader(limit=LONGEST)
    for line in lines:
        reader.feed_data(line)
    reader.feed_eof()
    worker = WorkerProcess(1, Path("numbers"), cast(Any, None), reader, cast(Any, None))
    return worker, [message async for message in worker.messages()]


async def test_a_worker_is_what_it_has_told() -> None:
    worker, messages = await told(encode(Ready(digest="a")))
    assert (worker.state, worker.digest) == (State.READY, "a")
    assert messages == [Ready(digest="a")]
    assert worker.served > 0

    refused = Reloaded(outcome="rejected", digest="a", problems=(PROBLEM,), seconds=0.01, at=1.0)
    worker, _ = await told(encode(Ready(digest="a")), encode(refused))
    assert (worker.digest, worker.rejected) == ("a", (PROBLEM,))

    applied = Reloaded(outcome="applied", digest="b", seconds=0.01, at=1.0)
    worker, _ = await told(encode(Ready(digest="a")), encode(refused), encode(applied), encode(Draining()))
    assert (worker.state, worker.digest, worker.rejected) == (State.DRAINING, "b", ())


async def test_a_worker_that_never_was_ready_has_served_no_second() -> None:
    worker, _ = await told(encode(Failed(problems=(PROBLEM,))))
    assert (worker.state, worker.served) == (State.STARTING, 0)
    assert worker.failure == Failed(problems=(PROBLEM,))


@pytest.mark.parametrize("line", [b"hello\n", b"x" * (LONGEST + 1) + b"\n"])
async def test_what_cannot_be_understood_is_an_error(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        await told(line)
