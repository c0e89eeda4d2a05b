"""The metrics page of a gateway that has lived: every metric that there is, with its labels."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.behaviour.health_apps import apps
from tests.behaviour.probe import PROBE, get, metric
from tests.behaviour.process import GatewayProcess, eventually

ROUTES = """\
version: 1
backends:
  legacy: {{app: "probe:legacy"}}
  new: {{app: "probe:new"}}
  gone: {{url: "http://127.0.0.1:{port}"}}
  checked: {{url: "{there}", health: {{path: /healthz, every: 0.1}}}}
  half: {{urls: ["http://127.0.0.1:{port}", "{there}"], outliers: {{consecutive: 1}}}}
default: legacy
routes:
  - {{path: /books, to: {{legacy: 50, new: 50}}, sticky: none}}
  - {{path: /gone, to: gone}}
  - {{path: /half, to: half}}
  - {{path: /slow, to: legacy, limit: {{in_flight: 1, queue: 0}}}}
  - {{path: /safe, to: gone, fallback: legacy, breaker: {{consecutive: 1}}}}
"""


@dataclass(frozen=True)
class Metric:
    """``samples`` are the names that stand on the page, ``_bucket``, ``_sum`` and ``_count`` among them."""

    kind: str
    labels: frozenset[str]
    samples: frozenset[str]


@contextmanager
def lived(folder: Path) -> Iterator[GatewayProcess]:
    """A gateway with a split, an app that is gone, a fallback for it, another app of which half is gone, a limit, and
    an access log, of which each has been used."""
    (folder / "probe.py").write_text(PROBE)
    # Bound and not listening: nobody else gets the port, and nobody answers.
    with socket.socket() as taken, apps("there") as [there]:
        taken.bind(("127.0.0.1", 0))
        (folder / "routes.yaml").write_text(ROUTES.format(port=taken.getsockname()[1], there=there.url))
        with GatewayProcess(folder / "routes.yaml", "--access-log", str(folder / "access.log"), cwd=folder) as gateway:
            for path in ("/books", "/books", "/elsewhere", "/safe"):
                get(gateway.url + path)
            # The first finds one of the addresses gone, the second is not sent there.
            assert [httpx.get(gateway.url + "/half").text for _ in range(2)] == ["there", "there"]
            assert httpx.get(gateway.url + "/gone").status_code == 502
            assert httpx.get(gateway.url + "/" + "x" * 9000).status_code == 414
            eventually(lambda: metric(gateway, "gateway_requests_total") == 8)
            eventually(lambda: metric(gateway, "gateway_upstream_failures_total") == 2)
            eventually(lambda: metric(gateway, "gateway_backend_ejections_total") == 1)
            eventually(lambda: metric(gateway, "gateway_backend_ejected") == 1)
            eventually(lambda: metric(gateway, "gateway_backend_health") == 1)
            eventually(lambda: 503 in _at_once(2, gateway.url + "/slow?0.3"))
            yield gateway


def _at_once(many: int, url: str) -> list[int]:
    with ThreadPoolExecutor(many) as pool:
        return [answer.status_code for answer in pool.map(httpx.get, [url] * many)]


def metrics(page: str) -> dict[str, Metric]:
    """By name as it stands in a query: with ``_total`` for counters. ``le`` is no label of its own."""
    found: dict[str, Metric] = {}
    for family in text_string_to_metric_families(page):
        labels = frozenset(label for sample in family.samples for label in sample.labels) - {"le"}
        name = family.name + ("_total" if family.type == "counter" else "")
        found[name] = Metric(family.type, labels, frozenset(sample.name for sample in family.samples))
    return found
