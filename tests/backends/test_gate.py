from __future__ import annotations

import threading

from gateway.backends.gate import Gate


def test_a_thread_that_may_go_on_does_not_wait() -> None:
    Gate().wait_until(lambda: True)


def test_no_opening_is_missed() -> None:
    gate = Gate()
    count = 0
    seen: list[int] = []

    def follow() -> None:
        for number in range(1, 5001):
            gate.wait_until(lambda number=number: count >= number)  # type: ignore[misc]
            seen.append(number)

    thread = threading.Thread(target=follow)
    thread.start()
    for _ in range(5000):
        count += 1
        gate.open()
    thread.join(5)
    assert not thread.is_alive()
    assert seen[-1] == 5000


def test_opening_does_not_let_through_who_must_still_wait() -> None:
    gate = Gate()
    ready = False
    passed = threading.Event()

    def wait() -> None:
        gate.wait_until(lambda: ready)
        passed.set()

    thread = threading.Thread(target=wait)
    thread.start()
    gate.open()
    assert not passed.wait(0.02)
    ready = True
    gate.open()
    assert passed.wait(2)
    thread.join()
