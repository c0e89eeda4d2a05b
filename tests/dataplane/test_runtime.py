"""Reloads: what is swapped, what is kept, and what a bad file changes (nothing)."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from gateway.config.problem import ConfigError
from gateway.dataplane.app import Gateway
from gateway.dataplane.reload import Reload
from tests.dataplane.asgi_client import get


class App:
    """Says its name; holds a request until it is let go, when told to."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.events: list[str] = []
        self.entered = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for answer in ("startup", "shutdown"):
                await receive()
                self.events.append(answer)
                await send({"type": f"lifespan.{answer}.complete"})
            return
        self.entered.set()
        await self.gate.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": self.name.encode()})


def text(to: str, *backends: str) -> str:
    named = "".join(f'  {name}: {{app: "unused:{name}"}}\n' for name in backends)
    return f"version: 1\nbackends:\n{named}default: legacy\nroutes:\n  - path: /a\n    to: {to}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "routes.yaml"
    path.write_text(text("legacy", "legacy", "new"))
    return path


@pytest.fixture
def apps() -> dict[str, App]:
    return {name: App(name) for name in ("legacy", "new")}


async def body(gateway: Gateway, path: str = "/a") -> str:
    return (await get(gateway, path)).body.decode()


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


async def test_a_reload_swaps_the_routes_and_keeps_the_apps(file: Path, apps: dict[str, App]) -> None:
    gateway = Gateway.from_file(file, apps=apps, watch=False)
    await gateway.start()
    assert (gateway.config_version, await body(gateway)) == (1, "legacy")
    before = gateway.loaded.digest
    file.write_text(text("new", "legacy", "new"))
    reload = await gateway.reload()
    assert (reload.outcome, reload.version, reload.problems) == ("applied", 2, ())
    assert reload.digest == gateway.loaded.digest != before
    assert await body(gateway) == "new"
    assert [app.events for app in apps.values()] == [["startup"], ["startup"]]
    await gateway.stop()
    assert [app.events for app in apps.values()] == [["startup", "shutdown"]] * 2


async def test_the_same_content_is_not_a_reload(file: Path, apps: dict[str, App]) -> None:
    gateway = Gateway.from_file(file, apps=apps, watch=False)
    await gateway.start()
    os.utime(file)
    reload = await gateway.reload()
    assert (reload.outcome, reload.version) == ("unchanged", 1)
    await gateway.stop()


async def test_content_that_was_overtaken_by_a_newer_read_is_dropped(file: Path, apps: dict[str, App]) -> None:
    """SIGHUP and the watcher see the same saves. What the watcher read first must not be applied last."""
    gateway = Gateway.from_file(file, apps=apps, watch=False)
    await gateway.start()
    older, newer = text("legacy", "legacy", "new") + "# older\n", text("new", "legacy", "new")
    file.write_text(newer)
    async with gateway._runtime._changing:
        # Both wait for their turn; the one that reads for itself comes first, and reads later than the other has.
        signalled = asyncio.create_task(gateway._runtime.reload())
        await asyncio.sleep(0)
        watched = asyncio.create_task(gateway._runtime.reload(older.encode()))
        await asyncio.sleep(0)
    assert [(await signalled).outcome, (await watched).outcome] == ["applied", "unchanged"]
    assert await body(gateway) == "new"
    # The next save counts again.
    assert (await gateway._runtime.reload(older.encode())).outcome == "applied"
    await gateway.stop()


@pytest.mark.parametrize("bad", ["", "version: 1\n  - x", "version: 1\nbackends: {}\n", text("nwe", "legacy", "new")])
async def test_a_bad_file_changes_nothing_and_says_why(file: Path, apps: dict[str, App], bad: str) -> None:
    gateway = Gateway.from_file(file, apps=apps, watch=False)
    await gateway.start()
    snapshot = gateway._runtime.snapshot
    file.write_text(bad)
    reload = await gateway.reload()
    assert (reload.outcome, reload.version) == ("rejected", 1)
    assert reload.problems
    assert all(problem.source == "routes.yaml" for problem in reload.problems)
    assert gateway._runtime.snapshot is snapshot
    assert await body(gateway) == "legacy"
    await gateway.stop()


async def test_a_backend_that_cannot_be_had_changes_nothing(file: Path, apps: dict[str, App]) -> None:
    gateway = Gateway.from_file(file, apps=apps, watch=False)
    await gateway.start()
    file.write_text(text("third", "legacy", "new", "third"))
    reload = await gateway.reload()
    assert reload.outcome == "rejected"
    (problem,) = reload.problems
    assert str(problem).startswith("routes.yaml:5:16: no module named 'unused'")
    assert await body(gateway) == "legacy"
    assert apps["legacy"].events == ["startup"]
    await gateway.stop()


async def test_a_request_finishes_on_the_snapshot_it_began_with(
    file: Path, apps: dict[str, App], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its backend is no longer named after the reload, and is stopped only when the request is done."""
    module = ModuleType("retired_fixture")
    module.__dict__.update(apps)
    monkeypatch.setitem(sys.modules, "retired_fixture", module)
    file.write_text(text("new", "legacy", "new").replace("unused:", "retired_fixture:"))
    gateway = Gateway.from_file(file, watch=False)
    await gateway.start()
    apps["new"].gate.clear()
    request = asyncio.create_task(get(gateway, "/a"))
    await apps["new"].entered.wait()
    file.write_text(text("legacy", "legacy").replace("unused:", "retired_fixture:"))
    assert (await gateway.reload()).outcome == "applied"
    assert await body(gateway) == "legacy"
    await asyncio.sleep(0.1)
    assert apps["new"].events == ["startup"]
    apps["new"].gate.set()
    assert (await request).body == b"new"
    await until(lambda: apps["new"].events == ["startup", "shutdown"])
    await gateway.stop()


async def test_the_file_is_followed(file: Path, apps: dict[str, App]) -> None:
    gateway = Gateway.from_file(file, apps=apps)
    seen: list[Reload] = []
    gateway.on_reload.append(seen.append)
    await gateway.start()
    await asyncio.sleep(0.05)
    replacement = file.with_suffix(".tmp")
    replacement.write_text(text("new", "legacy", "new"))
    replacement.rename(file)
    await until(lambda: seen)
    assert await body(gateway) == "new"
    file.write_text("version: 2\n")
    await until(lambda: len(seen) == 2)
    assert seen[1].outcome == "rejected"
    assert await body(gateway) == "new"
    file.write_text(text("legacy", "legacy", "new"))
    await until(lambda: len(seen) == 3)
    assert await body(gateway) == "legacy"
    await gateway.stop()


async def test_a_file_that_is_gone_changes_nothing_and_is_good_again_when_it_is_back(
    file: Path, apps: dict[str, App]
) -> None:
    gateway = Gateway.from_file(file, apps=apps)
    seen: list[Reload] = []
    gateway.on_reload.append(seen.append)
    await gateway.start()
    content = file.read_text()
    file.unlink()
    await until(lambda: seen)
    assert (seen[0].outcome, [str(problem) for problem in seen[0].problems]) == (
        "missing",
        ["routes.yaml: no such file"],
    )
    assert (await gateway.reload()).outcome == "missing"
    assert await body(gateway) == "legacy"
    file.write_text(content)
    await until(lambda: len(seen) == 3)
    assert (seen[2].outcome, seen[2].problems, gateway.config_version) == ("unchanged", (), 1)
    await gateway.stop()


async def test_what_came_of_a_change_is_logged(
    file: Path, apps: dict[str, App], caplog: pytest.LogCaptureFixture
) -> None:
    """Under another server the log is all that tells of it."""
    caplog.set_level("INFO", "gateway")
    gateway = Gateway.from_file(file, apps=apps, watch=False)
    await gateway.start()
    content = file.read_text()
    for change in (text("new", "legacy", "new"), text("nwe", "legacy", "new"), text("new", "legacy", "new")):
        file.write_text(change)
        await gateway.reload()
    file.unlink()
    await gateway.reload()
    file.write_text(content)
    await gateway.reload()
    await gateway.stop()
    said = [(record.levelname, re.sub(r"\d+ ms", "N ms", record.getMessage())) for record in caplog.records]
    assert said == [
        ("INFO", "routes.yaml version 2 is live, in N ms"),
        ("ERROR", "routes.yaml:8:9: unknown backend 'nwe'; did you mean 'new'?"),
        ("ERROR", "routes.yaml is refused; version 2 stays live"),
        ("INFO", "routes.yaml is good again; version 2 stays live"),
        ("ERROR", "routes.yaml: no such file"),
        ("ERROR", "routes.yaml is missing; version 2 stays live"),
        ("INFO", "routes.yaml version 3 is live, in N ms"),
    ]


@pytest.mark.parametrize("bad", [None, "version: 1\n"])
async def test_a_file_that_was_bad_for_a_moment_in_which_it_was_read_is_good_again(
    file: Path, apps: dict[str, App], bad: str | None
) -> None:
    """As when SIGHUP comes while somebody saves the same text again."""
    gateway = Gateway.from_file(file, apps=apps)
    seen: list[Reload] = []
    await gateway.start()
    content = file.read_text()
    gateway.on_reload.append(seen.append)
    file.unlink() if bad is None else file.write_text(bad)
    assert (await gateway.reload()).problems
    file.write_text(content)
    await until(lambda: not seen[-1].problems)
    await asyncio.sleep(0.3)
    assert not seen[-1].problems
    await gateway.stop()


async def test_a_change_made_before_the_watch_began_is_seen(file: Path, apps: dict[str, App]) -> None:
    gateway = Gateway.from_file(file, apps=apps)
    file.write_text(text("new", "legacy", "new"))
    await gateway.start()
    await until(lambda: gateway.config_version == 2)
    assert await body(gateway) == "new"
    await gateway.stop()


async def test_a_bad_first_file_is_refused_at_once(file: Path, apps: dict[str, App]) -> None:
    file.write_text("version: 1\n")
    with pytest.raises(ConfigError, match=r"routes\.yaml:"):
        Gateway.from_file(file, apps=apps)
