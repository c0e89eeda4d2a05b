"""Every command of the README, run as it stands there; what it shows of their output is what they print."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.behaviour.process import ROOT, GatewayProcess, environment, eventually
from tests.docs.console import Shell, console

README = (ROOT / "README.md").read_text()


def test_every_block_of_commands_is_run_here() -> None:
    sections = re.split(r"^##+ ", README, flags=re.MULTILINE)
    with_commands = {section.partition("\n")[0] for section in sections if "```console" in section}
    assert with_commands == {"Try it: two commands", "In the terminal", "On your own app"}
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for step in console(README, "Try it"):
        make, target = step.command.split()
        assert make == "make"
        assert target in targets


@pytest.mark.timeout(120)
def test_one_endpoint_goes_there_and_back_in_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "routes.yaml").write_bytes((ROOT / "routes.yaml").read_bytes())
    database = {"DATABASE_URL": f"sqlite:///{tmp_path / 'bookshop.db'}", "THIRD_PARTY_URL": "http://127.0.0.1:9"}
    with GatewayProcess(tmp_path / "routes.yaml", env=database) as gateway:
        shell = Shell(tmp_path, {"localhost:8000": gateway.url.removeprefix("http://")})
        for step in console(README, "In the terminal"):
            printed = shell.run(step.command)
            if step.command == "gateway status":
                eventually(lambda step=step: step.is_shown_by(shell.run(step.command)), timeout=20)  # type: ignore[misc]
                _half_of_them(gateway)
            elif step.command.startswith("echo oops"):
                # It is the first terminal that says it.
                eventually(lambda step=step: step.is_shown_by(gateway.log()))  # type: ignore[misc]
                assert httpx.get(gateway.url + "/books").status_code == 200
            else:
                assert step.is_shown_by(printed), f"{step.command} prints\n{printed}"
        assert (tmp_path / "routes.yaml").read_text().count("to: legacy") == (
            (ROOT / "routes.yaml").read_text().count("to: legacy") + 1
        )


def _half_of_them(gateway: GatewayProcess) -> None:
    routes = gateway.ask("/api/v1/status").json()["routes"]
    (books,) = [route for route in routes if route["label"] == "GET,HEAD /books"]
    counts = {name: figures["requests"] for name, figures in books["backends"].items()}
    assert sum(counts.values()) == 40
    # Each came without a cookie, and was drawn.
    assert min(counts.values()) > 5


SHOP = """
from flask import Flask

def create_app():
    app = Flask(__name__)
    app.add_url_rule("/books/<int:number>", "book", lambda number: {"app": "old"})
    return app
"""
SHOP_API = """
from fastapi import FastAPI

app = FastAPI()

@app.get("/books/{number}")
def book(number: int):
    return {"app": "new"}
"""


@pytest.mark.timeout(120)
def test_a_first_file_for_an_app_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "shop_api.py").write_text(SHOP_API)
    shell = Shell(tmp_path, {})
    shell.run("export PATH=$PWD/.venv/bin:$PATH")
    *before, last = console(README, "On your own app")
    for step in before:
        shell.run(step.command)
    assert last.command.startswith("gateway run")
    words = [*shlex.split(last.command), "--port", "0", "--admin", "off", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        # Everything stays where it is.
        assert httpx.get(ready["url"] + "/books/7").json() == {"app": "old"}
        shell.run("gateway move '/books/{number:int}' new")
        assert httpx.get(ready["url"] + "/books/7").json() == {"app": "new"}
    finally:
        process.terminate()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "shop_api.py").write_text(SHOP_API)
    (tmp_path / "routes.yaml").write_text(
        'version: 1\nbackends: {legacy: {app: "shop:create_app()"}}\ndefault: legacy\nroutes: []\n'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    names: dict[str, object] = {}
    exec(
        f"from shop import create_app\nfrom shop_api import app as fastapi_app\nflask_app = create_app()\n{block}",
        names,
    )
    assert callable(names["app"])


def test_what_the_readme_links_to_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)", README):
        if not target.startswith(("http:", "https:")):
            assert os.path.exists(ROOT / target), target
