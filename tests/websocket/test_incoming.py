"""From bytes to messages: however they are cut into fragments and into reads."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import SERVER, Protocol

from gateway.websocket.incoming import Incoming, Message

# Drawn byte by byte, one long message would be more than Hypothesis allows a whole example.
LONG = st.builds(lambda seed, size: Random(seed).randbytes(size), st.integers(0, 255), st.integers(5000, 9000))
MESSAGES = st.lists(st.one_of(st.text(max_size=300), st.binary(max_size=300), LONG))


def incoming(read_ahead: int = 1 << 30) -> Incoming:
    return Incoming(Protocol(SERVER, max_size=1 << 20), read_ahead)


def wire(message: Message, cuts: list[int]) -> bytes:
    """The frames of ``message``, cut into fragments at these places, with a ping between any two."""
    data, first = (message.encode(), Opcode.TEXT) if isinstance(message, str) else (message, Opcode.BINARY)
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    ping = Frame(Opcode.PING, b"?").serialize(mask=True)
    frames = [
        Frame(Opcode.CONT if number else first, data[start:end], fin=number == len(cuts)).serialize(mask=True)
        for number, (start, end) in enumerate(pairwise(places))
    ]
    return ping.join(frames)


@settings(max_examples=40)
@given(MESSAGES, st.lists(st.integers(0, 9000), max_size=3), st.integers(1, 20_000))
def test_messages_are_what_was_sent(messages: list[Message], cuts: list[int], read: int) -> None:
    arriving = incoming()
    data = b"".join(wire(message, cuts) for message in messages)
    for start in range(0, len(data), read):
        arriving.feed(data[start : start + read])
    assert list(arriving.messages) == messages
    assert [type(message) for message in arriving.messages] == [type(message) for message in messages]


@settings(max_examples=40)
@given(MESSAGES, st.integers(0, 20_000))
def test_what_is_full_waits_and_loses_nothing(messages: list[Message], read_ahead: int) -> None:
    arriving = incoming(read_ahead)
    arriving.feed(b"".join(wire(message, []) for message in messages))
    taken = []
    while arriving.messages or arriving.unparsed:
        # What waits is at most one slice, or one message, more than it may.
        assert sum(map(len, arriving.messages)) <= read_ahead + 9000 + 4096
        while arriving.messages:
            taken.append(arriving.take())
        assert not arriving.full
        arriving.feed(b"")
    assert taken == messages


def test_pongs_are_not_counted() -> None:
    arriving = incoming()
    for opcode, count in ((Opcode.PONG, 0), (Opcode.PING, 1), (Opcode.TEXT, 2), (Opcode.BINARY, 3)):
        arriving.feed(Frame(opcode, b"").serialize(mask=True))
        assert arriving.frames == count


def test_empty_fragments_take_no_memory() -> None:
    arriving = incoming()
    arriving.feed(Frame(Opcode.TEXT, b"a", fin=False).serialize(mask=True))
    arriving.feed(Frame(Opcode.CONT, b"", fin=False).serialize(mask=True) * 1000)
    assert not arriving.unparsed
    arriving.feed(Frame(Opcode.CONT, b"b").serialize(mask=True))
    assert arriving.take() == "ab"


def test_what_is_dropped_is_still_parsed() -> None:
    parser = Protocol(SERVER, max_size=1 << 20)
    arriving = Incoming(parser, 10)
    arriving.feed(
        Frame(Opcode.BINARY, b"x" * 5000).serialize(mask=True) * 3 + Frame(Opcode.CLOSE, b"").serialize(mask=True)
    )
    assert arriving.full
    assert arriving.unparsed
    arriving.drop()
    assert not arriving.messages
    assert not arriving.unparsed
    assert parser.close_rcvd is not None
