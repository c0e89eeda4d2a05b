"""A small migration: what is to be moved, and the file that moves it."""

from __future__ import annotations

from gateway.config.loader import load_text
from gateway.config.model import Config
from gateway.migrate.target import Target

TARGETS = (
    Target("/b", "/b", "GET", name="list", both=True),
    Target("/b", "/b", "POST", name="create", both=True),
    Target("/b/<int:n>", "/b/{n:int}", "GET", name="read", both=True),
    Target("/b/<int:n>", "/b/{n:int}", "DELETE", name="delete", both=True),
    Target("/u/<name>", "/u/{name}", "GET", name="user", both=True, remarks=("name: string against int",)),
    Target("/login", "/login", "GET", name="login"),
    Target("/old", "/old", "GET", name="old"),
    Target("/ws", "/ws", "GET", kind="websocket", name="ws", both=True),
    Target("/health", "/health", "GET", name="health", only_new=True),
)

ROUTES = """\
version: 1
backends: {legacy: {app: "old:app"}, new: {app: "new:app"}}
default: legacy
routes:
  - {path: /b, methods: [GET, HEAD], to: {legacy: 90, new: 10}, group: b}
  - {path: /b, methods: [POST], to: legacy, group: b}
  - {path: "/b/{id:int}", to: new}
  - {path: /b, methods: [GET], headers: {X-Beta: true}, name: beta, to: new}
  - {path: /login, to: new}
  - {path: /health, to: new}
"""


def config(text: str = ROUTES) -> Config:
    return load_text(text).config
