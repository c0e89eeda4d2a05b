"""`gateway explain` beside a gateway that runs: how those who would get the request are right now."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.behaviour.metrics_page import lived
from tests.behaviour.process import GatewayProcess, environment


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with lived(tmp_path_factory.mktemp("explain")) as gateway:
        yield gateway


def explain(gateway: GatewayProcess, *arguments: str, **variables: str) -> str:
    """Run in the folder of the file, where it finds the gateway by itself."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "explain", *arguments],
        cwd=gateway.routes.parent,
        env={**environment(), **variables},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def now(text: str) -> list[str]:
    before, _, after = text.partition("\nnow: ")
    assert "→ " in before
    return after.splitlines()


def test_an_open_breaker_is_told(gateway: GatewayProcess) -> None:
    # The first one opened it, for ten seconds; whoever comes later finds it half open and opens it again.
    httpx.get(gateway.url + "/safe")
    said = now(explain(gateway, "GET", "/safe"))
    assert said[0] == "version 1 serves, on 1 of 1 worker"
    assert "  gone is left alone: its breaker is open" in said


def test_an_address_without_requests_and_a_limit_that_has_refused_are_told(gateway: GatewayProcess) -> None:
    limit = json.loads(explain(gateway, "GET", "/slow", "--json"))["now"]["route"]["limit"]
    assert (limit["allowed"], limit["in_flight"]) == (1, 0)
    assert limit["refused"] > 0
    assert any("this route has 0 of 1 in flight" in line for line in now(explain(gateway, "GET", "/slow")))
    half = now(explain(gateway, "GET", "/half"))
    assert [line for line in half if line.startswith("  half: http://") and line.endswith(" gets no requests")]


def test_as_json_it_is_what_the_api_says(gateway: GatewayProcess) -> None:
    told: dict[str, Any] = json.loads(explain(gateway, "GET", "/books", "--json"))["now"]
    status = gateway.ask("/api/v1/status").json()
    assert told["config"] == status["config"]
    assert told["serves_this_file"] is True
    route = next(each for each in status["routes"] if each["label"] == "/books")
    assert told["route"]["backends"].keys() == route["backends"].keys() == told["backends"].keys()


def test_a_draft_beside_it_is_told_apart(gateway: GatewayProcess) -> None:
    draft = gateway.routes.with_name("draft.yaml")
    draft.write_text(gateway.routes.read_text().replace("legacy: 50, new: 50", "legacy: 10, new: 90"))
    assert "now:" not in explain(gateway, "GET", "/books", "draft.yaml")
    said = now(explain(gateway, "GET", "/books", "draft.yaml", GATEWAY_ADMIN=gateway.admin))
    assert said[0] == "version 1 serves, on 1 of 1 worker; this file is not that version"


def test_who_does_not_answer_is_no_error(gateway: GatewayProcess) -> None:
    [line] = now(explain(gateway, "GET", "/books", "--admin", "http://127.0.0.1:1"))
    assert line.startswith("not known, http://127.0.0.1:1 does not answer: ")


def test_what_is_refused_is_not_asked_about(gateway: GatewayProcess) -> None:
    assert "now:" not in explain(gateway, "GET", "/../x")
