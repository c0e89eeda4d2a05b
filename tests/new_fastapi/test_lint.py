"""What `gateway lint` says of the bookshop's own file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

import legacy_flask
from gateway.config.loader import load_text
from gateway.migrate.inventory.reader import inventory_of
from gateway.migrate.lint.run import Result, lint
from gateway.migrate.lint.subject import Subject
from new_fastapi import create_app
from tests.new_fastapi.conftest import SECRET_KEY, new_settings

ROUTES = (Path(__file__).resolve().parents[2] / "routes.yaml").read_text()


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, object]:
    file = tmp_path_factory.mktemp("lint") / "shop.sqlite"
    config = {"SECRET_KEY": SECRET_KEY, "SQLALCHEMY_DATABASE_URI": f"sqlite:///{file}"}
    return {"legacy": legacy_flask.create_app(config), "new": create_app(new_settings(file))}


def result(apps: Mapping[str, object], text: str) -> Result:
    legacy, new = (inventory_of(apps[name], name) for name in ("legacy", "new"))
    return lint(Subject(load_text(text, env={}), "legacy", "new", legacy, new))


def test_the_file_as_it_is(apps: Mapping[str, object]) -> None:
    # FlaskRules does answer HEAD and OPTIONS: tests/new_fastapi/test_parity.py. Lint sees that it could.
    found = result(apps, ROUTES)
    assert {(each.rule.code, each.level) for each in found.told} == {("SG101", "note"), ("SG102", "note")}
    assert all("unless FlaskRules answers" in each.where.message for each in found.told)
    assert [each.route for each in found.told if each.rule.code == "SG102"] == [
        "/users",
        "/users/{id:int}",
        "/external-data",
        "/sessions",
        "/me",
    ]
    assert (found.warnings, found.skipped, found.ignored) == (0, (), 0)


@pytest.mark.parametrize(
    ("was", "becomes", "expected"),
    [
        # What only Flask has: pages with forms, and a stream.
        ("tokens\n    to: legacy", "tokens\n    to: new", {"SG104"}),
        ("a streamed CSV\n    to: legacy", "a streamed CSV\n    to: new", {"SG104"}),
        ("path: /external-data", "path: /externaldata", {"SG701"}),
        ("[GET, HEAD]\n    to: {legacy: 50", "[GET, POST]\n    to: {legacy: 50", {"SG502"}),
        ("it is closed\n    to: new", "it is closed\n    to: {legacy: 50, new: 50}", {"SG504"}),
        ("path: /books/{id:int}", "path: /books/{id}", set()),
    ],
)
def test_a_mistake_in_it(apps: Mapping[str, object], was: str, becomes: str, expected: set[str]) -> None:
    assert was in ROUTES
    found = result(apps, ROUTES.replace(was, becomes))
    assert {each.rule.code for each in found.told if each.level == "warning"} == expected
