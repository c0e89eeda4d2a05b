"""docs/migration-guide.md: every file and command in it, in its order, up to the day without a gateway.

Its first three sections, from a bare Flask app to a first canary and back, are walked on apps that are not ours, too:
the same commands, with that app's names in the place of the shop's.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.behaviour.process import ROOT, alive, eventually
from tests.docs.console import Shell, Step, section, steps
from tests.third_party.installed import folder, tutorial

GUIDE = (ROOT / "docs" / "migration-guide.md").read_text()
TO_THE_FIRST_CANARY = ("1. Behind", "2. Who", "3. The first")


class Walk:
    """Somebody who does what the guide says in ``place``: writes its files, and runs its commands.

    ``names`` are the other app's for the shop's. ``after`` is told of each command and what it has printed.
    """

    def __init__(self, place: Path, names: Mapping[str, str]) -> None:
        self.place = place
        self._names = {
            **names,
            # Ports of the system's choice; the log tells which.
            "gateway run": "gateway run --port 0 --admin 127.0.0.1:0 --json",
            "--port 8002": "--port 0",
        }
        self.shell = Shell(place, self._names)
        self.after: Callable[[Step, str], None] = lambda step, printed: None

    def through(self, text: str, *, files: bool = True) -> None:
        """Everything in ``text``."""
        for language, block in re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL):
            if language == "console":
                for step in steps(block):
                    self._run(step)
            elif files:
                (name,) = re.findall(r"\A# (\S+)\n", block)
                (self.place / name).write_text(block)

    def address(self, log: str = "gateway.log") -> str:
        """The base URL that a server has written to its log, once it serves."""
        found: list[str] = []

        def told() -> bool:
            found[:] = re.findall(r'"url": "([^"]+)"|running on (http://[\d.:]+)', self._log(log))
            return bool(found)

        eventually(told, timeout=20)
        return "".join(found[0])

    def stop(self) -> None:
        """End what has been started and not been ended."""
        for note in self.place.glob("*.pid"):
            pid = int(note.read_text())
            # The guide has ended some itself, and their numbers may be others' by now.
            if alive(pid) and os.readlink(f"/proc/{pid}/cwd") == str(self.place.resolve()):
                os.kill(pid, signal.SIGTERM)
                eventually(lambda pid=pid: not alive(pid), timeout=10)  # type: ignore[misc]

    def _run(self, step: Step) -> None:
        replaced = self._replaced()
        is_foreign = "shop:create_app()" in self._names
        if step.command == "gateway status":
            # Requests are counted after they have been answered.
            named = Step(step.command, [self.shell.replaced(line) for line in step.shown])
            eventually(lambda: named.is_shown_by(self.shell.run(step.command)), timeout=20, step=0.3)
        printed = self.shell.run(step.command)
        # Another app has other endpoints, and answers something else.
        assert is_foreign or step.is_shown_by(printed), f"{step.command} prints\n{printed}"
        if step.command.startswith("gateway run"):
            self._names["localhost:8000"] = self.address().removeprefix("http://")
        elif step.command.startswith("uvicorn"):
            self._names["localhost:8002"] = self.address("shop_api.log").removeprefix("http://")
            # It says the address before its workers listen.
            eventually(lambda: "Application startup complete" in self._log("shop_api.log"), timeout=20)
        elif "-USR2" in step.command:
            eventually(lambda: self._replaced() > replaced, timeout=30)
        self.after(step, printed)

    def _replaced(self) -> int:
        """How often all workers have been replaced."""
        return self._log("gateway.log").count("every worker has been replaced")

    def _log(self, name: str) -> str:
        path = self.place / name
        return path.read_text() if path.exists() else ""


@contextmanager
def walk(place: Path, names: Mapping[str, str]) -> Iterator[Walk]:
    walking = Walk(place, names)
    try:
        yield walking
    except BaseException as error:
        for log in place.glob("*.log"):
            error.add_note(f"{log.name}:\n{log.read_text()}")
        raise
    finally:
        walking.stop()


def assert_a_tenth(walking: Walk, path: str) -> None:
    """Of the two hundred requests to this route, the new app has answered a tenth, as far as chance has it."""
    counts: dict[str, int] = {}

    def all_of_them() -> bool:
        status = json.loads(walking.shell.run("gateway status --json"))
        (route,) = [route for route in status["routes"] if route["path"] == path]
        counts.update({name: figures["requests"] for name, figures in route["backends"].items()})
        return sum(counts.values()) == 200

    eventually(all_of_them, timeout=20, step=0.3)
    # Each came without a cookie, and was drawn: this is within five standard deviations.
    assert 1 <= counts["new"] <= 41


@pytest.mark.timeout(300)
def test_the_shop_goes_the_whole_way(tmp_path: Path) -> None:
    with walk(tmp_path, {}) as walking:

        def looked_at(step: Step, printed: str) -> None:
            if step.command == "gateway status":
                assert_a_tenth(walking, "/books")
            elif step.command.startswith("pytest"):
                assert re.search(r"^6 passed", printed, re.MULTILINE)
            elif step.command.startswith("! grep -rnE"):
                # What is uninstalled cannot be imported any more: neither may be what the last server needs.
                gone = tmp_path / "uninstalled"
                gone.mkdir()
                for name in ("gateway", "flask"):
                    (gone / f"{name}.py").write_text(f"raise ImportError('{name} is uninstalled')")
                walking.shell.run(f"export PYTHONPATH={gone}")
            elif step.command.startswith("kill $(cat gateway.pid)"):
                pid = int((tmp_path / "gateway.pid").read_text())
                eventually(lambda: not alive(pid), timeout=10)

        walking.after = looked_at
        walking.through(GUIDE)
        assert httpx.get(walking.address("shop_api.log") + "/nowhere").json() == {"detail": "Not Found"}


@dataclass(frozen=True, slots=True)
class Foreign:
    """An app that is not ours: what it is imported by, one of its endpoints, how that is ported, what is told apart."""

    legacy: str
    prepare: str
    path: str
    port: str
    old: str
    new: str
    second: str


HTTPBIN = Foreign(
    legacy="httpbin:app",
    prepare="true",
    path="/ip",
    port="def ip(request: Request) -> dict[str, str]:\n    return {'origin': request.client.host, 'by': 'fastapi'}",
    old='{"origin":"127.0.0.1"}',
    new='{"origin":"127.0.0.1","by":"fastapi"}',
    second="/uuid",
)
FLASKR = Foreign(
    legacy="flaskr:create_app()",
    prepare="python -m flask --app flaskr init-db",
    path="/hello",
    port="def hello(request: Request) -> HTMLResponse:\n    return HTMLResponse('Hello from FastAPI')",
    old="Hello,World!",
    new="HellofromFastAPI",
    second="/auth/login",
)


def answers(walking: Walk, app: Foreign) -> set[str]:
    """What two hundred new users get, without white space."""
    found = set()
    with httpx.Client(base_url=walking.address()) as client:
        for _ in range(200):
            client.cookies.clear()
            found.add("".join(client.get(app.path).text.split()))
    return found


@pytest.mark.timeout(180)
@pytest.mark.parametrize("app", [HTTPBIN, FLASKR], ids=["httpbin", "flaskr"])
def test_an_app_that_is_not_ours_gets_its_first_canary(tmp_path: Path, app: Foreign) -> None:
    places = [str(ROOT), str(folder())]
    if app is FLASKR:
        # It keeps its database beside itself.
        shutil.copytree(tutorial() / "flaskr", tmp_path / "flaskr")
    (tmp_path / "catalogue.py").write_text(
        "from fastapi import APIRouter, Request\nfrom fastapi.responses import HTMLResponse\n\n"
        f'router = APIRouter()\n\n\n@router.get("{app.path}")\n{app.port}\n'
    )
    names = {
        "shop:create_app()": app.legacy,
        "python stock.py": app.prepare,
        "/books": app.path,
        "/me": app.second,
    }
    with walk(tmp_path, names) as walking:
        walking.shell.run(f"export PYTHONPATH={':'.join(places)}")
        # The new app is put together as in the guide; only its router is another.
        (shop_api,) = re.findall(r"```python\n(# shop_api.py\n.*?)```", section(GUIDE, "3. The first"), re.DOTALL)
        (tmp_path / "shop_api.py").write_text(shop_api)
        seen: list[str] = []

        def looked_at(step: Step, printed: str) -> None:
            seen.append(step.command)
            if step.command == "gateway status":
                assert_a_tenth(walking, app.path)
                assert answers(walking, app) == {app.old, app.new}

        walking.after = looked_at
        for part in TO_THE_FIRST_CANARY:
            walking.through(section(GUIDE, part), files=False)
        assert any(command.startswith("gateway split") for command in seen)
        assert seen[-1] == "gateway rollback"
        assert answers(walking, app) == {app.old}


def test_what_the_guide_links_to_is_there() -> None:
    anchors = {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)", GUIDE, re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)]+)\)", GUIDE):
        file, _, anchor = target.partition("#")
        if file:
            page = ROOT / "docs" / file
            assert page.exists(), target
            there = re.findall(r"^#+ (.*)", page.read_text(), re.MULTILINE) if anchor else []
            assert not anchor or anchor in {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in there}, target
        else:
            assert anchor in anchors, target
