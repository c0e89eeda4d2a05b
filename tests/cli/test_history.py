from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Invoke
from tests.cli.lived import MOVED, SPLIT, live
from tests.cli.project import ROUTES


def test_the_newest_is_first(folder: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    live(folder, ROUTES, SPLIT)
    lines = invoke("history").out.splitlines()
    assert lines[0].split() == ["VERSION", "LIVE", "SINCE", "BY", "CHANGED", "WHY"]
    assert lines[1].split()[0] == "2"
    assert "mia, command" in lines[1]
    assert "GET /books: legacy 90 %, new 10 % → legacy 75 %, new 25 %  step 2" in lines[1]
    assert lines[2].split()[0] == "1"
    assert "at a start" in lines[2]


def test_older_ones_are_counted(folder: Path, invoke: Invoke) -> None:
    live(folder, ROUTES, SPLIT, MOVED)
    done = invoke("history", "-n", "1")
    assert done.out.splitlines()[-1] == "and 2 older ones; `gateway history -n 3` prints them too"


def test_as_json(folder: Path, invoke: Invoke) -> None:
    live(folder, ROUTES, SPLIT)
    data = json.loads(invoke("history", "--json").out)
    assert data["total"] == 2
    assert [(each["version"], each["user"], each["at"]) for each in data["versions"]] == [(2, "mia", 120), (1, "", 60)]


def test_a_text_can_be_had_to_the_byte(folder: Path, invoke: Invoke) -> None:
    live(folder, ROUTES, SPLIT)
    assert invoke("history", "1").out == ROUTES
    assert json.loads(invoke("history", "2", "--json").out)["text"] == SPLIT
    assert invoke("history", "3").code == 2


def test_no_history(folder: Path, invoke: Invoke) -> None:
    assert invoke("history").out == "no version was ever live here\n"
    assert json.loads(invoke("history", "--json").out) == {"versions": [], "total": 0}
