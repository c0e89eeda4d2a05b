"""Two apps and a file, and what lint says of them."""

from __future__ import annotations

from collections.abc import Collection

from fastapi import FastAPI
from flask import Flask

from gateway.config.loader import load_text
from gateway.migrate.inventory.endpoint import Inventory
from gateway.migrate.inventory.reader import inventory_of
from gateway.migrate.lint.run import Result, lint
from gateway.migrate.lint.subject import Subject

HEAD = """\
version: 1
backends: {legacy: {app: "old:app"}, new: {app: "new:app"}}
default: legacy
"""


def flask_app(*rules: str, methods: Collection[str] = ("GET",), **options: bool) -> Flask:
    """An app with these rules, all with the same methods."""
    app = Flask("old", static_folder=None)
    for number, rule in enumerate(rules):
        app.add_url_rule(rule, f"view{number}", lambda **values: "", methods=list(methods), **options)
    return app


def subject(old: Flask | Inventory | None, new: FastAPI | Inventory | None, routes: str, head: str = HEAD) -> Subject:
    """``routes`` is the list of them, as in the file."""
    text = f"{head}routes:\n{routes}" if routes else head
    return Subject(load_text(text), "legacy", "new", _inventory(old), _inventory(new))


def _inventory(app: Flask | FastAPI | Inventory | None) -> Inventory | None:
    return app if app is None or isinstance(app, Inventory) else inventory_of(app, "app")


def found(old: Flask | Inventory | None, new: FastAPI | Inventory | None, routes: str, head: str = HEAD) -> Result:
    return lint(subject(old, new, routes, head))


def told(
    code: str, old: Flask | Inventory | None, new: FastAPI | Inventory | None, routes: str, head: str = HEAD
) -> list[str]:
    """What the rule with ``code`` finds: ``note: `` before the message of a note, and nothing before a warning's."""
    return [
        ("note: " if each.level == "note" else "") + each.where.message
        for each in found(old, new, routes, head).told
        if each.rule.code == code
    ]
