from __future__ import annotations

import re

from flask import Flask

import legacy_flask

from .conftest import MakeApp


def test_the_documented_endpoints_are_the_ones_there_are(app: Flask) -> None:
    assert legacy_flask.__doc__ is not None
    documented = {
        (method, re.sub(r"<(?:int:)?\w+>", "<>", path))
        for methods, path in re.findall(
            r"^    ((?:GET|POST|PUT|DELETE|\s)+) (/\S*)", legacy_flask.__doc__, re.MULTILINE
        )
        for method in methods.split()
        if not path.startswith("/static")
    }
    served = {
        (method, re.sub(r"<(?:int:)?\w+>", "<>", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint != "static"
    }
    assert documented == served


def test_two_apps_in_one_process_share_nothing(make_app: MakeApp) -> None:
    one, two = make_app(SECRET_KEY="one"), make_app(SECRET_KEY="two")
    assert one.test_client().get("/books/1").status_code == 200
    assert two.test_client().get("/books/1").status_code == 200
    assert one.secret_key != two.secret_key
