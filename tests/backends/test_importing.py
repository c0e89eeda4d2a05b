from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette

from gateway.backends.importing import ImportProblem, import_app, interface_of

MODULE = """
import flask
app = flask.Flask(__name__)
number = 3
class shop:
    app = app
def create_app(): return app
def broken(): raise ValueError("no DATABASE_URL")
def leaves(): raise SystemExit(3)
async def later(): return app
def nothing(): pass
def greedy(config): return app
"""


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "bookshop_fixture.py").write_text(MODULE)
    (tmp_path / "needs_fixture.py").write_text("import not_installed_here")
    (tmp_path / "raises_fixture.py").write_text("\n\nraise RuntimeError('no such config')")
    (tmp_path / "syntax_fixture.py").write_text("def f(:\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [name for name in sys.modules if name.endswith("_fixture")]:
        del sys.modules[name]


@pytest.mark.parametrize("spec", ["bookshop_fixture:app", "bookshop_fixture:create_app()", "bookshop_fixture:shop.app"])
def test_an_app_is_found(spec: str) -> None:
    assert isinstance(import_app(spec), Flask)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nowhere_fixture:app", "no module named 'nowhere_fixture'"),
        ("bookshop_fixture.sub:app", "no module named 'bookshop_fixture.sub'"),
        ("needs_fixture:app", "module 'needs_fixture' needs 'not_installed_here', which is not installed"),
        ("raises_fixture:app", "module 'raises_fixture' fails when imported: RuntimeError: no such config"),
        ("syntax_fixture:app", "module 'syntax_fixture' fails when imported: SyntaxError"),
        ("bookshop_fixture:ap", "has no attribute 'ap'; did you mean 'app'?"),
        ("bookshop_fixture:shop.zzz", "has no attribute 'shop.zzz' (no 'zzz')"),
        ("bookshop_fixture:number", "is not an app: it is of type int and cannot be called"),
        ("bookshop_fixture:number()", "is not a factory"),
        ("bookshop_fixture:broken()", "the factory 'bookshop_fixture:broken()' raised ValueError: no DATABASE_URL"),
        ("bookshop_fixture:leaves()", "raised SystemExit: 3"),
        ("bookshop_fixture:later()", "is a coroutine function"),
        ("bookshop_fixture:nothing()", "returned NoneType, which is not an app"),
        ("bookshop_fixture:greedy()", "raised TypeError: greedy() missing 1 required positional argument"),
    ],
)
def test_each_failure_has_a_message_of_its_own(spec: str, message: str) -> None:
    with pytest.raises(ImportProblem) as caught:
        import_app(spec)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_place_in_the_users_code_is_named() -> None:
    with pytest.raises(ImportProblem, match=r"raises_fixture\.py:3\)$"):
        import_app("raises_fixture:app")


def test_the_interface_is_found_out() -> None:
    async def asgi(scope: Any, receive: Any, send: Any) -> None: ...

    def wsgi(environ: Any, start_response: Any) -> Any: ...

    def wrapped(scope: Any, receive: Any, send: Any) -> Any:
        return asgi(scope, receive, send)

    class Callable:
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...

    speak_asgi: list[Any] = [asgi, Callable(), FastAPI(), Starlette(), functools.partial(asgi), wrapped]
    speak_wsgi: list[Any] = [wsgi, Flask("f"), functools.partial(wsgi), Flask("f").wsgi_app]
    assert [interface_of(app) for app in speak_asgi] == ["asgi"] * len(speak_asgi)
    assert [interface_of(app) for app in speak_wsgi] == ["wsgi"] * len(speak_wsgi)
