from __future__ import annotations

import functools
from typing import Any

from flask.views import View

from gateway.migrate.inventory.source import source_of

HERE = "tests.migrate.inventory.test_source"


def view() -> None: ...


@functools.wraps(view)
def wrapped() -> None: ...


class Callable:
    def __call__(self) -> None: ...


class Page(View):
    def dispatch_request(self, **values: Any) -> str:
        return ""


def test_where_a_view_comes_from() -> None:
    assert source_of(view) == source_of(wrapped) == source_of(functools.partial(view)) == f"{HERE}:view"
    assert source_of(Callable()) == f"{HERE}:Callable"
    assert source_of(Page.as_view("page")) == f"{HERE}:Page"
    assert source_of(None) == ""
