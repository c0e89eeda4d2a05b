from __future__ import annotations

import uuid
from inspect import Parameter, Signature
from typing import Any

import pytest
from fastapi import FastAPI

from tests.migrate.lint.shop import flask_app, told


def new_app(path: str, **types: Any) -> FastAPI:
    """An app whose one view has arguments of these types."""

    def view(**values: Any) -> None: ...

    arguments = [Parameter(name, Parameter.KEYWORD_ONLY, annotation=type_) for name, type_ in types.items()]
    view.__signature__ = Signature(arguments)  # type: ignore[attr-defined]
    app = FastAPI()
    app.get(path)(view)
    return app


WIDE = '  - {path: "/b/{x}", to: new}\n'
TYPED = '  - {path: "/b/{x:int}", to: new}\n'
COMPAT = '  - {path: "/b/{x}", to: new, compat: [int404]}\n'


@pytest.mark.parametrize(
    ("rule", "app", "routes", "expected"),
    [
        (
            "/b/<int:x>",
            new_app("/b/{x}", x=int),
            WIDE,
            ["what does not fit is 422 instead of 404 in 'x' of /b/<int:x>"],
        ),
        ("/b/<int:x>", new_app("/b/{x}", x=int), TYPED, []),
        ("/b/<int:x>", new_app("/b/{x}", x=int), COMPAT, []),
        # Starlette's own converter says 404.
        ("/b/<int:x>", new_app("/b/{x:int}", x=int), WIDE, []),
        (
            "/b/<uuid:x>",
            new_app("/b/{x}", x=uuid.UUID),
            WIDE,
            ["what does not fit is 422 instead of 404 in 'x' of /b/<uuid:x>"],
        ),
        (
            "/b/<float:x>",
            new_app("/b/{x}", x=float),
            WIDE,
            ["what does not fit is 422 instead of 404 in 'x' of /b/<float:x>"],
        ),
        ("/b/<x>", new_app("/b/{x}", x=str), WIDE, []),
    ],
)
def test_422_for_404(rule: str, app: FastAPI, routes: str, expected: list[str]) -> None:
    assert told("SG301", flask_app(rule), app, routes) == expected


@pytest.mark.parametrize(
    ("rule", "app", "routes", "expected"),
    [
        (
            "/b/<int:x>",
            new_app("/b/{x}", x=int),
            WIDE,
            ["-1 is 404 in the old app, and taken by the new one, in 'x' of /b/<int:x>"],
        ),
        ("/b/<int(signed=True):x>", new_app("/b/{x}", x=int), WIDE, []),
        ("/b/<int:x>", new_app("/b/{x}", x=int), TYPED, []),
        ("/b/<int:x>", new_app("/b/{x}", x=int), COMPAT, []),
        ("/b/<uuid:x>", new_app("/b/{x}", x=uuid.UUID), WIDE, []),
    ],
)
def test_negative_numbers(rule: str, app: FastAPI, routes: str, expected: list[str]) -> None:
    assert told("SG302", flask_app(rule), app, routes) == expected


@pytest.mark.parametrize(
    ("app", "routes", "expected"),
    [
        (new_app("/b/{x}", x=int), WIDE, ["'x' is string in the old app and int in the new one, in /b/<x>"]),
        (new_app("/b/{x:int}", x=int), WIDE, ["'x' is string in the old app and int in the new one, in /b/<x>"]),
        (new_app("/b/{x}", x=int), TYPED, []),
        (new_app("/b/{x}", x=str), WIDE, []),
    ],
)
def test_the_new_app_takes_less(app: FastAPI, routes: str, expected: list[str]) -> None:
    assert told("SG303", flask_app("/b/<x>"), app, routes) == expected


@pytest.mark.parametrize(
    ("app", "routes", "expected"),
    [
        (new_app("/b/{x}", x=str), WIDE, ["what is 404 in the old app comes to the new view in 'x' of /b/<int:x>"]),
        (new_app("/b/{x}", x=str), TYPED, []),
        (new_app("/b/{x}", x=int), WIDE, []),
    ],
)
def test_the_new_app_takes_anything(app: FastAPI, routes: str, expected: list[str]) -> None:
    assert told("SG304", flask_app("/b/<int:x>"), app, routes) == expected


@pytest.mark.parametrize(
    ("app", "swapped", "renamed"),
    [
        (new_app("/{user}/{post}", user=str, post=str), [], []),
        (
            new_app("/{post}/{user}", user=str, post=str),
            ["/<user>/<post> is /{post}/{user} in the new app: the order differs"],
            [],
        ),
        (
            new_app("/{user_id}/{post}", user_id=str, post=str),
            [],
            ["note: in the new app, user is user_id, of /<user>/<post>"],
        ),
    ],
)
def test_names(app: FastAPI, swapped: list[str], renamed: list[str]) -> None:
    old, routes = flask_app("/<user>/<post>"), '  - {path: "/{a}/{b}", to: new}\n'
    assert told("SG305", old, app, routes) == swapped
    assert told("SG306", old, app, routes) == renamed
