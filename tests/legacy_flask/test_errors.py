from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from legacy_flask.extensions import db

from .conftest import MakeApp


@pytest.mark.parametrize("path", ["/nowhere", "/booksellers", "/catalogue/", "/static/none.css", "/usersx/1"])
def test_pages_for_people(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert response.content_type == "text/html; charset=utf-8"
    assert "<h1>404</h1>" in response.text


@pytest.mark.parametrize("path", ["/books/x", "/users/x/y", "/items/", "/me/", "/uploads/a/b", "/products"])
def test_json_for_scripts(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert response.json == {"error": "Nothing is here.", "status": 404}


def test_wrong_method_on_a_page(client: FlaskClient) -> None:
    response = client.put("/login")
    assert response.status_code == 405
    assert response.content_type == "text/html; charset=utf-8"
    assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize(("path", "content_type"), [("/books", "application/json"), ("/", "text/html; charset=utf-8")])
def test_a_broken_database(make_app: MakeApp, path: str, content_type: str) -> None:
    """The answer is a 500 in the shape of its kind, says nothing of the inside, and needs no database itself."""
    app = make_app(PROPAGATE_EXCEPTIONS=False)
    app.logger.disabled = True
    with app.app_context():
        db.drop_all()
    response = app.test_client().get(path)
    assert response.status_code == 500
    assert response.content_type == content_type
    assert "Something went wrong on our side." in response.text
    assert "no such table" not in response.text


def test_every_answer_varies_by_cookie(client: FlaskClient) -> None:
    """Flask-Login looks into the session after each request; a cache must know."""
    for path in ("/", "/books/1", "/nowhere"):
        assert client.get(path).headers["Vary"] == "Cookie"
