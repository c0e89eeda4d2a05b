"""Flask's own tutorial application: a session, forms, redirects and a database, through the gateway and without it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.behaviour.process import GatewayProcess
from tests.third_party.installed import tutorial
from tests.third_party.rounds import Request, adopted, answer, direct, importable, without

HOST = "blog.example"
APP = "flaskr:create_app()"


def form(**fields: str) -> dict[str, Any]:
    return {"data": fields}


# In order: each needs what the ones before it have left behind.
ROUND: list[Request] = [
    ("GET", "/", {}),
    ("GET", "/hello", {}),
    ("HEAD", "/hello", {}),
    ("GET", "/create", {}),
    ("POST", "/auth/register", form(username="", password="x")),
    ("POST", "/auth/register", form(username="ann", password="secret")),
    ("POST", "/auth/register", form(username="ann", password="secret")),
    ("POST", "/auth/login", form(username="ann", password="wrong")),
    ("POST", "/auth/login", form(username="ann", password="secret")),
    ("GET", "/", {}),
    ("POST", "/create", form(title="", body="nothing")),
    ("POST", "/create", form(title="Émile <1>", body="first\nsecond")),
    ("GET", "/", {}),
    ("GET", "/1/update", {}),
    ("GET", "/2/update", {}),
    ("GET", "/-1/update", {}),
    ("POST", "/1/update", form(title="New", body="body")),
    ("GET", "/", {}),
    ("DELETE", "/1/update", {}),
    ("POST", "/1/delete", {}),
    ("GET", "/", {}),
    ("GET", "/static/style.css", {}),
    ("GET", "/auth/logout", {}),
    ("GET", "/create", {}),
    ("GET", "/nowhere", {}),
]

# The session's cookie has the time in it; the post its day; the static file the time of the copy.
SAME = without(
    r"session=[^;]*",
    r"on \d{4}-\d\d-\d\d",
    r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT",
    r'"[\d.]+-\d+-\d+"',
)


def checkout(place: Path) -> Path:
    """A copy with a database of its own."""
    copy = place / "blog"
    shutil.copytree(tutorial(), copy)
    command = [sys.executable, "-m", "flask", "--app", "flaskr", "init-db"]
    subprocess.run(command, cwd=copy, env=importable(), check=True, capture_output=True, timeout=30)
    return copy


@contextmanager
def embedded(copy: Path) -> Iterator[str]:
    routes = adopted(copy, importable(copy), APP)
    with GatewayProcess(routes, env=importable(copy), cwd=copy) as running:
        yield running.url


@contextmanager
def remote(copy: Path) -> Iterator[str]:
    with direct(copy, APP) as port:
        routes = copy / "routes.yaml"
        routes.write_text(f'version: 1\nbackends: {{legacy: {{url: "http://127.0.0.1:{port}"}}}}\ndefault: legacy\n')
        with GatewayProcess(routes) as running:
            yield running.url


def round_of(url: str) -> list[tuple[object, ...]]:
    with httpx.Client(base_url=url) as browser:
        answers = []
        for request in ROUND:
            answers.append(answer(browser, request, HOST, SAME))
            # The cookie is for the name of the host, which this browser does not go by.
            for cookie in list(browser.cookies.jar):
                browser.headers["cookie"] = f"{cookie.name}={cookie.value}"
        return answers


@pytest.mark.parametrize("through", [embedded, remote])
def test_the_whole_visit_is_the_same_through_the_gateway(through: Any, tmp_path: Path) -> None:
    with direct(checkout(tmp_path / "one"), APP) as port:
        straight = round_of(f"http://127.0.0.1:{port}")
    assert re.search("Log Out", str(straight[9])), "the visit itself does not work"
    with through(checkout(tmp_path / "two")) as url:
        assert round_of(url) == straight
