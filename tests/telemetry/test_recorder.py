from __future__ import annotations

from gateway.telemetry.recorder import BOUNDS, Recorder
from gateway.telemetry.slots import SlotFile


def test_a_request_counts_once_with_its_labels() -> None:
    slots = SlotFile()
    recorder = Recorder(slots, "GET /books", "new")
    recorder.begin()
    assert dict(slots.items())["in_flight", "GET /books", "new"] == [1.0]
    recorder.end("GET", 200, 0.003)
    values = dict(slots.items())
    assert values["in_flight", "GET /books", "new"] == [0.0]
    assert values["requests", "GET /books", "new", "GET", "200"] == [1.0]
    total, *buckets = values["duration", "GET /books", "new"]
    assert total == 0.003
    assert buckets[BOUNDS.index(0.005)] == 1.0
    assert sum(buckets) == 1.0


def test_a_bound_belongs_to_its_own_bucket_and_the_longest_to_infinity() -> None:
    slots = SlotFile()
    recorder = Recorder(slots, "r", "b")
    for seconds in (0.001, 61.0):
        recorder.begin()
        recorder.end("GET", 200, seconds)
    _, *buckets = dict(slots.items())["duration", "r", "b"]
    assert buckets[0] == 1.0
    assert buckets[-1] == 1.0


def test_methods_that_a_client_makes_up_share_one_label() -> None:
    slots = SlotFile()
    recorder = Recorder(slots, "r", "b")
    before = len(list(slots.items()))
    for number in range(1000):
        recorder.begin()
        recorder.end(f"X{number}", 405, 0.0)
    assert len(list(slots.items())) == before + 1
    assert dict(slots.items())["requests", "r", "b", "other", "405"] == [1000.0]
    assert recorder._requests == {}


def test_a_websocket_has_no_duration() -> None:
    slots = SlotFile()
    recorder = Recorder(slots, "r", "b")
    recorder.begin()
    recorder.end_websocket(101)
    values = dict(slots.items())
    assert values["requests", "r", "b", "WEBSOCKET", "101"] == [1.0]
    assert sum(values["duration", "r", "b"]) == 0.0
    assert values["in_flight", "r", "b"] == [0.0]


def test_a_failure_of_a_remote_app_counts_by_stage_and_reason() -> None:
    slots = SlotFile()
    recorder = Recorder(slots, "r", "b")
    for reason in ("head_timeout", "head_timeout", "no_answer"):
        recorder.upstream_failed("head", reason)
    values = dict(slots.items())
    assert values["upstream_failures", "r", "b", "head", "head_timeout"] == [2.0]
    assert values["upstream_failures", "r", "b", "head", "no_answer"] == [1.0]
