"""The admin API of a running gateway: who gets in, changes that are live, and the stream of events."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.behaviour.probe import get, project, replace, text
from tests.behaviour.process import GatewayProcess, eventually

CHANGE = "change-0123456789abcdef"
READ = "read-0123456789abcdef"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """One that others can reach, with a token for each right."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "tokens").write_text(f"read {READ}\n")
    arguments = ("--admin", "0.0.0.0:0", "--admin-token-file", str(folder / "tokens"))
    with GatewayProcess(project(folder), *arguments, env={"GATEWAY_ADMIN_TOKEN": CHANGE}) as gateway:
        yield gateway


def raw(gateway: GatewayProcess, head: str, body: str = "") -> str:
    """The head of the answer to exactly this request."""
    parts = urlsplit(gateway.admin)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=5) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body.encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(1 << 16)
        return answer.decode()


def status_line(answer: str) -> int:
    return int(answer.split()[1])


def split(gateway: GatewayProcess, percent: float, **headers: str) -> httpx.Response:
    body = {"change": {"split": {"route": "/books", "weights": {"new": percent}}}, "user": "ann", "reason": "canary"}
    return httpx.post(f"{gateway.admin}/api/v1/changes", json=body, headers=headers, timeout=15)


def etag(gateway: GatewayProcess) -> str:
    return gateway.ask("/api/v1/status").headers["etag"]


def answering(gateway: GatewayProcess) -> set[tuple[str, int]]:
    """App and worker, over many new connections."""
    answers = [get(gateway.url + "/books") for _ in range(30)]
    return {(answer["app"], answer["pid"]) for answer in answers}


def test_a_change_is_live_on_every_worker_when_it_is_answered(gateway: GatewayProcess) -> None:
    response = split(gateway, 100, **{"if-match": etag(gateway)})
    assert response.status_code == 200, response.text
    answer = response.json()
    assert (answer["live_on"], answer["workers"]) == (2, 2)
    assert {app for app, _ in answering(gateway)} == {"new"}
    assert "to: new" in gateway.routes.read_text()
    status = gateway.ask("/api/v1/status").json()
    assert {worker["digest"] for worker in status["workers"]} == {answer["digest"]} == {status["config"]["digest"]}
    assert status["routes"][0]["to"]["new"] == 100
    newest = gateway.ask("/api/v1/history").json()["versions"][0]
    assert (newest["version"], newest["origin"]) == (answer["version"], "api")
    assert (newest["user"], newest["reason"]) == ("ann", "canary")
    undone = httpx.post(
        f"{gateway.admin}/api/v1/changes",
        json={"change": answer["undo"]},
        headers={"if-match": response.headers["etag"]},
    )
    assert undone.status_code == 200, undone.text
    assert {app for app, _ in answering(gateway)} == {"legacy"}


def test_who_has_not_seen_the_last_edit_changes_nothing(gateway: GatewayProcess) -> None:
    before = etag(gateway)
    edited = text("legacy") + "# an edit by hand\n"
    replace(gateway.routes, edited)
    response = split(gateway, 50, **{"if-match": before})
    assert (response.status_code, response.json()["kind"]) == (412, "changed-underneath")
    assert gateway.routes.read_text() == edited
    eventually(lambda: etag(gateway) == response.headers["etag"])
    assert split(gateway, 50, **{"if-match": etag(gateway)}).status_code == 200


def test_a_bad_file_is_repaired_by_a_roll_back(gateway: GatewayProcess) -> None:
    gateway.routes.write_text(text("lagacy"))
    eventually(lambda: gateway.ask("/api/v1/status").json()["config"]["state"] == "rejected")
    refused = split(gateway, 50, **{"if-match": etag(gateway)})
    assert (refused.status_code, refused.json()["kind"]) == (409, "bad-file")
    assert refused.json()["problems"] == ["routes.yaml:8:9: unknown backend 'lagacy'; did you mean 'legacy'?"]
    body: dict[str, Any] = {"change": {"rollback": {}}}
    response = httpx.post(f"{gateway.admin}/api/v1/changes", json=body, headers={"if-match": etag(gateway)})
    assert response.status_code == 200, response.text
    assert gateway.ask("/api/v1/status").json()["config"]["state"] == "live"
    assert Path(response.json()["kept"]).read_text() == text("lagacy")


def test_the_figures_count_every_request(gateway: GatewayProcess) -> None:
    def served() -> int:
        route = gateway.ask("/api/v1/status").json()["routes"][0]
        return int(route["backends"]["legacy"]["requests"])

    before = served()
    for _ in range(25):
        get(gateway.url + "/books")
    eventually(lambda: served() == before + 25)
    status = gateway.ask("/api/v1/status").json()
    figures = status["routes"][0]["backends"]["legacy"]
    assert figures["rate"] > 0
    assert 0 < figures["p50"] <= figures["p95"] < 1
    # Of the last minute, in which other tests have sent to the other app.
    assert sum(status["routes"][0]["observed"].values()) == pytest.approx(100)
    assert status["routes"][0]["observed"]["legacy"] > 0
    assert sum(status["migration"]["traffic"].values()) == pytest.approx(1)


@contextmanager
def events(gateway: GatewayProcess, **headers: str) -> Iterator[Iterator[tuple[str, Any]]]:
    with httpx.stream("GET", f"{gateway.admin}/api/v1/events", headers=headers, timeout=10) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        yield _events(response.iter_lines())


def _events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def test_events_tell_a_change_and_a_refused_file_as_they_happen(gateway: GatewayProcess) -> None:
    with events(gateway) as stream:
        name, status = next(stream)
        assert name == "status"
        version = status["config"]["version"]
        replace(gateway.routes, text("new"))
        told = next(data for name, data in stream if name == "change")
        assert told["version"] == version + 1
        name, status = next(stream)
        assert (name, status["routes"][0]["to"]) == ("status", {"new": 100.0})
        gateway.routes.write_text(text("nwe"))
        told = next(data for name, data in stream if name == "rejected")
        assert told["problems"] == ["routes.yaml:8:9: unknown backend 'nwe'; did you mean 'new'?"]
        assert told["version"] == version + 1


def test_an_open_stream_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with GatewayProcess(project(tmp_path)) as gateway, events(gateway) as stream:
        next(stream)
        begun = time.monotonic()
        gateway.signal(signal.SIGTERM)
        assert list(stream) is not None
        assert gateway.wait() == 0
        assert time.monotonic() - begun < 3
        assert "Traceback" not in gateway.log()
        assert "cut off" not in gateway.log()


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8001", "127.0.0.1.evil.example", "10.0.0.1"])
def test_a_page_that_rebinds_its_name_gets_nothing(gateway: GatewayProcess, host: str) -> None:
    assert status_line(raw(gateway, f"GET /api/v1/status HTTP/1.1\nHost: {host}")) == 421


@pytest.mark.parametrize(
    "fields",
    [
        "Origin: http://evil.example\nContent-Type: application/json",
        "Sec-Fetch-Site: cross-site\nContent-Type: application/json",
        "Origin: null\nContent-Type: text/plain",
        "Content-Type: application/x-www-form-urlencoded",
        "Content-Type: text/plain",
    ],
)
def test_a_page_of_another_site_changes_nothing(gateway: GatewayProcess, fields: str) -> None:
    body = json.dumps({"change": {"move": {"route": "/books", "backend": "new"}}})
    for path in ("/api/v1/changes", "/apply"):
        head = f"POST {path} HTTP/1.1\nHost: localhost:8001\nIf-Match: *\nContent-Length: {len(body)}\n{fields}"
        assert status_line(raw(gateway, head, body)) == 403
    assert gateway.routes.read_text() == text("legacy")


def test_others_need_a_token_to_read_and_another_to_change(guarded: GatewayProcess) -> None:
    def read(token: str | None) -> int:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return httpx.get(f"{guarded.admin}/api/v1/status", headers=headers).status_code

    assert [read(token) for token in (None, "guess-0123456789abcdef", READ, CHANGE)] == [401, 401, 200, 200]
    match = {"if-match": "*"}
    assert split(guarded, 50, **match).status_code == 401
    assert split(guarded, 50, **match, authorization=f"Bearer {READ}").status_code == 403
    assert split(guarded, 50, **match, authorization=f"Bearer {CHANGE}").status_code == 200
    assert guarded.ask("/metrics").status_code == 401


def test_load_balancers_need_none_and_are_told_no_more_than_they_need(guarded: GatewayProcess) -> None:
    assert guarded.ask("/healthz").status_code == 200
    assert guarded.ask("/readyz").json() == {"ready": True}


def test_a_browser_logs_in_once(guarded: GatewayProcess) -> None:
    origin = guarded.admin
    with httpx.Client(base_url=origin, headers={"accept": "text/html"}) as browser:
        assert browser.get("/").headers["location"] == "/login?next=/"
        done = browser.post("/login", data={"token": READ, "next": "/"}, headers={"origin": origin})
        assert (done.status_code, done.headers["location"]) == (303, "/")
        assert browser.get("/").status_code == 200
        assert browser.get("/api/v1/events-").status_code == 404
        assert browser.post("/apply", data={}, headers={"origin": origin}).status_code == 403


def test_no_token_is_where_it_could_be_seen(guarded: GatewayProcess) -> None:
    assert httpx.get(f"{guarded.admin}/", headers={"authorization": f"Bearer {CHANGE}x"}).status_code == 401
    headers = {"authorization": f"Bearer {CHANGE}"}
    pid = httpx.get(f"{guarded.admin}/readyz", headers=headers).json()["workers"][0]["pid"]
    # What the apps' processes inherit, and what `ps` shows of ours.
    places = [Path(f"/proc/{pid}/environ"), Path(f"/proc/{pid}/cmdline"), Path(f"/proc/{guarded.pid}/cmdline")]
    seen = [guarded.log(), *(place.read_bytes().decode(errors="replace") for place in places)]
    for token in (CHANGE, READ):
        assert not any(token in each for each in seen)
    assert os.path.basename(guarded.routes) in seen[2]
