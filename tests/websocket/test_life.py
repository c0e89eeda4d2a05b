from __future__ import annotations

from gateway.websocket.life import Life, Verdict
from gateway.websocket.limits import Limits

LIMITS = Limits(ping_interval=4, ping_timeout=2)
ALIVE, ASK, DEAD = Verdict.ALIVE, Verdict.ASK, Verdict.DEAD


def looks(life: Life, count: int, unsent: int = 0, *, listening: bool = True, stuck: bool = False) -> list[Verdict]:
    return [life.look(unsent, listening=listening, stuck=stuck) for _ in range(count)]


def test_the_tick_is_half_of_the_shorter_time() -> None:
    assert LIMITS.tick == 1


def test_silence_is_asked_about_and_then_is_death() -> None:
    # Heard when it began; then quiet for one tick more with each look.
    assert looks(Life(LIMITS), 7) == [ALIVE, ALIVE, ALIVE, ALIVE, ASK, ASK, DEAD]


def test_a_sign_of_life_begins_it_anew() -> None:
    life = Life(LIMITS)
    assert looks(life, 6)[-1] is ASK
    life.heard = True
    assert looks(life, 7) == [ALIVE, ALIVE, ALIVE, ALIVE, ASK, ASK, DEAD]


def test_where_we_do_not_listen_silence_is_no_death() -> None:
    assert looks(Life(LIMITS), 20, listening=False) == [ASK] * 20


def test_a_peer_that_takes_something_lives() -> None:
    life = Life(LIMITS)
    for unsent in range(1000, 980, -1):
        assert life.look(unsent, listening=True, stuck=True) is ALIVE


def test_a_peer_that_takes_nothing_dies_unasked() -> None:
    for listening in (True, False):
        assert looks(Life(LIMITS), 7, 1000, listening=listening, stuck=True) == [ALIVE] * 6 + [DEAD]
