from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Invoke
from tests.cli.project import ROUTES

MOVED = ROUTES.replace("to: {legacy: 90, new: 10}", "to: new")


def test_without_a_gateway_the_file_is_changed_for_its_next_start(folder: Path, invoke: Invoke) -> None:
    done = invoke("move", "GET /books", "new")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "GET /books: legacy 90 %, new 10 % → new\n"
        "  90 % of the users move from legacy to new\n"
        f"written; no gateway was found by its state folder ({folder}/.gateway/routes.yaml): "
        "it is live when one starts\n"
    )
    assert (folder / "routes.yaml").read_text() == MOVED


def test_a_dry_run_shows_who_moves_and_changes_nothing(folder: Path, invoke: Invoke) -> None:
    done = invoke("move", "GET /books", "new", "--dry-run")
    assert done.code == 0
    assert done.out == (
        "GET /books: legacy 90 %, new 10 % → new\n"
        "  90 % of the users move from legacy to new\n"
        "\n"
        "--- routes.yaml\n"
        "+++ routes.yaml\n"
        "@@ -12,7 +12,7 @@\n"
        "     to: legacy\n"
        "   - path: /books\n"
        "     methods: [GET]\n"
        "-    to: {legacy: 90, new: 10}\n"
        "+    to: new\n"
        "     group: catalogue\n"
        "   - path: /static/{file:path}\n"
        "     name: files\n"
        "\n"
        "nothing was changed\n"
    )
    assert (folder / "routes.yaml").read_text() == ROUTES
    assert not (folder / ".gateway").exists()


def test_as_json(folder: Path, invoke: Invoke) -> None:
    plan = json.loads(invoke("move", "files", "new", "--dry-run", "--json").out)
    assert (plan["ok"], plan["changed"], plan["dry_run"]) == (True, False, True)
    assert plan["routes"] == [
        {
            "label": "files",
            "before": {"legacy": 75, "new": 25},
            "after": {"new": 100},
            "moves": [{"from": "legacy", "to": "new", "share": 75}],
        }
    ]
    made = json.loads(invoke("move", "files", "new", "--json").out)
    assert (made["ok"], made["changed"], made["routes"]) == (True, True, plan["routes"])
    assert (made["version"], made["live_on"], made["milliseconds"], made["undo"]) == (None, None, None, None)


@pytest.mark.parametrize(
    ("route", "backend", "kind", "message"),
    [
        ("/bookz", "new", "unknown-route", "no route is called '/bookz'; did you mean 'GET /books'?"),
        ("/books", "nwe", "unknown-backend", "no backend is called 'nwe'; did you mean 'new'?"),
    ],
)
def test_what_is_not_there_is_exit_code_2(
    folder: Path, invoke: Invoke, route: str, backend: str, kind: str, message: str
) -> None:
    done = invoke("move", route, backend)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(message)
    data = json.loads(invoke("move", route, backend, "--json").out)
    assert (data["ok"], data["kind"]) == (False, kind)
    assert (folder / "routes.yaml").read_text() == ROUTES


def test_what_is_so_already_is_exit_code_0(folder: Path, invoke: Invoke) -> None:
    done = invoke("move", "POST /books/{id:int}", "legacy", "--json")
    assert done.code == 0
    assert json.loads(done.out) == {
        "ok": True,
        "changed": False,
        "message": "POST /books/{id:int} goes to legacy already; nothing changes",
    }


def test_a_bad_file_is_told_with_all_that_is_wrong(folder: Path, invoke: Invoke) -> None:
    (folder / "routes.yaml").write_text(
        ROUTES.replace("default: legacy", "default: lagacy").replace("to: new", "to: nwe")
    )
    done = invoke("move", "/books", "new")
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        "routes.yaml:5:10: unknown backend 'lagacy'; did you mean 'legacy'?",
        "routes.yaml:9:9: unknown backend 'nwe'; did you mean 'new'?",
    ]
    assert len(json.loads(invoke("move", "/books", "new", "--json").out)["problems"]) == 2


def test_what_is_no_file_is_told(folder: Path, invoke: Invoke) -> None:
    assert invoke("move", "/books", "new", "--routes", folder).code == 2
    assert invoke("move", "/books", "new", "--routes", folder / "nowhere.yaml").err == "nowhere.yaml: no such file\n"


def test_it_works_from_any_folder(folder: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert invoke("move", "/books", "new", GATEWAY_ROUTES=str(folder / "routes.yaml")).code == 0
    assert (folder / "routes.yaml").read_text() == MOVED


def test_variables_that_only_the_gateway_has_are_no_hindrance(folder: Path, invoke: Invoke) -> None:
    text = ROUTES.replace("oldshop:create_app()", "${ONLY_THE_GATEWAY_HAS_THIS}")
    (folder / "routes.yaml").write_text(text)
    assert invoke("move", "/books", "new").code == 0
    assert (folder / "routes.yaml").read_text() == text.replace("to: {legacy: 90, new: 10}", "to: new")
