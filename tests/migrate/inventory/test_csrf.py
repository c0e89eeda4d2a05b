from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from flask import Blueprint, Flask
from flask_wtf.csrf import CSRFProtect
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.migrate.inventory.reader import inventory_of

METHODS = ["GET", "POST", "PATCH"]


def csrf(app: Any, path: str = "/form") -> frozenset[str]:
    found = {endpoint.path: endpoint.csrf for endpoint in inventory_of(app, "app").endpoints}
    return found[path]


def form(**values: object) -> str:
    return ""


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, {"POST", "PATCH"}),
        ({"WTF_CSRF_METHODS": ["POST"]}, {"POST"}),
        ({"WTF_CSRF_ENABLED": False}, set()),
        ({"WTF_CSRF_CHECK_DEFAULT": False}, set()),
    ],
)
def test_flask_wtf(config: dict[str, object], expected: set[str]) -> None:
    app = Flask("shop")
    app.config.update(SECRET_KEY="s", **config)
    app.add_url_rule("/form", view_func=form, methods=METHODS)
    assert csrf(app) == set()
    CSRFProtect(app)
    assert csrf(app) == expected


def test_what_flask_wtf_leaves_out() -> None:
    app, pages = Flask("shop"), Blueprint("pages", __name__)
    app.secret_key = "s"
    app.add_url_rule("/form", view_func=form, methods=METHODS)
    pages.add_url_rule("/page", "page", lambda: "", methods=METHODS)
    app.register_blueprint(pages)
    protection = CSRFProtect(app)
    assert csrf(app, "/page") == {"POST", "PATCH"}
    protection.exempt(pages)
    assert csrf(app, "/page") == set()
    assert csrf(app) == {"POST", "PATCH"}
    protection.exempt(form)
    assert csrf(app) == set()


def check_csrf() -> None:
    """A dependency."""


def inner(_: None = Depends(check_csrf)) -> None:
    """A dependency of which it is one."""


class CSRFMiddleware:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


def by_endpoint(app: FastAPI) -> None:
    app.api_route("/form", methods=METHODS, dependencies=[Depends(check_csrf)])(form)


def by_dependency(app: FastAPI) -> None:
    app.api_route("/form", methods=METHODS, dependencies=[Depends(inner)])(form)


def by_router(app: FastAPI) -> None:
    router = APIRouter()
    router.api_route("/form", methods=METHODS)(form)
    app.include_router(router, dependencies=[Depends(check_csrf)])


def by_middleware(app: FastAPI) -> None:
    app.api_route("/form", methods=METHODS)(form)
    app.add_middleware(CSRFMiddleware)


@pytest.mark.parametrize("build", [by_endpoint, by_dependency, by_router, by_middleware])
def test_fastapi(build: Callable[[FastAPI], None]) -> None:
    app = FastAPI()
    build(app)
    assert csrf(app) == {"POST", "PATCH"}


def test_nothing_of_the_kind() -> None:
    app = FastAPI()
    app.api_route("/form", methods=METHODS, dependencies=[Depends(form)])(lambda: None)
    assert csrf(app) == set()
