from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config.loader import load_file
from gateway.history.folder import state_folder
from gateway.history.history import History
from tests.cli.conftest import Invoke
from tests.cli.project import gateway
from tests.cli.two_apps import NEW, make_apps

BOTH = ("--legacy", "oldflask:create_app()", "--new", "newfastapi:app")

ROUTES = """\
# HEAD goes where GET goes. FastAPI answers it with 405 unless the app adds it.
routes:
  # --- In both apps: `gateway split ROUTE new=5` begins to move one, `gateway move ROUTE new` moves it whole ----------

  # books

  - path: /books # books.list_books
    methods: [GET, HEAD]
    to: legacy
    group: books

  - path: /books/{book_id:int} # books.read_book
    methods: [GET, HEAD]
    to: legacy
    group: books

  # users

  - path: /users/{name} # user
    methods: [GET, HEAD]
    to: legacy
    group: users

  # --- Pinned: only the legacy app has these, and a wider path above would take them along ----------------------------

  - path: /users/me # me
    methods: [GET, HEAD]
    to: legacy

  # --- Only in the new app: the legacy app answers 404 for these until they are moved ---------------------------------

  - path: /health # health
    methods: [GET]
    to: legacy
"""


@pytest.fixture
def apps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the two apps, as the current one."""
    make_apps(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GATEWAY_ROUTES", raising=False)
    monkeypatch.delenv("GATEWAY_STATE", raising=False)
    yield tmp_path
    for module in ("oldflask", "newfastapi"):
        sys.modules.pop(module, None)


def test_a_first_file(apps: Path, invoke: Invoke) -> None:
    done = invoke("init", *BOTH)
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "routes.yaml is written: 3 entries in 2 groups, 1 pinned, 1 only in the new app; everything goes to legacy",
        "next: gateway check, gateway run; then gateway coverage says what to move first",
    ]
    assert done.err == "the old shop is loaded\n"
    text = (apps / "routes.yaml").read_text()
    assert text.endswith(ROUTES)
    assert '  legacy: {app: "oldflask:create_app()"} # Flask, 6 endpoints\n' in text
    assert invoke("check").code == 0


def test_as_json(apps: Path, invoke: Invoke) -> None:
    answer = json.loads(invoke("init", *BOTH, "--json").out)
    assert (answer["file"], answer["written"], answer["diff"]) == ("routes.yaml", True, "")
    assert answer["entries"][1] == {
        "section": "both",
        "path": "/books/{book_id:int}",
        "methods": ["GET", "HEAD"],
        "host": None,
        "group": "books",
        "endpoints": ["GET /books/<int:book_id>"],
        "remarks": [],
    }


def test_a_second_run_with_nothing_new(apps: Path, invoke: Invoke) -> None:
    invoke("init", *BOTH)
    before = (apps / "routes.yaml").read_bytes()
    # The file names the apps.
    done = invoke("init")
    assert (done.code, done.out) == (0, "routes.yaml has all of it already: nothing is new\n")
    assert (apps / "routes.yaml").read_bytes() == before


def grown(apps: Path) -> str:
    """A file that its owner has worked on, and a new app that has more than it."""
    text = (
        "# mine\nversion: 1\nbackends:\n    old: {app: 'oldflask:create_app()'}\n"
        "    fresh: {app: 'newfastapi:app'} # soon\ndefault: old\nroutes:\n"
        "    - {path: /books, methods: [GET], to: {old: 90, fresh: 10}} # canary\n"
        "    -   path: /users/{who}\n        to: fresh\n# the end\n"
    )
    (apps / "routes.yaml").write_text(text)
    (apps / "newfastapi.py").write_text(NEW + '\n@app.post("/books")\ndef create():\n    return "new create"\n')
    return text


ADDED = """\

    # --- In both apps: `gateway split ROUTE new=5` begins to move one, `gateway move ROUTE new` moves it whole --------

    # books

    -   path: /books # books.create_book
        methods: [POST]
        to: old
        group: books

    -   path: /books/{book_id:int} # books.read_book
        methods: [GET, HEAD]
        to: old
        group: books

    # --- Only in the new app: the legacy app answers 404 for these until they are moved -------------------------------

    -   path: /health # health
        methods: [GET]
        to: old
"""


def test_a_second_run_proposes_only_what_is_new(apps: Path, invoke: Invoke) -> None:
    before = grown(apps)
    done = invoke("init")
    assert done.code == 0
    assert done.out.endswith("routes.yaml is not changed; --write adds this\n")
    assert "+    -   path: /books # books.create_book\n" in done.out
    # It would send them back to the old app.
    assert "no entry for GET /users/me: the route /users/{who} of the file sends it elsewhere" in done.err
    assert (apps / "routes.yaml").read_text() == before


def test_what_a_second_run_writes(apps: Path, invoke: Invoke) -> None:
    before = grown(apps)
    done = invoke("init", "--write")
    assert done.code == 0, done.err
    assert done.out.endswith(
        "routes.yaml: added 2 entries in 1 group, 1 only in the new app; all of it goes to old, as before\n"
    )
    assert (apps / "routes.yaml").read_text() == before.replace("# the end\n", "") + ADDED + "# the end\n"
    announced = History(state_folder(apps / "routes.yaml")).announced(load_file(apps / "routes.yaml").digest)
    assert announced is not None
    assert (announced.origin, announced.reason) == ("command", "gateway init")
    assert invoke("init").out == "routes.yaml has all of it already: nothing is new\n"


def test_a_second_run_as_json(apps: Path, invoke: Invoke) -> None:
    grown(apps)
    answer = json.loads(invoke("init", "--json").out)
    assert (answer["written"], len(answer["entries"])) == (False, 3)
    assert answer["diff"].startswith("--- routes.yaml\n+++ routes.yaml\n")
    assert {each["endpoint"] for each in answer["left_out"]} == {"GET /users/me"}
    assert json.loads(invoke("init", "--json", "--write").out)["written"]


def test_the_new_app_comes_later(apps: Path, invoke: Invoke) -> None:
    assert invoke("init", *BOTH[:2]).code == 0
    text = (apps / "routes.yaml").read_text()
    assert text.endswith("routes: []\n")
    assert invoke("check").code == 0
    assert invoke("init", "--new", "newfastapi:app", "--write").code == 0
    config = load_file(apps / "routes.yaml").config
    assert config.backends["new"].app == "newfastapi:app"
    assert len(config.routes) == 5


def test_apps_on_servers_of_their_own(apps: Path, invoke: Invoke) -> None:
    urls = ("--legacy-url", "http://127.0.0.1:5000", "--new-url", "unix:/run/new.sock")
    done = invoke("init", *BOTH, *urls)
    assert done.code == 0, done.err
    config = load_file(apps / "routes.yaml").config
    assert (config.backends["legacy"].url, config.backends["new"].url) == (
        "http://127.0.0.1:5000",
        "unix:/run/new.sock",
    )
    assert len(config.routes) == 5


def test_in_another_folder(tmp_path: Path, apps: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    done = gateway("init", *BOTH, "-o", "../routes.yaml", cwd=tmp_path / "elsewhere")
    assert done.code == 0, done.err
    assert (apps / "routes.yaml").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name the old app: --legacy module:app, or module:create_app() for a factory"),
        (("--legacy", "oldflask"), "--legacy: 'oldflask' names no attribute; write 'oldflask:app'"),
        (("--legacy", "nowhere:app"), "--legacy: no module named 'nowhere'"),
        (
            ("--legacy", "oldflask:create_app"),
            "--legacy: 'oldflask:create_app' is a function; for a factory, write 'oldflask:create_app()'",
        ),
        (("--legacy", "broken:app"), "--legacy: module 'broken' fails when imported: KeyError: 'DATABASE'"),
        (("--legacy", "exits:app"), "--legacy: module 'exits' fails when imported: SystemExit: set DATABASE first"),
        ((*BOTH[:2], "--new-url", "ftp://h"), "--new-url: 'ftp://h' is not an address; it begins with http://"),
        ((*BOTH[:2], "--new-url", "http://127.0.0.1:9"), "--new-url: http://127.0.0.1:9/openapi.json cannot be read"),
    ],
)
def test_what_can_be_wrong(apps: Path, arguments: tuple[str, ...], message: str) -> None:
    (apps / "broken.py").write_text("import os\nos.environ['DATABASE']\n")
    (apps / "exits.py").write_text("raise SystemExit('set DATABASE first')\n")
    done = gateway("init", *arguments, cwd=apps)
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines()[-1].startswith(message)
    assert "Traceback" not in done.err
    assert not (apps / "routes.yaml").exists()


def test_a_mistake_as_json(apps: Path, invoke: Invoke) -> None:
    done = invoke("init", "--legacy", "nowhere:app", "--json")
    answer = json.loads(done.out)
    assert (done.code, answer["ok"], answer["kind"]) == (2, False, "bad-app")


def test_a_bad_file_is_told_as_such(apps: Path, invoke: Invoke) -> None:
    (apps / "routes.yaml").write_text("version: 2\n")
    done = invoke("init", *BOTH)
    assert done.code == 2
    assert done.err.startswith("routes.yaml:1:")


def test_a_file_that_cannot_be_added_to(apps: Path, invoke: Invoke) -> None:
    text = '{"version": 1, "backends": {"legacy": {"app": "oldflask:create_app()"}}, "default": "legacy"}'
    (apps / "routes.yaml").write_text(text)
    done = invoke("init", "--new", "newfastapi:app", "--write")
    assert done.code == 2
    assert "a file in braces cannot be added to" in done.err
    assert (apps / "routes.yaml").read_text() == text
