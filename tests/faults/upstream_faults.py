"""Everything that an upstream may do instead of answering, by name."""

from __future__ import annotations

import asyncio
import random

from tests.faults.hostile import Fault, Turn

# Longer than the gateway of these tests waits for anything.
LATE = 1.5

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
SECOND = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"


async def hang_before_head(turn: Turn) -> None:
    await turn.hang()


async def hang_in_head(turn: Turn) -> None:
    await turn.say(turn.head[:25])
    await turn.hang()


async def hang_after_head(turn: Turn) -> None:
    await turn.say(turn.head)
    await turn.hang()


async def hang_mid_body(turn: Turn) -> None:
    await turn.say(turn.head, turn.content[:-20])
    await turn.hang()


async def hang_mid_chunk(turn: Turn) -> None:
    await turn.say(CHUNKED, b"10\r\nhalf")
    await turn.hang()


async def answer_too_late(turn: Turn) -> None:
    await asyncio.sleep(LATE)
    await turn.answer()


async def reset_before_head(turn: Turn) -> None:
    turn.reset()


async def reset_in_head(turn: Turn) -> None:
    await turn.say(turn.head[:25])
    turn.reset()


async def reset_after_head(turn: Turn) -> None:
    await turn.say(turn.head)
    await asyncio.sleep(random.choice((0, 0, 0.001, 0.01)))
    turn.reset()


async def reset_mid_body(turn: Turn) -> None:
    await turn.say(turn.head, turn.content[:-20])
    await asyncio.sleep(0.01)
    turn.reset()


async def close_before_head(turn: Turn) -> None:
    turn.finish()


async def close_in_head(turn: Turn) -> None:
    await turn.say(turn.head[:-2])
    turn.finish()


async def close_after_head(turn: Turn) -> None:
    """At once, or when the gateway may just have passed the head on."""
    await turn.say(turn.head)
    await asyncio.sleep(random.choice((0, 0, 0.001, 0.01)))
    turn.finish()


async def close_mid_chunk(turn: Turn) -> None:
    await turn.say(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"%x\r\n" % len(turn.content), turn.content
    )
    turn.finish()


async def half_close_before_head(turn: Turn) -> None:
    turn.end_own_side()
    await turn.hang()


async def half_close_mid_body(turn: Turn) -> None:
    await turn.say(turn.head, turn.content[:-20])
    turn.end_own_side()
    await turn.hang()


async def half_close_after_answer(turn: Turn) -> None:
    await turn.answer()
    turn.end_own_side()
    await turn.hang()


async def close_after_answer(turn: Turn) -> None:
    """Without having said so: the gateway may be about to use the connection again."""
    await turn.answer()
    turn.finish()


async def reset_after_answer(turn: Turn) -> None:
    await turn.answer()
    # The answer is on its way; a reset may not overtake it.
    await asyncio.sleep(0.005)
    turn.reset()


async def close_while_idle(turn: Turn) -> None:
    """About when the gateway takes the connection for its next request."""
    await turn.answer()
    await asyncio.sleep(random.uniform(0, 0.004))
    if not turn.asked_again:
        turn.finish()


async def slow_bytes(turn: Turn) -> None:
    every = turn.head + turn.content
    for at in range(100):
        await turn.say(every[at : at + 1])
        await asyncio.sleep(0.001)
    await turn.say(every[100:])


async def noise(turn: Turn) -> None:
    await turn.say(bytes(range(256)) * 8)
    await turn.hang()


async def another_protocol(turn: Turn) -> None:
    await turn.say(b"\x15\x03\x01\x00\x02\x02\x46")
    turn.finish()


async def bad_chunk_size(turn: Turn) -> None:
    await turn.say(CHUNKED, b"5\r\nhello\r\nxyz\r\n")
    await turn.hang()


async def many_fields(turn: Turn) -> None:
    fields = b"".join(b"X-Field-%d: value\r\n" % number for number in range(500))
    await turn.say(turn.head[:-2], fields, b"\r\n", turn.content)


async def large_head(turn: Turn) -> None:
    await turn.say(turn.head[:-2], b"X-Large: ", b"." * 200_000, b"\r\n\r\n", turn.content)


async def endless_head(turn: Turn) -> None:
    await turn.say(turn.head[:-2])
    for _ in range(300):
        await turn.say(b"X-More: ", b"." * 1000, b"\r\n")


async def endless_interim(turn: Turn) -> None:
    for _ in range(300):
        await turn.say(b"HTTP/1.1 100 Continue\r\nX-Filling: ", b"." * 1000, b"\r\n\r\n")


async def length_too_large(turn: Turn) -> None:
    await turn.say(f"HTTP/1.1 200 OK\r\nContent-Length: {len(turn.content) + 10}\r\n\r\n".encode(), turn.content)
    turn.finish()


async def length_too_small(turn: Turn) -> None:
    """The answer is whole; behind it stands what the next request could take for its own."""
    await turn.say(turn.head, turn.content, SECOND)


async def speak_unasked(turn: Turn) -> None:
    """On an idle connection: who sends the next request on it would take this for the answer."""
    await turn.answer()
    await asyncio.sleep(0.005)
    if not turn.asked_again:
        await turn.say(SECOND)


async def two_lengths(turn: Turn) -> None:
    await turn.say(turn.head[:-2], b"Content-Length: 5\r\n\r\n", turn.content)


async def bad_length(turn: Turn) -> None:
    await turn.say(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", turn.content)


async def another_coding(turn: Turn) -> None:
    await turn.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")


async def switch_unasked(turn: Turn) -> None:
    await turn.say(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", turn.content)


def _named(*faults: Fault) -> dict[str, Fault]:
    return {fault.__name__.replace("_", " "): fault for fault in faults}


HANGS = _named(hang_before_head, hang_in_head, hang_after_head, hang_mid_body, hang_mid_chunk, answer_too_late)
ENDS = _named(
    reset_before_head,
    reset_in_head,
    reset_after_head,
    reset_mid_body,
    close_before_head,
    close_in_head,
    close_after_head,
    close_mid_chunk,
    half_close_before_head,
    half_close_mid_body,
)
# Of these, those that leave no doubt: no byte of an answer that could be passed on.
BEFORE_ANSWER = sorted(
    {
        "hang before head",
        "hang in head",
        "answer too late",
        "reset before head",
        "reset in head",
        "close before head",
        "close in head",
        "half close before head",
        "noise",
        "another protocol",
        "many fields",
        "large head",
        "endless head",
        "endless interim",
        "two lengths",
        "bad length",
        "another coding",
        "switch unasked",
    }
)
# With these the answer itself is right.
AFTER = _named(
    half_close_after_answer, close_after_answer, reset_after_answer, close_while_idle, slow_bytes, length_too_small
)
UNASKED = _named(speak_unasked)
NONSENSE = _named(
    noise,
    another_protocol,
    bad_chunk_size,
    many_fields,
    large_head,
    endless_head,
    endless_interim,
    length_too_large,
    two_lengths,
    bad_length,
    another_coding,
    switch_unasked,
)
EVERY = HANGS | ENDS | AFTER | UNASKED | NONSENSE
