from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from fastapi import FastAPI
from flask import Flask
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

from gateway.migrate.inventory.endpoint import InventoryProblem
from gateway.migrate.inventory.reader import inventory_of


def shop(*rules: str) -> Flask:
    app = Flask("shop", static_folder=None)
    for number, rule in enumerate(rules or ("/books",)):
        app.add_url_rule(rule, f"v{number}", lambda **values: "")
    return app


def paths(app: object) -> list[str]:
    return [path for endpoint in inventory_of(app, "x").endpoints for path in endpoint.paths]


def around(app: Any) -> Any:
    """Middleware as a plain function, which cannot be looked into."""

    def middleware(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return app(environ, start_response)  # type: ignore[no-any-return]

    return middleware


def with_wsgi_app(make: Callable[[Any], Any]) -> Flask:
    app = shop()
    app.wsgi_app = make(app.wsgi_app)  # type: ignore[method-assign]
    return app


@pytest.mark.parametrize(
    "app",
    [
        shop(),
        shop().wsgi_app,
        ProxyFix(shop()),
        ProxyFix(ProxyFix(shop().wsgi_app)),
        with_wsgi_app(ProxyFix),
        with_wsgi_app(around),
        functools.partial(shop(), {}),
        functools.wraps(shop())(lambda environ, start_response: []),
    ],
    ids=["plain", "wsgi_app", "ProxyFix", "twice", "replaced", "closure", "partial", "wraps"],
)
def test_flask_in_middleware(app: object) -> None:
    inventory = inventory_of(app, "x")
    assert (inventory.framework, [each.path for each in inventory.endpoints]) == ("Flask", ["/books"])


def test_fastapi_in_middleware() -> None:
    app = FastAPI(title="Books", openapi_url=None)
    app.add_api_route("/books", lambda: None)
    inventory = inventory_of(CORSMiddleware(CORSMiddleware(app)), "x")
    assert (inventory.app, inventory.framework) == ("Books", "FastAPI")
    assert [each.path for each in inventory.endpoints] == ["/books"]


def test_apps_that_are_dispatched_to_by_path() -> None:
    outer = shop("/", "/api/hidden", "/apix")
    app = DispatcherMiddleware(outer, {"/api": ProxyFix(shop("/", "/books")), "/c": around(shop())})
    assert paths(app) == ["/", "/apix", "/api/", "/api", "/api/books"]
    assert inventory_of(app, "x").warnings == (
        "1 endpoints of the outer app are left out: a mounted app takes their paths",
        "what is mounted at /c is left out: it is neither a Flask nor a Starlette app",
    )


def test_a_dispatcher_that_stands_in_for_the_app_s_own_wsgi_app() -> None:
    outer = shop()
    outer.wsgi_app = DispatcherMiddleware(outer.wsgi_app, {"/api": shop("/x")})  # type: ignore[method-assign]
    assert paths(outer) == ["/books", "/api/x"]


def test_a_dispatcher_with_nothing_at_its_root() -> None:
    app = DispatcherMiddleware(around(None), {"/api": shop("/x")})
    assert paths(app) == ["/api/x"]


def test_middleware_that_leads_to_itself() -> None:
    app = ProxyFix(around(None))
    app.app = ProxyFix(app)
    with pytest.raises(InventoryProblem):
        inventory_of(app, "shop:app")


def create_app() -> Flask:
    return shop()


@pytest.mark.parametrize(
    ("app", "message"),
    [
        (create_app, "'shop:it' is a function; for a factory, write 'shop:it()'"),
        (dict, "'shop:it' is a class; for a factory, write 'shop:it()'"),
        (
            ProxyFix(around(shop())),
            "'shop:it' is of the type ProxyFix, and no Flask, Starlette or FastAPI app is found in it; "
            "name the app itself",
        ),
    ],
)
def test_what_is_no_app_that_is_known(app: object, message: str) -> None:
    with pytest.raises(InventoryProblem) as raised:
        inventory_of(app, "shop:it")
    assert str(raised.value) == message


def test_what_an_app_does_before_any_endpoint() -> None:
    class Own:
        def __init__(self, app: ASGIApp) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await self.app(scope, receive, send)

    app = FastAPI(redirect_slashes=False)
    app.get("/b")(what_an_app_has)
    assert inventory_of(app, "app").middleware == ()
    app.add_middleware(CORSMiddleware)
    app.add_middleware(Own)
    found = inventory_of(app, "app")
    assert (found.middleware, found.redirects_slashes) == (("Own",), False)
    assert inventory_of(FastAPI(), "app").redirects_slashes


def what_an_app_has() -> None:
    """A view of the same package as the middleware."""
