from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Invoke
from tests.cli.project import ROUTES, gateway, make

GOOD = "4 routes, 2 of them split; backends legacy, new; everything else goes to legacy\n"


def test_a_good_file(folder: Path, invoke: Invoke) -> None:
    done = invoke("check")
    assert (done.code, done.out) == (0, f"routes.yaml is good: {GOOD}")


def test_a_good_file_as_json(folder: Path, invoke: Invoke) -> None:
    done = invoke("check", "--json")
    assert done.code == 0
    assert json.loads(done.out) == {
        "ok": True,
        "problems": [],
        "digest": json.loads(done.out)["digest"],
        "routes": 4,
        "splits": 2,
        "backends": ["legacy", "new"],
        "default": "legacy",
    }


def test_what_an_app_prints_is_not_the_answer(folder: Path, invoke: Invoke) -> None:
    done = invoke("check")
    assert done.err == "the old shop is loaded\n"


def test_all_errors_go_to_standard_error(folder: Path, invoke: Invoke) -> None:
    make(folder, ROUTES.replace("default: legacy", "default: lagacy").replace("to: new", "to: nwe"))
    done = invoke("check")
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        "routes.yaml:5:10: unknown backend 'lagacy'; did you mean 'legacy'?",
        "routes.yaml:9:9: unknown backend 'nwe'; did you mean 'new'?",
    ]


def test_errors_as_json(folder: Path, invoke: Invoke) -> None:
    make(folder, ROUTES.replace("default: legacy", "default: lagacy"))
    done = invoke("check", "--json")
    assert (done.code, done.err) == (2, "")
    assert json.loads(done.out) == {
        "ok": False,
        "problems": [
            {
                "source": "routes.yaml",
                "line": 5,
                "column": 10,
                "message": "unknown backend 'lagacy'; did you mean 'legacy'?",
            }
        ],
    }


@pytest.mark.parametrize(
    ("app", "message"),
    [
        ("nwshop:app", "no module named 'nwshop'"),
        ("newshop:ap", "module 'newshop' has no attribute 'ap'; did you mean 'app'?"),
        ("newshop:number", "'newshop:number' is not an app: it is of type int and cannot be called"),
        ("newshop:broken()", "the factory 'newshop:broken()' raised RuntimeError: no database"),
    ],
)
def test_apps_are_imported(folder: Path, invoke: Invoke, app: str, message: str) -> None:
    make(folder, ROUTES.replace("newshop:app", app))
    done = invoke("check")
    assert done.code == 2
    assert done.err.splitlines()[-1].startswith(f"routes.yaml:4:14: {message}")
    assert "Traceback" not in done.err


def test_both_apps_are_told_of(folder: Path, invoke: Invoke) -> None:
    make(folder, ROUTES.replace("newshop", "x1").replace("oldshop", "x2"))
    assert [line.split(": ")[0] for line in invoke("check").err.splitlines()] == [
        "routes.yaml:3:17",
        "routes.yaml:4:14",
    ]


def test_without_importing(folder: Path, invoke: Invoke) -> None:
    make(folder, ROUTES.replace("newshop", "nowhere"))
    assert invoke("check", "--no-import").code == 0


def test_apps_are_looked_for_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "project").mkdir()
    make(tmp_path / "project")
    done = gateway("check", "../project/routes.yaml", cwd=tmp_path / "elsewhere")
    assert (done.code, done.out) == (0, f"routes.yaml is good: {GOOD}")


def test_apps_are_looked_for_in_the_current_folder(tmp_path: Path) -> None:
    path = make(tmp_path)
    (tmp_path / "deploy").mkdir()
    path.rename(tmp_path / "deploy" / "routes.yaml")
    assert gateway("check", "deploy/routes.yaml", cwd=tmp_path).code == 0


def test_one_route_is_not_routes(folder: Path, invoke: Invoke) -> None:
    text = "version: 1\nbackends: {new: {app: 'newshop:app'}}\ndefault: new\nroutes: [{path: /a, to: new}]\n"
    make(folder, text)
    assert invoke("check").out == "routes.yaml is good: 1 route; backends new; everything else goes to new\n"


@pytest.mark.parametrize(("flags", "code"), [((), 2), (("--no-import",), 0)])
def test_spans_need_their_extra(
    folder: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], code: int
) -> None:
    make(folder, ROUTES + "tracing: {spans: true}\n")
    monkeypatch.delitem(sys.modules, "gateway.telemetry.spans", raising=False)
    # Those below it too: who has imported them before would find them.
    for name in ["opentelemetry.sdk", *(each for each in sys.modules if each.startswith("opentelemetry.sdk."))]:
        monkeypatch.setitem(sys.modules, name, None)
    done = invoke("check", *flags)
    assert done.code == code
    assert ("routes.yaml:21:18: 'spans' needs the extra 'otel'" in done.err) == (code == 2)


def test_spans_with_their_extra_are_good(folder: Path, invoke: Invoke) -> None:
    make(folder, ROUTES + "tracing: {spans: true}\n")
    assert invoke("check").code == 0
