from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from gateway.config.loader import load_dict
from gateway.dataplane.inbound import RawHeaders
from gateway.dataplane.tracing import Trace, Traces
from gateway.telemetry.trace_context import Parent, read
from tests.dataplane.asgi_client import http_scope, websocket_scope

TRACE, SPAN = 0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7
SAMPLED = (b"traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
UNSAMPLED = (b"traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")
STATE = (b"tracestate", b"vendor=1")
HOST = (b"host", b"shop.example")


@dataclass
class Spans:
    """What would be exported: the tests in tests/telemetry/test_spans.py see it exported."""

    added: list[dict[str, Any]] = field(default_factory=list)

    def add(self, name: str, trace_id: int, span_id: int, parent_id: int, **more: Any) -> None:
        self.added.append({"name": name, "trace_id": trace_id, "span_id": span_id, "parent_id": parent_id, **more})


def traces(spans: Spans | None = None, sample: float = 100) -> Traces:
    routes = [{"path": "/books/{id}", "to": "new", "name": "a book"}]
    data = {"version": 1, "default": "new", "routes": routes, "tracing": {"sample": sample}}
    config = load_dict(data | {"backends": {"new": {}}}, provided=frozenset({"new"})).config
    assert config.tracing is not None
    return Traces(config.tracing, config, cast(Any, spans))


def passed_on(headers: RawHeaders) -> Parent:
    parent = read(headers)
    assert parent is not None
    return parent


@pytest.mark.parametrize("spans", [None, Spans()])
@pytest.mark.parametrize("given", [[], [(b"traceparent", b"00-nonsense-01")], [SAMPLED, SAMPLED]])
def test_a_trace_begins_here_if_the_request_names_none(spans: Spans | None, given: RawHeaders) -> None:
    headers, trace = traces(spans).continued([HOST, *given, STATE], trusted=True)
    parent = passed_on(headers)
    assert [name for name, _ in headers] == [b"host", b"traceparent"]  # the state belonged to the other trace
    assert parent.sampled
    assert parent.trace_id != TRACE
    assert trace == (None if spans is None else Trace(parent.trace_id, parent.span_id, 0))


def test_without_spans_a_trace_goes_on_as_it_is() -> None:
    given = [HOST, SAMPLED, STATE]
    assert traces(None, sample=0).continued(given, trusted=False) == (given, None)


def test_with_spans_the_app_is_below_ours() -> None:
    headers, trace = traces(Spans()).continued([HOST, SAMPLED, STATE], trusted=True)
    parent = passed_on(headers)
    assert (parent.trace_id, parent.sampled) == (TRACE, True)
    assert parent.span_id != SPAN
    assert STATE in headers
    assert trace == Trace(TRACE, parent.span_id, SPAN)


@pytest.mark.parametrize(
    ("given", "trusted", "sample", "kept"),
    [
        (SAMPLED, True, 0, True),
        (UNSAMPLED, True, 100, False),
        (SAMPLED, False, 0, False),
        (UNSAMPLED, False, 100, True),
    ],
)
def test_only_a_trusted_proxy_decides_what_is_kept(
    given: tuple[bytes, bytes], trusted: bool, sample: float, kept: bool
) -> None:
    headers, trace = traces(Spans(), sample).continued([given], trusted=trusted)
    parent = passed_on(headers)
    assert (parent.trace_id, parent.sampled, trace is not None) == (TRACE, kept, kept)


def test_a_trace_that_is_not_kept_is_passed_on_as_such() -> None:
    headers, trace = traces(Spans(), sample=0).continued([HOST], trusted=False)
    assert not passed_on(headers).sampled
    assert trace is None


def leave(scope: dict[str, Any], status: int, route: str = "a book", **more: Any) -> dict[str, Any]:
    spans = Spans()
    given = {"backend": "new", "why": "route", "client": "203.0.113.9", "request_id": "a1", "begun": 0.0, "ended": 0.0}
    traces(spans).leave(Trace(1, 2, 3), scope, route=route, status=status, **{**given, **more})
    [span] = spans.added
    return span


def test_the_attributes_are_those_of_the_semantic_conventions() -> None:
    scope = http_scope("GET", "/books/7?token=secret", scheme="https")
    scope["headers"] = [(b"host", b"shop.example:8443")]
    span = leave(scope, 200)
    assert (span["name"], span["trace_id"], span["span_id"], span["parent_id"]) == ("GET /books/{id}", 1, 2, 3)
    assert span["attributes"] == {
        "http.request.method": "GET",
        "http.route": "/books/{id}",
        "http.response.status_code": 200,
        "url.path": "/books/7",
        "url.scheme": "https",
        "network.protocol.version": "1.1",
        "server.address": "shop.example",
        "server.port": 8443,
        "client.address": "203.0.113.9",
        "gateway.route": "a book",
        "gateway.backend": "new",
        "gateway.why": "route",
        "gateway.request_id": "a1",
    }
    assert not span["failed"]


def test_the_default_has_no_route_and_an_invented_method_no_name() -> None:
    span = leave(http_scope("BREW", "/x"), 405, "default")
    assert span["name"] == "HTTP"
    assert span["attributes"]["http.request.method"] == "_OTHER"
    assert span["attributes"]["http.request.method_original"] == "BREW"
    assert "http.route" not in span["attributes"]


def test_a_failure_of_the_server_is_an_error_and_one_of_the_client_is_none() -> None:
    assert leave(http_scope("GET", "/"), 502)["attributes"]["error.type"] == "502"
    assert leave(http_scope("GET", "/"), 502)["failed"]
    assert not leave(http_scope("GET", "/"), 404)["failed"]
    left = leave(http_scope("GET", "/"), 499)
    assert (left["failed"], "http.response.status_code" in left["attributes"]) == (False, False)


def test_a_websocket_is_a_get() -> None:
    span = leave(websocket_scope("/books/7") | {"headers": [(b"host", b"[::1]:8000")]}, 101)
    assert span["name"] == "GET /books/{id}"
    picked = {key: span["attributes"][key] for key in ("url.scheme", "server.address", "server.port")}
    assert picked == {"url.scheme": "http", "server.address": "::1", "server.port": 8000}


def test_times_are_of_the_epoch() -> None:
    now = time.perf_counter()
    span = leave(http_scope("GET", "/"), 200, begun=now - 2.5, ended=now - 0.5)
    assert span["ended"] - span["begun"] == pytest.approx(2e9, abs=1e6)
    assert span["ended"] == pytest.approx(time.time_ns() - 0.5e9, abs=1e9)
