from __future__ import annotations

from gateway.control.admin.sessions import LIFETIME, Sessions
from gateway.control.admin.tokens import Right


def test_a_session_has_its_right_until_it_ends() -> None:
    sessions = Sessions()
    name = sessions.begin(Right.READ, 100.0)
    assert sessions.right(name, 100.0 + LIFETIME - 1) is Right.READ
    assert sessions.right(name, 100.0 + LIFETIME) is Right.NONE
    other = sessions.begin(Right.CHANGE, 100.0)
    assert sessions.right(other, 101.0) is Right.CHANGE
    sessions.end(other)
    assert sessions.right(other, 101.0) is Right.NONE


def test_nobody_guesses_one() -> None:
    sessions = Sessions()
    names = {sessions.begin(Right.CHANGE, 0.0) for _ in range(100)}
    assert len(names) == 100
    assert min(map(len, names)) >= 43
    assert sessions.right("", 1.0) is Right.NONE
    assert sessions.right("\udcff", 1.0) is Right.NONE


def test_past_the_most_the_oldest_ends() -> None:
    sessions = Sessions()
    names = [sessions.begin(Right.READ, float(number)) for number in range(1100)]
    assert sessions.right(names[0], 1100.0) is Right.NONE
    assert sessions.right(names[-1], 1100.0) is Right.READ
    assert len(sessions._sessions) == 1024
