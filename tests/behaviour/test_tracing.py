"""Traces through a running gateway, and spans to a receiver on this machine."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.behaviour.process import GatewayProcess, command, environment, eventually
from tests.telemetry.otlp import receiving

APP = """
import json, sys

async def app(scope, receive, send):
    said = {"fields": [[name.decode(), value.decode()] for name, value in scope["headers"] if name[:5] == b"trace"],
            "imported": sorted(name for name in sys.modules if name.partition(".")[0] in ("opentelemetry", "google"))}
    body = json.dumps(said).encode()
    status = int(scope["query_string"] or b"200")
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
"""

ROUTES = 'version: 1\nbackends: {new: {app: "traced:app"}}\ndefault: new\nroutes: [{path: "/books/{id}", to: new}]\n'
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@contextmanager
def serving(folder: Path, tracing: str, **variables: str) -> Iterator[GatewayProcess]:
    (folder / "traced.py").write_text(APP)
    (folder / "routes.yaml").write_text(ROUTES + tracing)
    with GatewayProcess(folder / "routes.yaml", cwd=folder, env=variables) as gateway:
        yield gateway


def ask(gateway: GatewayProcess, target: str = "/books/7", **fields: str) -> dict[str, Any]:
    connection = HTTPConnection(urlsplit(gateway.url).netloc, timeout=5)
    connection.request("GET", target, headers=fields)
    said: dict[str, Any] = json.load(connection.getresponse())
    connection.close()
    return said


def test_without_the_section_a_trace_passes_untouched(tmp_path: Path) -> None:
    with serving(tmp_path, "") as gateway:
        for value in (PARENT, "nonsense", ""):
            said = ask(gateway, traceparent=value, tracestate="a=1")
            assert said == {"fields": [["traceparent", value], ["tracestate", "a=1"]], "imported": []}
        assert ask(gateway)["fields"] == []


def test_a_trace_is_made_or_continued_without_anything_of_opentelemetry(tmp_path: Path) -> None:
    with serving(tmp_path, "tracing: {sample: 0}\n") as gateway:
        said = ask(gateway, traceparent=PARENT, tracestate="a=1")
        assert said == {"fields": [["traceparent", PARENT], ["tracestate", "a=1"]], "imported": []}
        [[name, value]] = ask(gateway, traceparent="nonsense", tracestate="a=1")["fields"]
        assert name == "traceparent"
        assert value.startswith("00-")
        assert value.endswith("-00")


def test_spans_are_exported_and_the_app_is_below_them(tmp_path: Path) -> None:
    with receiving() as receiver:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}
        with serving(tmp_path, "tracing: {spans: true}\n", **variables) as gateway:
            fields = dict(ask(gateway, traceparent=PARENT, tracestate="a=1")["fields"])
            eventually(lambda: len(receiver.spans) == 1)
            ask(gateway, "/other?503")
        first, last = receiver.spans  # the second was still waiting when the gateway ended
    assert fields == {"traceparent": f"00-{TRACE}-{first.span_id}-01", "tracestate": "a=1"}
    assert (first.name, first.trace_id, first.parent_id) == ("GET /books/{id}", TRACE, "00f067aa0ba902b7")
    picked = {name: first.attributes[name] for name in ("http.route", "http.response.status_code", "gateway.backend")}
    assert picked == {"http.route": "/books/{id}", "http.response.status_code": 200, "gateway.backend": "new"}
    assert first.resource["service.name"] == "strangler-gateway"
    assert 0 < first.ended - first.begun < 5e9
    assert (last.name, last.parent_id, last.failed, last.attributes["gateway.why"]) == ("GET", "", True, "default")


def test_spans_begin_with_a_save_of_the_file(tmp_path: Path) -> None:
    with receiving() as receiver:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}
        with serving(tmp_path, "", **variables) as gateway:
            assert ask(gateway) == {"fields": [], "imported": []}
            (tmp_path / "routes.yaml").write_text(ROUTES + "tracing: {spans: true}\n")
            eventually(lambda: ask(gateway)["fields"] != [])
            eventually(lambda: len(receiver.spans) > 0)


def test_without_the_extra_the_file_is_refused_with_its_line(tmp_path: Path) -> None:
    # As if it were not installed: FastAPI brings the API, and the SDK that is found first cannot be imported.
    (tmp_path / "opentelemetry" / "sdk").mkdir(parents=True)
    (tmp_path / "opentelemetry" / "sdk" / "__init__.py").write_text("raise ModuleNotFoundError('no such package')\n")
    (tmp_path / "traced.py").write_text(APP)
    (tmp_path / "routes.yaml").write_text(ROUTES + "tracing: {spans: true}\n")
    path = os.pathsep.join([str(tmp_path), environment()["PYTHONPATH"]])
    ended = subprocess.run(
        command("routes.yaml", "--port", "0", "--admin", "off"),
        cwd=tmp_path,
        env=environment({"PYTHONPATH": path}),
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert ended.returncode == 2
    wanted = "routes.yaml:5:18: 'spans' needs the extra 'otel': pip install 'strangler-gateway[otel]' (no such package)"
    assert wanted in ended.stderr.splitlines()
