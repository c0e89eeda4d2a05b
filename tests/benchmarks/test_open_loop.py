"""Requests that are due are sent, whatever the server does."""

from __future__ import annotations

import pytest

from benchmarks.load import WrongAnswerError, get
from benchmarks.open_loop import offer
from tests.benchmarks.test_load import OK, Scripted, serving

SHED = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
HELLO = get("/", b"ok")


def test_good_answers_are_counted_and_timed() -> None:
    with serving(Scripted(OK)) as address:
        outcome = offer(address, HELLO, rate=100, seconds=0.3, connections=5, settle=0.1)
    assert 10 <= len(outcome.good) <= 40
    assert outcome.goodput == len(outcome.good) / 0.3
    assert all(0 < latency < 0.3 for latency in outcome.good)
    assert (outcome.shed, outcome.unsent) == ([], 0)


def test_a_503_that_says_when_to_come_again_is_no_wrong_answer() -> None:
    with serving(Scripted(SHED)) as address:
        outcome = offer(address, HELLO, rate=100, seconds=0.2, connections=5, settle=0.0)
    assert outcome.good == []
    assert len(outcome.shed) > 5


def test_any_other_answer_is_wrong() -> None:
    with serving(Scripted(OK.replace(b"200", b"503"))) as address, pytest.raises(WrongAnswerError):
        offer(address, HELLO, rate=100, seconds=0.2, connections=5, settle=0.0)


def test_what_finds_no_free_connection_is_counted() -> None:
    with serving(Scripted(b"HTTP/1.1 200 OK\r\n")) as address:
        outcome = offer(address, HELLO, rate=100, seconds=0.2, connections=2, settle=0.0)
    assert outcome.late == 2
    assert 5 <= outcome.unsent <= 18
