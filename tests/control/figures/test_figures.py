from __future__ import annotations

from dataclasses import astuple

import pytest

from gateway.control.figures.figures import STEPS, Figures, Point
from tests.control.figures.counting import Counting

LANE = ("GET /books", "new")
IDLE = Point()


class Run:
    """Figures that are given a sample each second, from second 100 on."""

    def __init__(self, every: int = 1) -> None:
        self.counting = Counting()
        self.figures = Figures(100.0)
        self._every = every

    def seconds(self, many: int, each: int = 0, **what: object) -> None:
        """Let ``many`` seconds go by, with ``each`` requests in every one of them."""
        for _ in range(many // self._every):
            self.counting.serve(each * self._every, **what)  # type: ignore[arg-type]
            self.figures.sample(self.counting.totals(), self.figures.at + self._every)


def test_before_the_first_sample_everything_is_zero() -> None:
    figure = Figures(100.0).figure([LANE])
    assert (figure.requests, figure.rate, figure.error_ratio, figure.p50) == (0, 0.0, 0.0, None)


@pytest.mark.parametrize("every", [1, 2, 10])
def test_the_rate_is_of_the_last_ten_seconds(every: int) -> None:
    run = Run(every)
    run.seconds(40, each=5)
    assert run.figures.figure([LANE]).rate == pytest.approx(5)
    run.seconds(10, each=20)
    assert run.figures.figure([LANE]).rate == pytest.approx(20)
    run.seconds(10)
    assert run.figures.figure([LANE]).rate == 0


def test_soon_after_the_start_the_rate_is_of_the_time_that_there_was() -> None:
    run = Run()
    run.seconds(2, each=8)
    assert run.figures.figure([LANE]).rate == pytest.approx(8)


def test_errors_and_latencies_are_of_the_last_minute() -> None:
    run = Run()
    run.seconds(10, each=1, status=500, seconds=2.0)
    run.seconds(30, each=1)
    figure = run.figures.figure([LANE])
    assert figure.error_ratio == pytest.approx(0.25)
    assert figure.p95 is not None
    assert figure.p95 > 1
    run.seconds(70, each=1)
    figure = run.figures.figure([LANE])
    assert (figure.requests, figure.errors, figure.error_ratio) == (110, 10, 0.0)
    assert figure.p95 == pytest.approx(0.02425)
    run.seconds(70)
    figure = run.figures.figure([LANE])
    assert (figure.recent, figure.p50, figure.p95) == (0, None, None)


def test_lanes_that_are_asked_for_together_are_one() -> None:
    run = Run()
    run.seconds(5, each=2)
    run.seconds(5, each=2, backend="legacy", status=500)
    whole = run.figures.figure([LANE, ("GET /books", "legacy")])
    assert (whole.requests, whole.errors, whole.error_ratio) == (20, 10, 0.5)
    assert whole.rate == pytest.approx(2)


def test_requests_in_flight_are_of_now_and_never_below_zero() -> None:
    run = Run()
    run.counting.recorder().begin()
    run.seconds(1)
    assert run.figures.figure([LANE]).in_flight == 1
    for _ in range(2):
        run.counting.recorder().end("GET", 200, 0.01)
    run.seconds(1)
    assert run.figures.figure([LANE]).in_flight == 0


def test_a_chart_has_a_point_a_step_and_the_last_is_the_newest() -> None:
    run = Run()
    run.seconds(10, each=3)
    run.seconds(10)
    run.seconds(10, each=1, status=500, seconds=0.2)
    points = run.figures.points(LANE)
    assert len(points) == STEPS
    assert points[-4] == points[-2] == IDLE
    assert astuple(points[-3]) == pytest.approx((3.0, 0.0, 0.02425))
    assert astuple(points[-1]) == pytest.approx((1.0, 1.0, 0.2425))
    assert run.figures.step_at == 130.0


def test_a_backend_is_charted_as_a_whole() -> None:
    run = Run()
    for _ in range(10):
        run.counting.serve(1, route="GET /books/{id}", status=500)
        run.seconds(1, each=3)
    assert astuple(run.figures.points(("", "new"))[-1]) == pytest.approx((4.0, 0.25, 0.02425))
    assert run.figures.points(("", "legacy")) == [IDLE] * STEPS


def test_after_fifteen_minutes_a_quiet_lane_is_forgotten() -> None:
    run = Run(every=10)
    run.seconds(10, each=3)
    run.seconds(10 * (STEPS - 1))
    assert run.figures.points(LANE)[0].rate == 3.0
    run.seconds(10)
    assert run.figures.points(LANE) == [IDLE] * STEPS
    assert run.figures._points == {}


def test_memory_does_not_grow_with_time() -> None:
    run = Run()
    run.seconds(300, each=1)
    assert len(run.figures._recent) <= 11
    assert len(run.figures._steps) <= 7


def test_refusals_are_those_of_the_last_minute() -> None:
    figures = Figures(100.0)
    key, limited = ("refused", "slow_head"), ("limit_refused", "route", "/a", "queue_full")
    assert (figures.refused(), figures.refused_at(("route", "/a"))) == ({}, 0)
    for second in range(1, 100):
        figures.sample({key: [float(min(second, 5))], limited: [float(min(second, 7))]}, 100.0 + second)
        if second == 50:
            assert (figures.refused(), figures.refused_at(("route", "/a"))) == ({"slow_head": 5}, 7)
    assert (figures.refused(), figures.refused_at(("route", "/a"))) == ({}, 0)
