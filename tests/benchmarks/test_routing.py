from __future__ import annotations

import pytest

from benchmarks.routing import SIZES, Subject, build, requests


@pytest.mark.parametrize("size", SIZES[:2])
def test_every_request_is_for_a_route_of_its_own_kind(size: int) -> None:
    table = build(size)
    assert len(table.in_order()) == size
    for method, path in requests(size, 100):
        route = table.match(method, path, [], b"")
        assert route is not None
        assert method in route
        assert route.count("/") == path.count("/")


def test_requests_have_the_same_lengths_for_every_size() -> None:
    assert len({sum(len(path) for _, path in requests(size, 100)) for size in SIZES}) == 1


def test_a_ratio_is_taken_round_by_round() -> None:
    base = Subject(10, build(10), [], [1.0, 2.0, 4.0])
    assert Subject(10, build(10), [], [1.1, 2.2, 40.0]).ratio_to(base) == pytest.approx(1.1)
