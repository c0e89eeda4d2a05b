from __future__ import annotations

import pytest

from gateway.config.problem import Problem
from gateway.control.messages import LONGEST, Draining, Failed, Message, Ready, Reloaded, decode, encode

PROBLEM = Problem("routes.yaml", 3, 9, "unknown backend 'lagacy'; did you mean 'legacy'?")


@pytest.mark.parametrize(
    "message",
    [
        Ready(digest="f96b50edf9f3"),
        Failed(problems=(PROBLEM,)),
        Failed(message="OSError: no space\nleft"),
        Reloaded(outcome="rejected", digest="f96b50edf9f3", problems=(PROBLEM,), seconds=0.01, at=1e9),
        Draining(),
    ],
)
def test_a_message_is_one_line_and_comes_back_as_it_was(message: Message) -> None:
    line = encode(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line) == message


@pytest.mark.parametrize("line", [b"", b"{}\n", b"hello\n", b'{"kind": "rady"}\n', b'{"kind": "ready"}\n'])
def test_what_is_no_message_is_an_error(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(line)


@pytest.mark.parametrize("text", ["x" * 1_000_000, "\x00" * 1_000_000, "\N{SNOWMAN}" * 1_000_000])
def test_a_line_is_bounded_whatever_goes_wrong_in_an_app(text: str) -> None:
    problems = tuple(Problem("routes.yaml", line, 1, text) for line in range(1000))
    assert len(encode(Failed(problems=problems, message=text))) < LONGEST
    assert len(encode(Failed(message=text))) < LONGEST
