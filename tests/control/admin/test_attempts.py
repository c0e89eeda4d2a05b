from __future__ import annotations

from gateway.control.admin.attempts import MOST, WINDOW, Attempts


def guessed(attempts: Attempts, address: str, times: int, now: float = 0.0) -> None:
    for _ in range(times):
        attempts.failed(address, now)


def test_after_too_many_an_address_has_to_wait() -> None:
    attempts = Attempts()
    guessed(attempts, "10.0.0.1", MOST - 1)
    assert attempts.wait("10.0.0.1", 1.0) == 0
    guessed(attempts, "10.0.0.1", 1)
    assert attempts.wait("10.0.0.1", 1.0) == WINDOW - 1
    assert attempts.wait("10.0.0.2", 1.0) == 0


def test_then_it_may_try_again_and_is_counted_anew() -> None:
    attempts = Attempts()
    guessed(attempts, "10.0.0.1", MOST)
    assert attempts.wait("10.0.0.1", WINDOW) == 0
    guessed(attempts, "10.0.0.1", 1, WINDOW)
    assert attempts.wait("10.0.0.1", WINDOW) == 0
    guessed(attempts, "10.0.0.1", MOST - 1, WINDOW)
    assert attempts.wait("10.0.0.1", WINDOW) == WINDOW


def test_memory_is_bounded_and_the_latest_are_remembered() -> None:
    attempts = Attempts()
    for number in range(10_000):
        guessed(attempts, str(number), 1)
    assert len(attempts._failed) <= 4096
    guessed(attempts, "9999", MOST - 1)
    assert attempts.wait("9999", 0.0) > 0
