from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.history.folder import state_folder
from gateway.migrate.saved import load
from tests.cli.conftest import Invoke
from tests.cli.two_apps import make_apps

ROUTES = """\
version: 1
backends:
  legacy: {app: "oldflask:create_app()"}
  new: {app: "newfastapi:app"}
default: legacy
routes:
  - {path: /books, methods: [GET, HEAD], to: {legacy: 75, new: 25}}
  - {path: "/books/{id:int}", to: new}
"""

TABLE = """\
1 of 7 endpoints and methods of the old app have moved (14 %)
of the others: 1 canary, 1 both, 4 legacy only
1 is only in the new app; open: 0

ENDPOINT                  STATE             ROUTE            REQUESTS  REMARKS
GET /books                canary 25 %       GET,HEAD /books
POST /books               legacy only       default
GET /books/<int:book_id>  moved             /books/{id:int}
GET /users/me             legacy only       default
GET /users/<name>         both              default
GET /login                legacy only       default
POST /login               legacy only       default
GET /health               new only, closed  default

what to move next:
  1. GET,HEAD /books: it only reads; the new app has 25 % of it already
     gateway split 'GET,HEAD /books' new=50
  2. GET /users/<name>: it only reads; no route names it yet; `gateway init` adds one
     gateway init --write

no metrics: give --admin URL or --prometheus URL, or run this beside a running gateway
"""


@pytest.fixture
def apps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the two apps and their routes, as the current one."""
    make_apps(tmp_path)
    (tmp_path / "routes.yaml").write_text(ROUTES)
    monkeypatch.chdir(tmp_path)
    for name in ("GATEWAY_ROUTES", "GATEWAY_STATE", "GATEWAY_ADMIN"):
        monkeypatch.delenv(name, raising=False)
    yield tmp_path
    for module in ("oldflask", "newfastapi"):
        sys.modules.pop(module, None)


def test_the_table(apps: Path, invoke: Invoke) -> None:
    done = invoke("coverage")
    assert (done.code, done.out) == (0, TABLE)


def test_the_other_formats(apps: Path, invoke: Invoke) -> None:
    data = json.loads(invoke("coverage", "--json").out)
    assert data == json.loads(invoke("coverage", "--format", "json").out)
    assert (data["moved_percent"], data["traffic"]) == (14.29, None)
    assert invoke("coverage", "-f", "markdown").out.startswith("# Coverage of the migration\n")
    assert invoke("coverage", "-f", "html").out.startswith("<!doctype html>\n")


@pytest.mark.parametrize(("least", "code"), [("14", 0), ("15", 1), ("0", 0), ("100", 1)])
def test_a_threshold_for_ci(apps: Path, invoke: Invoke, least: str, code: int) -> None:
    done = invoke("coverage", "--fail-under", least)
    assert (done.code, done.out) == (code, TABLE)
    assert ("14.3 % has moved, less than" in done.err) == (code == 1)


def test_apps_that_the_file_does_not_name(apps: Path, invoke: Invoke) -> None:
    remote = ROUTES.replace('app: "oldflask:create_app()"', 'url: "http://127.0.0.1:9"')
    (apps / "routes.yaml").write_text(remote)
    refused = invoke("coverage")
    assert refused.code == 2
    assert refused.err.startswith("backend 'legacy': http://127.0.0.1:9/openapi.json cannot be read")
    assert invoke("coverage", "--legacy", "oldflask:create_app()").out == TABLE


def test_the_end_of_a_migration(apps: Path, invoke: Invoke) -> None:
    (apps / "routes.yaml").write_text(ROUTES.partition("default:")[0] + "default: new\n")
    done = invoke("coverage", "--fail-under", "100")
    assert done.code == 0
    assert "POST /login               moved     default            the new app does not have it" in done.out


def test_the_endpoints_are_kept_for_the_dashboard(apps: Path, invoke: Invoke) -> None:
    assert invoke("coverage", "--save").code == 0
    saved = load(state_folder(apps / "routes.yaml"))
    assert saved is not None
    assert (saved.legacy, saved.new, len(saved.targets)) == ("legacy", "new", 8)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--admin", "http://127.0.0.1:9"), 1, "http://127.0.0.1:9/metrics does not answer: "),
        (("--admin", "nonsense"), 1, "'nonsense/metrics' is not a URL such as http://127.0.0.1:8001"),
        (("--prometheus", "http://127.0.0.1:9"), 1, "http://127.0.0.1:9/api/v1/query does not answer: "),
        (("--prometheus", "http://127.0.0.1:9", "--since", "a week"), 2, "--since: 'a week' is not a time such as 7d"),
    ],
)
def test_numbers_that_cannot_be_had(
    apps: Path, invoke: Invoke, arguments: tuple[str, ...], code: int, message: str
) -> None:
    done = invoke("coverage", *arguments)
    assert (done.code, done.out) == (code, "")
    assert done.err.splitlines()[-1].startswith(message)
