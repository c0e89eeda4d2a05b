"""What users notice of a new app that fails, with an old one behind it: nothing, as far as that is safe."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.behaviour.probe import metric, replace
from tests.behaviour.process import GatewayProcess, eventually
from tests.behaviour.remote_apps import serving

# Each app writes down what it was asked to do.
LEDGER = """
import pathlib

here = pathlib.Path(__file__).parent

def note(app, what):
    with open(here / "ledger", "a") as ledger:
        ledger.write(f"{app} {what}\\n")
"""
LEGACY = """
from flask import Flask, jsonify, request
from ledger import note

app = Flask(__name__)

@app.route("/orders/<name>", methods=["GET", "POST", "PUT"])
def order(name):
    note("legacy", f"{request.method} {name}")
    return jsonify(app="legacy", name=name, body=request.get_data(as_text=True))
"""
# It does what the file `mode` says.
NEW = """
import asyncio, os
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse
from ledger import here, note

app = FastAPI()

@app.get("/echo")
async def ready():
    return "ready"

@app.api_route("/orders/{name}", methods=["GET", "POST", "PUT"])
async def order_of(name: str, request: Request):
    body = await request.body()
    note("new", f"{request.method} {name}")
    match (here / "mode").read_text():
        case "raise":
            raise ValueError("oh")
        case "hang":
            await asyncio.sleep(1)
        case "break":
            async def parts():
                yield "half"
                await asyncio.sleep(0.1)
                os._exit(1)
            return StreamingResponse(parts())
        case "well":
            return {"app": "new", "name": name, "body": body.decode()}
        case status:
            return JSONResponse({"app": "new"}, int(status))
"""

ROUTES = """\
version: 1
backends:
  legacy: {{app: "old_app:app"}}
  new: {new}
default: legacy
expose: true
routes:
  - path: /orders/{{name}}
    to: {to}
    sticky: none
    fallback: {fallback}
    breaker: {breaker}
"""


class Shop:
    """A gateway before both apps."""

    def __init__(self, folder: Path, gateway: GatewayProcess, write: Callable[..., None]) -> None:
        self._folder = folder
        self._url = gateway.url
        self.gateway = gateway
        self.write = write

    def mode(self, mode: str) -> None:
        """What the new app does from now on."""
        replace(self._folder / "mode", mode)

    def ask(self, name: str, method: str = "GET", body: str = "") -> httpx.Response:
        return httpx.request(method, f"{self._url}/orders/{name}", content=body, timeout=10, verify=False)

    def served_by(self, name: str, method: str = "GET", body: str = "") -> str:
        """Which app has answered rightly."""
        answer = self.ask(name, method, body)
        assert answer.status_code == 200, answer.text
        said: dict[str, str] = answer.json()
        assert (said["name"], said["body"]) == (name, body)
        assert answer.headers["x-served-by"] == said["app"]
        return said["app"]

    @property
    def ledger(self) -> list[str]:
        """What the apps were asked to do, in turn."""
        path = self._folder / "ledger"
        return path.read_text().splitlines() if path.exists() else []

    def log(self) -> list[dict[str, object]]:
        path = self._folder / "access.log"
        return [json.loads(line) for line in path.read_text().splitlines()]

    def fallbacks(self, *labels: str) -> int:
        """``labels`` as they stand on the page."""
        lines = self.gateway.ask("/metrics").text.splitlines()
        counts = [line for line in lines if line.startswith("gateway_fallbacks_total{")]
        return sum(int(float(line.split()[-1])) for line in counts if all(label in line for label in labels))


@contextmanager
def shop(
    folder: Path, *, to: str = "new", fallback: str = "legacy", breaker: str = "off", new: str = ""
) -> Iterator[Shop]:
    """``new`` is the backend, if not the FastAPI app on a server of its own."""
    # In files of their own: each process is to import only the app that it serves.
    for name, source in {"ledger": LEDGER, "old_app": LEGACY, "new_app": NEW}.items():
        (folder / f"{name}.py").write_text(source)
    (folder / "mode").write_text("well")
    path = folder / "routes.yaml"

    @contextmanager
    def gateway(new: str) -> Iterator[Shop]:
        def write(*, to: str = to, fallback: str = fallback, breaker: str = breaker) -> None:
            replace(path, ROUTES.format(new=new, to=to, fallback=fallback, breaker=breaker))

        write()
        log = ("--access-log", str(folder / "access.log"), "--access-log-format", "json")
        with GatewayProcess(path, *log, cwd=folder) as running:
            yield Shop(folder, running, write)

    if new:
        with gateway(new) as running:
            yield running
        return
    uvicorn = ("uvicorn", "new_app:app", "--fd", "{fd}", "--log-level", "warning")
    with (
        serving(folder, *uvicorn) as (port, _),
        gateway(f'{{url: "http://127.0.0.1:{port}", timeouts: {{head: 0.4}}}}') as running,
    ):
        yield running


def test_who_only_reads_notices_nothing(tmp_path: Path) -> None:
    with shop(tmp_path) as town:
        assert town.served_by("a") == "new"
        town.mode("503")
        assert town.served_by("b") == "legacy"
        assert town.served_by("c", "PUT", "body") == "legacy"
        town.mode("hang")
        assert town.served_by("d") == "legacy"
        town.mode("well")
        assert town.served_by("e") == "new"
        eventually(lambda: len(town.log()) == 5)
        assert [(line["backend"], line["why"]) for line in town.log()] == [
            ("new", "route"),
            ("legacy", "fallback"),
            ("legacy", "fallback"),
            ("legacy", "fallback"),
            ("new", "route"),
        ]
        eventually(lambda: town.fallbacks('outcome="answered"') == 3)
        assert town.fallbacks('reason="timeout"') == 1


def test_what_might_be_done_twice_is_done_once(tmp_path: Path) -> None:
    with shop(tmp_path) as town:
        for mode, status in (("503", 503), ("hang", 504)):
            town.mode(mode)
            assert town.ask(mode, "POST", "body").status_code == status
        assert town.ledger == ["new POST 503", "new POST hang"]
        assert town.fallbacks('outcome="unsafe"') == 2


def test_what_the_new_app_does_not_have_yet_the_old_one_answers(tmp_path: Path) -> None:
    with shop(tmp_path, fallback="{to: legacy, on: [404, 405, 501]}") as town:
        for mode in ("404", "405", "501"):
            town.mode(mode)
            assert town.served_by(mode) == "legacy"
        town.mode("503")
        assert town.ask("a").status_code == 503


def test_an_answer_that_has_begun_is_not_begun_again(tmp_path: Path) -> None:
    with shop(tmp_path) as town:
        town.mode("break")
        with pytest.raises(httpx.RemoteProtocolError):
            town.ask("a")
        assert town.ledger == ["new GET a"]


def test_who_cannot_be_reached_has_done_nothing(tmp_path: Path) -> None:
    # Bound and not listening: nobody else gets the port, and nobody answers.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with shop(tmp_path, new=f'{{url: "http://127.0.0.1:{taken.getsockname()[1]}"}}') as town:
            assert town.served_by("a", "POST", "body") == "legacy"
            # It is no second time for anything: there is no budget for it.
            for number in range(30):
                assert town.served_by(str(number)) == "legacy"
            eventually(lambda: town.fallbacks('reason="connect"', 'outcome="answered"') == 31)


def test_an_app_in_this_process_that_raises(tmp_path: Path) -> None:
    with shop(tmp_path, fallback="{to: legacy, on: [500]}", new='{app: "new_app:app"}') as town:
        town.mode("raise")
        assert town.served_by("a") == "legacy"
        assert town.served_by("b", "PUT", "body") == "legacy"
        assert town.ask("c", "POST").status_code == 500
        assert town.ledger == ["new GET a", "legacy GET a", "new PUT b", "legacy PUT b", "new POST c"]
        assert "ValueError: oh" in town.gateway.log()


def test_trouble_is_not_multiplied(tmp_path: Path) -> None:
    with shop(tmp_path) as town:
        town.mode("503")
        statuses = [town.ask(str(number)).status_code for number in range(40)]
        assert statuses == [200] * 10 + [503] * 30
        assert town.fallbacks('outcome="budget"') == 30


def test_who_keeps_failing_is_left_alone_and_comes_back(tmp_path: Path) -> None:
    with shop(tmp_path, breaker="{consecutive: 3, open: 0.3, probes: 2, ramp: 0.3}") as town:
        town.mode("503")
        for number in range(20):
            assert town.served_by(str(number)) == "legacy"
        assert sum(line.startswith("new") for line in town.ledger) == 3
        assert metric(town.gateway, 'gateway_breaker_state{backend="new",route="/orders/{name}",state="open"}') == 1
        assert "backend new keeps failing, and is left alone for a while" in town.gateway.log()
        town.mode("well")
        eventually(lambda: town.served_by("again") == "new")
        eventually(lambda: [town.served_by("all") for _ in range(10)] == ["new"] * 10)
        assert metric(town.gateway, 'gateway_breaker_state{backend="new",route="/orders/{name}",state="closed"}') == 1
        assert "works again, and gets its share back little by little" in town.gateway.log()


def test_of_a_split_the_share_goes_to_the_default(tmp_path: Path) -> None:
    breaker = "{consecutive: 3, open: 60}"
    with shop(tmp_path, to="{legacy: 50, new: 50}", fallback="none", breaker=breaker) as town:
        town.mode("500")
        statuses = [town.ask(str(number)).status_code for number in range(60)]
        assert statuses.count(500) == 3
        assert statuses[-30:] == [200] * 30


def test_by_hand_at_once(tmp_path: Path) -> None:
    with shop(tmp_path) as town:
        assert town.served_by("a") == "new"
        town.write(breaker="open")
        eventually(lambda: town.served_by("b") == "legacy")
        assert town.served_by("c", "POST", "body") == "legacy"
        town.write(breaker="off")
        eventually(lambda: town.served_by("d") == "new")
        town.write(fallback="none", breaker="open")
        eventually(lambda: town.ask("e").status_code == 503)
        assert int(town.ask("f").headers["retry-after"]) >= 1
        lines = town.gateway.ask("/metrics").text
        assert 'gateway_breaker_state{backend="new",route="/orders/{name}",state="open"} 1.0' in lines


def test_a_reload_that_is_about_something_else_leaves_it_open(tmp_path: Path) -> None:
    breaker = "{consecutive: 3, open: 60}"
    with shop(tmp_path, breaker=breaker) as town:
        town.mode("503")
        for number in range(5):
            town.served_by(str(number))
        asked = len(town.ledger)
        town.write(to="{new: 100}")
        eventually(lambda: metric(town.gateway, 'gateway_config_reloads_total{outcome="applied"}') == 1)
        for number in range(5):
            town.served_by(f"later {number}".replace(" ", "-"))
        assert [line for line in town.ledger[asked:] if line.startswith("new")] == []
