from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Invoke
from tests.cli.project import make


def test_the_table_is_in_order_of_precedence(folder: Path, invoke: Invoke) -> None:
    done = invoke("routes")
    assert done.code == 0
    assert done.out.splitlines() == [
        "ROUTE                        TO                     STICKY  GROUP      LINE",
        "GET /books                   legacy 90 %, new 10 %  cookie  catalogue    13",
        "POST /books/{id:int}         legacy                 -       -            10",
        "GET /books/{id}              new                    -       -             7",
        "files (/static/{file:path})  legacy 75 %, new 25 %  ip      -            17",
        "everything else goes to legacy",
    ]


def test_as_json(folder: Path, invoke: Invoke) -> None:
    told = json.loads(invoke("routes", "--json").out)
    assert (told["source"], told["default"]) == ("routes.yaml", "legacy")
    assert [route["line"] for route in told["routes"]] == [13, 10, 7, 17]
    assert told["routes"][3] == {
        "route": "files",
        "path": "/static/{file:path}",
        "methods": [],
        "host": None,
        "headers": {},
        "query": {},
        "to": {"legacy": 75.0, "new": 25.0},
        "sticky": "ip",
        "group": None,
        "line": 17,
    }


def test_into_a_pipe_nothing_is_cut_and_nothing_is_coloured(folder: Path, invoke: Invoke) -> None:
    path = "/" + "/".join(f"segment-{n}" for n in range(40))
    make(folder, f"version: 1\nbackends: {{a: {{app: 'a:b'}}}}\ndefault: a\nroutes: [{{path: {path}, to: a}}]\n")
    done = invoke("routes", FORCE_COLOR="1", COLUMNS="40")
    assert path in done.out
    assert "\x1b" not in done.out
    assert len(done.out.splitlines()) == 3


def test_a_path_is_not_markup(folder: Path, invoke: Invoke) -> None:
    make(folder, "version: 1\nbackends: {a: {app: 'a:b'}}\ndefault: a\nroutes: [{path: '/[red]/[/x]', to: a}]\n")
    assert "/[red]/[/x]" in invoke("routes").out


def test_a_bad_file(folder: Path, invoke: Invoke) -> None:
    make(folder, "version: 1\n")
    done = invoke("routes", "--json")
    assert done.code == 2
    assert len(json.loads(done.out)["problems"]) == 2
