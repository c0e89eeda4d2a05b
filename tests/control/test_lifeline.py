from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time

import pytest

from gateway.control.lifeline import Lifeline
from gateway.control.messages import Draining, Ready, decode


async def test_messages_arrive_in_order_and_the_end_of_control_is_noticed() -> None:
    ours, theirs = socket.socketpair()
    lost = asyncio.Event()
    # Its thread ends this process after the limit, and outlives this test: nobody's tests take eleven days.
    lifeline = await Lifeline.connect(theirs.detach(), lost.set, limit=1e6)
    lifeline.send(Ready(digest="f96b50edf9f3"))
    lifeline.send(Draining())
    reader, writer = await asyncio.open_unix_connection(sock=ours)
    assert decode(await reader.readline()) == Ready(digest="f96b50edf9f3")
    assert decode(await reader.readline()) == Draining()
    assert not lost.is_set()
    writer.close()
    async with asyncio.timeout(2):
        await lost.wait()
    lifeline.send(Draining())  # to nobody: no error
    await lifeline.close()


@pytest.mark.parametrize("stuck", ["time.sleep(60)", "await asyncio.sleep(60)"])
def test_a_process_that_does_not_end_by_itself_is_ended_after_the_limit(stuck: str) -> None:
    """Even if the event loop never comes back: the listening socket must be free for the next start."""
    ours, theirs = socket.socketpair()
    program = (
        "import asyncio, time\n"
        "from gateway.control.lifeline import Lifeline\n"
        "async def main():\n"
        f"    await Lifeline.connect({theirs.fileno()}, lambda: None, limit=0.1)\n"
        "    print('up', flush=True)\n"
        f"    {stuck}\n"
        "asyncio.run(main())\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], pass_fds=[theirs.fileno()], stdout=subprocess.PIPE, text=True
    )
    theirs.close()
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        begun = time.monotonic()
        ours.close()
        assert process.wait(5) == 1
        assert time.monotonic() - begun < 1
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
