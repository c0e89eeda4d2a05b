from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Invoke
from tests.cli.project import gateway
from tests.cli.two_apps import make_apps

ROUTES = """\
version: 1
backends:
  legacy: {app: "oldflask:create_app()"}
  new: {app: "newfastapi:app"}
default: legacy
routes:
  - {path: /books, methods: [GET, HEAD], to: {legacy: 75, new: 25}}
  - {path: "/books/{id}", methods: [GET], to: new} # lint: ignore SG302
  - {path: "/users/{name}", to: legacy}
"""

FINDINGS = """\
routes.yaml:8:5: SG301 what does not fit is 422 instead of 404 in 'book_id' of /books/<int:book_id>
routes.yaml:9:5: SG101 note: HEAD is 405 in the new app: /users/<name>
routes.yaml:9:5: SG102 note: OPTIONS is 405 in the new app: /users/<name>
routes.yaml:9:5: SG106 note: the new app answers /users/me with a view for other paths

SG101: HEAD is refused
  why: """


@pytest.fixture
def apps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the two apps and their routes, as the current one."""
    make_apps(tmp_path)
    (tmp_path / "routes.yaml").write_text(ROUTES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GATEWAY_ROUTES", raising=False)
    yield tmp_path
    for module in ("oldflask", "newfastapi"):
        sys.modules.pop(module, None)


def test_what_it_prints(apps: Path, invoke: Invoke) -> None:
    done = invoke("lint")
    assert done.code == 1
    assert done.out.startswith(FINDINGS)
    assert done.out.endswith("\n\nroutes.yaml: 1 warning, 3 notes, 1 ignored\n")
    assert [line for line in done.out.splitlines() if line.startswith("SG")] == [
        "SG101: HEAD is refused",
        "SG102: OPTIONS is refused",
        "SG106: another view of the new app answers",
        "SG301: 422 where it was 404",
    ]


def test_as_a_process_of_its_own(apps: Path) -> None:
    done = gateway("lint", cwd=apps)
    assert (done.code, done.out.startswith(FINDINGS)) == (1, True)
    # What an app prints while it is imported is not the answer.
    assert done.err == "the old shop is loaded\n"


def test_json(apps: Path, invoke: Invoke) -> None:
    done = invoke("lint", "--json")
    data = json.loads(done.out)
    assert (done.code, data["ok"], data["warnings"], data["notes"], data["ignored"]) == (1, False, 1, 3, 1)
    assert data["not_looked_for"] == []
    first = data["findings"][0]
    assert first.pop("why").endswith(".")
    assert first.pop("remedy")
    assert first == {
        "code": "SG301",
        "title": "422 where it was 404",
        "level": "warning",
        "source": "routes.yaml",
        "line": 8,
        "column": 5,
        "route": "GET /books/{id}",
        "message": "what does not fit is 422 instead of 404 in 'book_id' of /books/<int:book_id>",
    }


@pytest.mark.parametrize(
    ("arguments", "code", "codes"),
    [
        (("--select", "SG3"), 1, {"SG301"}),
        (("--select", "SG101"), 0, {"SG101"}),
        (("--select", "SG101", "--strict"), 1, {"SG101"}),
        (("--select", "SG1,SG3", "--ignore", "SG301 SG102"), 0, {"SG101", "SG106"}),
        (("--ignore", "SG"), 0, set()),
        (("--ignore", "SG", "--strict"), 0, set()),
    ],
)
def test_codes(apps: Path, invoke: Invoke, arguments: tuple[str, ...], code: int, codes: set[str]) -> None:
    done = invoke("lint", "--json", *arguments)
    assert done.code == code
    assert {each["code"] for each in json.loads(done.out)["findings"]} == codes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--select", "SG999"), "--select: there is no SG999; did you mean 'SG"),
        (("--legacy", "nowhere:app"), "--legacy: "),
        (("elsewhere.yaml",), "elsewhere.yaml: no such file"),
    ],
)
def test_usage(apps: Path, invoke: Invoke, arguments: tuple[str, ...], message: str) -> None:
    done = invoke("lint", *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(message)


def test_an_app_of_the_file_that_is_not_at_hand(apps: Path, invoke: Invoke) -> None:
    (apps / "routes.yaml").write_text(ROUTES.replace('app: "newfastapi:app"', 'url: "http://127.0.0.1:9"'))
    done = invoke("lint")
    assert done.code == 0
    assert done.out.startswith("routes.yaml: no warnings, no notes\nnot looked for: SG101, SG102, ")
    assert ": backend 'new': http://127.0.0.1:9/openapi.json cannot be read: " in done.out
    assert done.out.endswith("; give --new module:app\n")
    named = invoke("lint", "--new", "newfastapi:app")
    assert (named.code, named.out.startswith(FINDINGS)) == (1, True)


def test_one_app_alone(apps: Path, invoke: Invoke) -> None:
    (apps / "routes.yaml").write_text(ROUTES.partition("routes:")[0].replace('  new: {app: "newfastapi:app"}\n', ""))
    done = invoke("lint", "--select", "SG401")
    assert (done.code, done.out) == (
        0,
        "routes.yaml: no warnings, no notes\nnot looked for: SG401: the file names no new app; give --new module:app\n",
    )
