from __future__ import annotations

import pytest

from gateway.migrate.traffic import Traffic, from_metrics_page, from_prometheus, query

PAGE = """\
# TYPE gateway_start_time_seconds gauge
gateway_start_time_seconds 1000.0
# TYPE gateway_requests_total counter
gateway_requests_total{backend="legacy",method="GET",route="GET,HEAD /b",status="200"} 6.0
gateway_requests_total{backend="legacy",method="GET",route="GET,HEAD /b",status="404"} 1.0
gateway_requests_total{backend="new",method="HEAD",route="GET,HEAD /b",status="200"} 2.0
gateway_requests_total{backend="legacy",method="POST",route="default",status="200"} 1.0
gateway_requests_total{backend="none",method="GET",route="none",status="400"} 9.0
# TYPE gateway_requests_in_flight gauge
gateway_requests_in_flight{backend="legacy",route="default"} 1.0
"""


def test_a_gateway_s_own_page() -> None:
    traffic = from_metrics_page(PAGE, "here", 1060.0)
    # What was refused before there was a route is nobody's traffic.
    assert (traffic.total, traffic.seconds) == (10.0, 60.0)
    assert traffic.by_backend() == {"legacy": 8.0, "new": 2.0}
    assert traffic.of_route("GET,HEAD /b", ("GET", "HEAD")) == 9.0
    assert traffic.of_route("GET,HEAD /b", ("HEAD",)) == 2.0
    assert traffic.of_route("default", ()) == 1.0
    assert traffic.of_route("elsewhere", ()) == 0.0


def test_a_page_without_requests() -> None:
    assert from_metrics_page("gateway_workers 1.0\n", "here", 0.0) == Traffic({}, "here")


@pytest.mark.parametrize("page", ["", "up 1.0\n", "<html>not metrics</html>\n"])
def test_another_page(page: str) -> None:
    with pytest.raises(ValueError, match="it has no metrics"):
        from_metrics_page(page, "here", 0.0)


def test_a_prometheus_server() -> None:
    assert query("7d") == "sum by (route, backend, method) (increase(gateway_requests_total[7d]))"
    labels = {"route": "default", "backend": "legacy", "method": "GET"}
    answer = {"status": "success", "data": {"result": [{"metric": labels, "value": [1700000000, "12.5"]}]}}
    traffic = from_prometheus(answer, "there", 60.0)
    assert traffic == Traffic({("default", "legacy", "GET"): 12.5}, "there", 60.0)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "not the answer of a Prometheus server"),
        ({"status": "error", "error": "bad query"}, "bad query"),
        ({"status": "success", "data": {}}, "not the answer to an instant query"),
        ({"status": "success", "data": {"result": [{"metric": {}, "value": [1, "x"]}]}}, "could not convert"),
    ],
)
def test_another_answer(answer: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_prometheus(answer, "there", 60.0)
