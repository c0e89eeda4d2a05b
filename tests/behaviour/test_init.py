"""From a bare Flask app to a first canary, with nothing but commands, on the bookshop."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.config.loader import load_file
from gateway.config.model import Config
from gateway.config.rule_of import rule_of
from gateway.routing.path import canonical
from gateway.routing.table import Table
from legacy_flask import create_app as flask_bookshop
from legacy_flask.extensions import db
from new_fastapi import create_app as fastapi_bookshop
from tests.behaviour.process import ROOT, GatewayProcess, environment, eventually

BOTH = ("--legacy", "legacy_flask:create_app()", "--new", "new_fastapi:app")

# What makes of the file that init writes the one at the top of the repository, as far as routes decide.
MOVES = (
    "GET,HEAD /books/{book_id:int}",
    "GET,HEAD /users",
    "POST /users",
    "GET,HEAD /users/{user_id:int}",
    "/external-data",
    "POST /sessions",
    "DELETE /sessions",
    "/me",
    "/docs",
    "/redoc",
    "/openapi.json",
    "/events/catalogue",
    "/chat",
    "/ws/chat",
)
SPLITS = {"GET,HEAD /books": 10, "GET,HEAD /products/search": 10, "GET,HEAD /items": 50}


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    folder = tmp_path_factory.mktemp("bookshop")
    return {"DATABASE_URL": f"sqlite:///{folder / 'bookshop.db'}", "THIRD_PARTY_URL": "http://127.0.0.1:9"}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, env: Mapping[str, str]) -> Path:
    path = tmp_path_factory.mktemp("init") / "routes.yaml"
    gateway(env, "init", *BOTH, "--output", str(path))
    return path


@pytest.fixture
def routes(written: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "routes.yaml"
    copy.write_bytes(written.read_bytes())
    return copy


def gateway(env: Mapping[str, str], *arguments: str) -> str:
    """Run a command at the top of the repository; what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        cwd=ROOT,
        env=environment(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def change(*arguments: str) -> None:
    """Run a command in this process: it takes a tenth of the time, and imports no app."""
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.stderr


def answered(running: GatewayProcess, number: int) -> bool:
    """Whether ``number`` requests have been counted: that is done after the answer."""
    counts = re.findall(r"^gateway_requests_total{.*} (.+)$", running.ask("/metrics").text, re.MULTILINE)
    return sum(map(float, counts)) == number


def requests() -> Iterator[tuple[str, str]]:
    """One request, or more, for every endpoint of both apps, as their authors have written them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "DATABASE_URL", "sqlite://")
        flask = flask_bookshop({"SQLALCHEMY_DATABASE_URI": "sqlite://"})
    with flask.app_context():
        # Its address map is all that is wanted. Python 3.13 warns of a connection to SQLite that is left open.
        db.engine.dispose()
    for rule in flask.url_map.iter_rules():
        path = re.sub(r"<path:\w+>", "css/a.css", re.sub(r"<int:\w+>", "7", rule.rule))
        for method in (rule.methods or set()) - {"OPTIONS"}:
            yield method, re.sub(r"<\w+>", "name", path)
    for path, item in fastapi_bookshop().openapi()["paths"].items():
        yield from ((method.upper(), re.sub(r"{\w+}", "7", path)) for method in item)
    yield from (("GET", path) for path in ("/docs", "/redoc", "/openapi.json", "/chat", "/ws/chat"))
    yield from (("GET", path) for path in ("/books/abc", "/books/", "/nowhere", "/users/x", "/catalogue/7/x"))


def decisions(config: Config) -> dict[tuple[str, str], dict[str, int]]:
    table = Table([(rule_of(route), dict(route.weights)) for route in config.routes])
    default = {config.default: 10_000}
    return {
        (method, path): table.match(method, canonical(path.encode())[0], (), b"") or default
        for method, path in requests()
    }


def test_the_bookshop_s_own_file_comes_of_init_and_a_few_commands(routes: Path, env: Mapping[str, str]) -> None:
    before = decisions(load_file(routes).config)
    assert set(map(str, before.values())) == {"{'legacy': 10000}"}
    for route in MOVES:
        change("move", route, "new", "--routes", str(routes))
    for route, share in SPLITS.items():
        change("split", route, f"new={share}", "--routes", str(routes))
    assert decisions(load_file(routes).config) == decisions(load_file(ROOT / "routes.yaml", env={}).config)


def test_behind_the_gateway_nothing_has_changed_until_a_route_is_moved(routes: Path, env: Mapping[str, str]) -> None:
    with GatewayProcess(routes, env=env) as running, httpx.Client(base_url=running.url, timeout=10) as client:
        assert client.get("/").headers["content-type"].startswith("text/html")
        assert client.get("/books/7").json()["title"] == "The Time Machine"
        assert client.get("/chat").status_code == 404
        eventually(lambda: answered(running, 3))
        first = gateway(env, "coverage", str(routes))
        assert "0.0 % of 3 requests" in first
        assert re.search(r"^GET /books/<int:book_id> +both +GET,HEAD /books/\{book_id:int\} +1$", first, re.MULTILINE)
        assert re.search(r"^GET / +legacy only +default +≤ \d+", first, re.MULTILINE)
        assert "1. GET,HEAD /books/{book_id:int}: it only reads; 33.3 % of all requests" in first

        change("move", "GET,HEAD /books/{book_id:int}", "new", "--routes", str(routes))
        assert client.get("/books/7").json()["title"] == "The Time Machine"
        assert client.get("/books/abc").status_code == 404
        eventually(lambda: answered(running, 5))
        second = gateway(env, "coverage", str(routes))
        assert "20.0 % of 5 requests" in second
        assert re.search(r"^GET /books/<int:book_id> +moved", second, re.MULTILINE)
        # A second run sees what has been done, and adds nothing.
        assert "nothing is new" in gateway(env, "init", "--output", str(routes))
