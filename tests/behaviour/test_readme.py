"""Every command of the README, run as it stands there; what it shows of their output is what they print."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.behaviour.process import ROOT, GatewayProcess, environment, eventually

README = (ROOT / "README.md").read_text()


@dataclass(slots=True)
class Step:
    """One command, and the lines that are shown below it."""

    command: str
    shown: list[str] = field(default_factory=list)


def console(section: str) -> Iterator[Step]:
    """The commands of a section, by the beginning of its heading."""
    text = re.split(r"^##+ ", README, flags=re.MULTILINE)
    (found,) = [part for part in text if part.startswith(section)]
    for block in re.findall(r"```console\n(.*?)```", found, re.DOTALL):
        step: Step | None = None
        for line in block.splitlines():
            if line.startswith("$ "):
                if step is not None:
                    yield step
                step = Step(line[2:].partition("  #")[0].strip())
            else:
                assert step is not None, line
                step.shown.append(line)
        if step is not None:
            yield step


class Terminal:
    """A folder with the program, and a shell in it that remembers what was exported."""

    def __init__(self, folder: Path, replacements: dict[str, str]) -> None:
        self.folder = folder
        self._replacements = replacements
        self._exported = ""
        programs = folder / ".venv" / "bin"
        programs.mkdir(parents=True)
        (programs / "gateway").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m gateway "$@"\n')
        (programs / "gateway").chmod(0o755)

    def run(self, command: str) -> str:
        """What it prints. AssertionError unless it exits with 0."""
        for text, replacement in self._replacements.items():
            command = command.replace(text, replacement)
        done = subprocess.run(
            ["bash", "-c", f"{self._exported}\n{command}"],
            cwd=self.folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}"
        if command.startswith("export "):
            self._exported += command + "\n"
        return done.stdout


def plain(line: str, command: str) -> str:
    """``line`` without what differs from run to run: times, users, columns' widths; of live figures all numbers."""
    line = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|^\d\d:\d\d:\d\d\.\d+ ", "", line)
    line = re.sub(r"in \d+ ms", "in N ms", line)
    line = re.sub(r"\S+, command", "USER, command", line)
    if command == "gateway status":
        line = re.sub(r"\d+(\.\d+)?", "N", line)
    return " ".join(line.split())


def is_shown(step: Step, printed: str) -> bool:
    """Whether the shown lines are printed, in this order; others may stand between them."""
    lines = iter([plain(line, step.command) for line in printed.splitlines()])
    return all(any(plain(shown, step.command) == line for line in lines) for shown in step.shown)


def test_every_block_of_commands_is_run_here() -> None:
    sections = re.split(r"^##+ ", README, flags=re.MULTILINE)
    with_commands = {section.partition("\n")[0] for section in sections if "```console" in section}
    assert with_commands == {"Try it: two commands", "In the terminal", "On your own app"}
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for step in console("Try it"):
        make, target = step.command.split()
        assert make == "make"
        assert target in targets


@pytest.mark.timeout(120)
def test_one_endpoint_goes_there_and_back_in_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "routes.yaml").write_bytes((ROOT / "routes.yaml").read_bytes())
    database = {"DATABASE_URL": f"sqlite:///{tmp_path / 'bookshop.db'}", "THIRD_PARTY_URL": "http://127.0.0.1:9"}
    with GatewayProcess(tmp_path / "routes.yaml", env=database) as gateway:
        terminal = Terminal(tmp_path, {"localhost:8000": gateway.url.removeprefix("http://")})
        for step in console("In the terminal"):
            printed = terminal.run(step.command)
            if step.command == "gateway status":
                eventually(lambda step=step: is_shown(step, terminal.run(step.command)), timeout=20)  # type: ignore[misc]
                _half_of_them(gateway)
            elif step.command.startswith("echo oops"):
                # It is the first terminal that says it.
                eventually(lambda step=step: is_shown(step, gateway.log()))  # type: ignore[misc]
                assert httpx.get(gateway.url + "/books").status_code == 200
            else:
                assert is_shown(step, printed), f"{step.command} prints\n{printed}"
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
    terminal = Terminal(tmp_path, {})
    terminal.run("export PATH=$PWD/.venv/bin:$PATH")
    *before, last = console("On your own app")
    for step in before:
        terminal.run(step.command)
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
        terminal.run("gateway move '/books/{number:int}' new")
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
