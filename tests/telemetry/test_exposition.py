from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from gateway.telemetry.exposition import Aggregate, Local
from gateway.telemetry.recorder import UPSTREAM_CONNECTIONS, UPSTREAM_WAITING, Recorder
from gateway.telemetry.slots import SlotFile


def page(aggregate: Aggregate | Local) -> dict[tuple[str, ...], float]:
    """The page as a scraper reads it: sample name and label values → value."""
    registry = CollectorRegistry()
    registry.register(aggregate)
    text = generate_latest(registry).decode()
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def serve(recorder: Recorder, times: int, status: int = 200) -> None:
    for _ in range(times):
        recorder.begin()
        recorder.end("GET", status, 0.02)


def test_the_page_sums_over_workers(tmp_path: Path) -> None:
    aggregate = Aggregate()
    for name, times in (("w1", 2), ("w2", 3)):
        aggregate.add_worker(tmp_path / name)
        serve(Recorder(SlotFile(tmp_path / name), "GET /books", "new"), times)
    samples = page(aggregate)
    # Label values in the order of the label names: backend, method, route, status.
    assert samples["gateway_requests_total", "new", "GET", "GET /books", "200"] == 5
    assert samples["gateway_request_duration_seconds_count", "new", "GET /books"] == 5
    assert samples["gateway_request_duration_seconds_bucket", "new", "0.01", "GET /books"] == 0
    assert samples["gateway_request_duration_seconds_bucket", "new", "0.025", "GET /books"] == 5
    assert samples["gateway_request_duration_seconds_bucket", "new", "+Inf", "GET /books"] == 5
    aggregate.close()
    assert list(tmp_path.iterdir()) == []


def test_counts_outlive_their_worker_and_requests_in_flight_do_not(tmp_path: Path) -> None:
    aggregate = Aggregate()
    aggregate.add_worker(tmp_path / "w1")
    recorder = Recorder(SlotFile(tmp_path / "w1"), "r", "new")
    serve(recorder, 4)
    recorder.begin()
    assert page(aggregate)["gateway_requests_in_flight", "new", "r"] == 1
    aggregate.retire_worker(tmp_path / "w1")
    aggregate.add_worker(tmp_path / "w2")
    serve(Recorder(SlotFile(tmp_path / "w2"), "r", "new"), 1)
    samples = page(aggregate)
    assert samples["gateway_requests_total", "new", "GET", "r", "200"] == 5
    assert samples["gateway_requests_in_flight", "new", "r"] == 0
    aggregate.close()


def test_failures_outlive_their_worker_and_connections_do_not(tmp_path: Path) -> None:
    aggregate = Aggregate()
    for name in ("w1", "w2"):
        aggregate.add_worker(tmp_path / name)
        slots = SlotFile(tmp_path / name)
        Recorder(slots, "r", "new").upstream_failed("connect", "connect_timeout")
        slots.values[slots.allocate((UPSTREAM_CONNECTIONS, "new", "idle"))] = 3.0
        slots.values[slots.allocate((UPSTREAM_WAITING, "new"))] = 2.0
    samples = page(aggregate)
    # Labels: backend, reason, route, stage; and backend, state.
    assert samples["gateway_upstream_failures_total", "new", "connect_timeout", "r", "connect"] == 2
    assert samples["gateway_upstream_connections", "new", "idle"] == 6
    assert samples["gateway_upstream_requests_waiting", "new"] == 4
    aggregate.retire_worker(tmp_path / "w1")
    samples = page(aggregate)
    assert samples["gateway_upstream_failures_total", "new", "connect_timeout", "r", "connect"] == 2
    assert samples["gateway_upstream_connections", "new", "idle"] == 3
    assert samples["gateway_upstream_requests_waiting", "new"] == 2
    aggregate.close()


def test_a_worker_that_has_made_no_file_yet_is_no_error(tmp_path: Path) -> None:
    aggregate = Aggregate()
    aggregate.add_worker(tmp_path / "w1")
    assert page(aggregate) == {}
    aggregate.retire_worker(tmp_path / "w1")


def test_names_that_need_escaping_survive_the_page() -> None:
    slots = SlotFile()
    name = 'GET /a"b\\c\nd'
    serve(Recorder(slots, name, "new"), 1)
    assert page(Local(slots))["gateway_requests_total", "new", "GET", name, "200"] == 1
