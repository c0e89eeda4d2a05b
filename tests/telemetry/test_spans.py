"""With the SDK and its exporter as they are, and a receiver on this machine."""

from __future__ import annotations

import time

import pytest

from gateway.telemetry.spans import Spans
from gateway.version import __version__
from tests.telemetry.otlp import Receiver, receiving

SERVER = 2  # opentelemetry.proto.trace.v1.Span.SpanKind


def add(spans: Spans, *, parent_id: int = 0, failed: bool = False) -> None:
    spans.add("GET /a", 0xAB, 0xCD, parent_id, 1_000, 3_000, {"http.route": "/a", "server.port": 80}, failed=failed)


def exported(receiver: Receiver, monkeypatch: pytest.MonkeyPatch, **variables: str) -> Spans:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Spans()


def test_a_span_is_exported_with_the_ids_that_were_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as receiver:
        spans = exported(receiver, monkeypatch)
        add(spans)
        add(spans, parent_id=0xEF, failed=True)
        spans.stop()
    first, below = receiver.spans
    assert (first.name, first.kind, first.begun, first.ended) == ("GET /a", SERVER, 1_000, 3_000)
    assert (first.trace_id, first.span_id, first.parent_id) == (f"{0xAB:032x}", f"{0xCD:016x}", "")
    assert first.attributes == {"http.route": "/a", "server.port": 80}
    assert (first.resource["service.name"], first.resource["service.version"]) == ("strangler-gateway", __version__)
    assert (below.trace_id, below.parent_id) == (first.trace_id, f"{0xEF:016x}")
    assert (first.failed, below.failed) == (False, True)


@pytest.mark.parametrize(
    ("variable", "value"), [("OTEL_SERVICE_NAME", "shop"), ("OTEL_RESOURCE_ATTRIBUTES", "a=b,service.name=shop")]
)
def test_the_environment_names_the_service(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    with receiving() as receiver:
        spans = exported(receiver, monkeypatch, **{variable: value})
        add(spans)
        spans.stop()
    assert receiver.spans[0].resource["service.name"] == "shop"


def test_spans_do_not_wait_for_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as receiver:
        spans = exported(receiver, monkeypatch, OTEL_BSP_SCHEDULE_DELAY="20")
        add(spans)
        until = time.monotonic() + 5
        while not receiver.spans:
            assert time.monotonic() < until
            time.sleep(0.01)
        spans.stop()


def test_the_end_does_not_wait_for_a_receiver_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.telemetry.spans._PATIENCE", 0.1)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    spans = Spans()
    add(spans)
    begun = time.monotonic()
    spans.stop()
    assert time.monotonic() - begun < 1.0
