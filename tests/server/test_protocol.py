from __future__ import annotations

from tests.server.serving import GET, Served


def test_answers(served: Served) -> None:
    response = served.exchange(GET)
    assert (response.status, response.body) == (200, b"hello")
