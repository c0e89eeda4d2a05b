from __future__ import annotations

import pytest

from gateway.control.figures.sample import Counts, Sample, sample_of, total
from gateway.telemetry.slots import SlotFile
from tests.control.figures.counting import Counting

LANE = ("GET /books", "new")


@pytest.mark.parametrize(("status", "errors"), [(200, 0), (404, 0), (499, 0), (500, 1), (503, 1)])
def test_an_error_is_a_status_of_500_and_above(status: int, errors: int) -> None:
    counting = Counting()
    counting.serve(1, status=status)
    counts = sample_of(counting.totals(), 1.0, Sample(0.0)).of(LANE)
    assert (counts.requests, counts.errors) == (1, errors)


def test_a_websocket_is_a_request_without_a_duration() -> None:
    counting = Counting()
    counting.recorder().begin()
    counting.recorder().end_websocket(101)
    counts = sample_of(counting.totals(), 1.0, Sample(0.0)).of(LANE)
    assert (counts.requests, sum(counts.buckets)) == (1, 0)


def test_what_has_lost_its_labels_is_counted_and_is_no_error() -> None:
    totals = {("requests", *["overflow"] * 4): [7.0], ("in_flight", "overflow", "overflow"): [0.0]}
    counts = sample_of(totals, 1.0, Sample(0.0)).of(("overflow", "overflow"))
    assert (counts.requests, counts.errors) == (7, 0)


def test_what_is_no_lanes_is_left_alone() -> None:
    slots = SlotFile()
    slots.allocate(("uptime",))
    assert sample_of({key: list(values) for key, values in slots.items()}, 1.0, Sample(0.0)).lanes == {}


def test_a_lane_that_stands_still_takes_no_new_memory() -> None:
    counting = Counting()
    counting.serve(1)
    counting.serve(1, route="GET /busy")
    first = sample_of(counting.totals(), 1.0, Sample(0.0))
    counting.serve(1, route="GET /busy")
    second = sample_of(counting.totals(), 2.0, first)
    assert second.of(LANE) is first.of(LANE)
    assert second.of(("GET /busy", "new")).requests == 2


def test_several_lanes_add_up() -> None:
    counting = Counting()
    counting.serve(2, seconds=0.02)
    counting.serve(3, backend="legacy", seconds=0.2, status=500)
    counting.recorder().begin()
    sample = sample_of(counting.totals(), 1.0, Sample(0.0))
    whole = total(sample.lanes.values())
    assert (whole.requests, whole.errors, whole.in_flight, sum(whole.buckets)) == (5, 3, 1, 5)
    assert total(()) == Counts()
