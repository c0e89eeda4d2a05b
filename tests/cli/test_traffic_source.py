from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.cli.traffic_source import NoTraffic, of_gateway, of_prometheus, window_seconds
from tests.answering import QuietHandler, answering

METRICS = """\
gateway_start_time_seconds 1000.0
# TYPE gateway_requests_total counter
gateway_requests_total{backend="legacy",method="GET",route="default",status="200"} 6.0
"""


class _Handler(QuietHandler):
    asked: dict[str, list[str]]

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        status, body = 404, "nothing"
        if parts.path == "/metrics":
            status, body = 200, METRICS
        elif parts.path == "/closed/metrics" and self.headers["authorization"] != "Bearer sesame-open":
            status, body = 401, "{}"
        elif parts.path == "/closed/metrics":
            status, body = 200, METRICS
        elif parts.path == "/other/metrics":
            status, body = 200, "up 1.0\n"
        elif parts.path == "/api/v1/query":
            type(self).asked = parse_qs(parts.query)
            labels = {"route": "default", "backend": "new", "method": "GET"}
            body = json.dumps({"status": "success", "data": {"result": [{"metric": labels, "value": [0, "2.5"]}]}})
            status = 200
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())


@pytest.fixture
def url() -> Iterator[str]:
    with answering(_Handler) as url:
        yield url


def test_a_gateway(url: str) -> None:
    traffic = of_gateway(url + "/")
    assert (traffic.total, traffic.source) == (6.0, f"the gateway at {url}/")
    assert traffic.seconds is not None
    assert traffic.seconds > 1e9


def test_a_gateway_that_wants_a_token(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATEWAY_ADMIN_TOKEN", raising=False)
    monkeypatch.delenv("GATEWAY_ADMIN_READ_TOKEN", raising=False)
    with pytest.raises(NoTraffic, match="wants a token: set GATEWAY_ADMIN_TOKEN"):
        of_gateway(f"{url}/closed")
    monkeypatch.setenv("GATEWAY_ADMIN_READ_TOKEN", "sesame-open")
    assert of_gateway(f"{url}/closed").total == 6.0


def test_what_is_no_gateway(url: str) -> None:
    with pytest.raises(NoTraffic, match="is not the admin listener of a gateway: it has no metrics of a gateway"):
        of_gateway(f"{url}/other")
    with pytest.raises(NoTraffic, match="answers 404"):
        of_gateway(f"{url}/none")


def test_a_prometheus_server(url: str) -> None:
    traffic = of_prometheus(url, "2d")
    assert (traffic.total, traffic.seconds, traffic.by_backend()) == (2.5, 172800.0, {"new": 2.5})
    assert _Handler.asked == {"query": ["sum by (route, backend, method) (increase(gateway_requests_total[2d]))"]}
    with pytest.raises(NoTraffic, match="not the answer of a Prometheus server"):
        of_prometheus(f"{url}/none", "2d")


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("5m", 300), ("12h", 43200), ("7d", 604800), ("1w", 604800)]
)
def test_windows(text: str, seconds: int) -> None:
    assert window_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "7", "d", "0d", "1y", "1d2h", "-1d"])
def test_what_is_no_window(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time such as 7d"):
        window_seconds(text)
