"""The wrong folder, the wrong user: what is said must lead to the right one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Invoke
from tests.cli.lived import SPLIT, live
from tests.cli.project import ROUTES

COMMANDS = [("rollback",), ("rollback", "--to", "1"), ("history",), ("history", "1"), ("diff",), ("diff", "1")]


@pytest.fixture
def elsewhere(folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: one without a routes file."""
    place = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(place)
    return place


@pytest.mark.parametrize("command", [*COMMANDS, ("move", "/books", "new"), ("rollback", "--all")])
def test_the_wrong_folder(elsewhere: Path, invoke: Invoke, command: tuple[str, ...]) -> None:
    done = invoke(*command)
    assert (done.code, done.err.splitlines()) == (
        2,
        [
            "routes.yaml: no such file",
            "name another with --routes or GATEWAY_ROUTES; `gateway init` writes a first one",
        ],
    )
    assert list(elsewhere.iterdir()) == []


def test_the_status_of_the_wrong_folder(elsewhere: Path, invoke: Invoke) -> None:
    done = invoke("status")
    message = "routes.yaml: no such file; name another with --routes or GATEWAY_ROUTES, or give --admin URL\n"
    assert (done.code, done.err) == (1, message)


def test_a_file_that_was_live_and_is_gone_still_has_its_history(folder: Path, invoke: Invoke) -> None:
    live(folder, ROUTES, SPLIT)
    (folder / "routes.yaml").unlink()
    assert len(invoke("history").out.splitlines()) == 3
    assert invoke("diff", "1", "2").code == 0
    assert invoke("rollback").code == 0
    assert (folder / "routes.yaml").read_text() == SPLIT


@pytest.mark.parametrize("command", COMMANDS)
def test_a_history_that_cannot_be_read(folder: Path, invoke: Invoke, command: tuple[str, ...]) -> None:
    journal = folder / ".gateway" / "routes.yaml" / "journal"
    journal.mkdir(parents=True)
    done = invoke(*command, "--json")
    assert done.code == 1
    told = json.loads(done.out)
    assert told["kind"] == "unreadable"
    assert told["message"] == (
        f"{journal} cannot be read: Is a directory; run this as the gateway's user, or give --admin URL"
    )


@pytest.mark.parametrize("command", [("rollback",), ("move", "/books", "new"), ("split", "/books", "new=1")])
def test_a_folder_in_the_place_of_the_file_is_not_to_be_rolled_back(
    folder: Path, invoke: Invoke, command: tuple[str, ...]
) -> None:
    live(folder, ROUTES, SPLIT)
    (folder / "routes.yaml").unlink()
    (folder / "routes.yaml").mkdir()
    done = invoke(*command)
    assert (done.code, done.err) == (2, "routes.yaml: is a directory\n")


@pytest.mark.parametrize("command", [("check",), ("move", "/books", "new"), ("rollback",), ("run",)])
def test_a_file_that_cannot_be_looked_up(folder: Path, invoke: Invoke, command: tuple[str, ...]) -> None:
    name = "routes" * 50
    done = invoke(*command, "--routes", name)
    assert (done.code, done.err) == (2, f"{name}: cannot be read: File name too long\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("command", [("check",), ("move", "/books", "new"), ("rollback",), ("run",)])
def test_a_file_that_may_not_be_read(folder: Path, invoke: Invoke, command: tuple[str, ...]) -> None:
    (folder / "routes.yaml").chmod(0)
    done = invoke(*command)
    assert (done.code, done.err) == (2, "routes.yaml: no permission to read it\n")


@pytest.mark.parametrize("command", [("history",), ("move", "/books", "new"), ("status",)])
@pytest.mark.parametrize("url", ["127.0.0.1:8001", "nonsense", "http://[::1"])
def test_an_admin_listener_that_is_no_url(folder: Path, invoke: Invoke, command: tuple[str, ...], url: str) -> None:
    done = invoke(*command, "--admin", url)
    assert (done.code, done.err) == (1, f"'{url}' is not a URL such as http://127.0.0.1:8001\n")
