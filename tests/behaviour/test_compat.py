"""A moved route that answers as Flask does: over real sockets, embedded and remote, beside Flask itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.behaviour.process import GatewayProcess
from tests.behaviour.remote_apps import serving

ROUTES = """
version: 1
backends:
  legacy: {{app: "tests.compat.apps:legacy()"}}
  new: {new}
default: legacy
override: {{allow: [127.0.0.1]}}
routes:
  - path: /{{rest:path}}
    to: new
    compat: [head, options, slashes, int404, errors, json]
"""


@pytest.fixture(scope="module", params=["embedded", "remote"])
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    folder: Path = tmp_path_factory.mktemp("compat")
    routes = folder / "routes.yaml"
    if request.param == "embedded":
        routes.write_text(ROUTES.format(new='{app: "tests.compat.apps:new()"}'))
        with GatewayProcess(routes) as running:
            yield running
    else:
        command = ("uvicorn", "tests.compat.apps:new", "--factory", "--fd", "{fd}", "--log-level", "critical")
        with serving(folder, *command) as (port, _):
            routes.write_text(ROUTES.format(new=f'{{url: "http://127.0.0.1:{port}"}}'))
            with GatewayProcess(routes) as running:
                yield running


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("HEAD", "/plain"),
        ("OPTIONS", "/plain"),
        ("GET", "/plain"),
        ("GET", "/plain/"),
        ("GET", "/shelf"),
        ("GET", "/books/1"),
        ("GET", "/books/7"),
        ("GET", "/books/8"),
        ("GET", "/books/-1"),
        ("GET", "/books/x"),
        ("GET", "/nowhere"),
        ("GET", "/stream"),
        ("DELETE", "/plain"),
    ],
)
def test_the_new_app_answers_as_the_legacy_app_does(gateway: GatewayProcess, method: str, path: str) -> None:
    with httpx.Client(base_url=gateway.url, verify=False) as client:
        new = client.request(method, path)
        legacy = client.request(method, path, headers={"X-Gateway-Backend": "legacy"})
    assert new.status_code == legacy.status_code
    if path in ("/plain", "/shelf") and method == "GET":
        # A text that an endpoint returns is JSON to FastAPI, and a redirect has no page.
        assert new.headers.get("location", "") == legacy.headers.get("location", "")
        return
    if (method, path) == ("HEAD", "/plain"):
        return
    assert new.content == legacy.content
    assert new.headers["content-type"] == legacy.headers["content-type"]
    assert sorted(new.headers.get("allow", "").split(", ")) == sorted(legacy.headers.get("allow", "").split(", "))
