"""A routes file, and a history in which it lived."""

from __future__ import annotations

from gateway.config.loader import Loaded, load_text
from gateway.history.history import History

ROUTES = """\
version: 1
backends:
  legacy: {app: "legacy:app"}
  new: {app: "new:app"}
  third: {app: "third:app"}
default: legacy

routes:
  - path: /books/{id:int}
    methods: [GET, HEAD]
    to: new # since May

  - path: /books
    methods: [GET]
    to: {legacy: 90, new: 10}
    group: catalogue

  - path: /search
    to: {legacy: 90, new: 10}
    group: catalogue

  - path: /items
    methods: [GET]
    to: legacy
  - path: /items
    methods: [POST]
    to: legacy
  - name: first-partner
    path: /items
    methods: [GET]
    headers: {X-Partner: penguin}
    to: {third: 50, new: 50}
"""


def shop(text: str = ROUTES) -> Loaded:
    return load_text(text, keep_unset=True)


def lived(history: History, *texts: str) -> None:
    """The texts become live, one after the other."""
    for text in texts:
        loaded = shop(text)
        version = len(history.entries()) + 1
        history.record(version, loaded.digest, loaded.text, at=float(version))
        history.save()
