from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from legacy_flask.extensions import db
from legacy_flask.models import Product

BOOK = {"title": "Persuasion", "author": "Jane Austen", "isbn": "9780141439686", "year": 1817, "pages": 272}
FIRST_BOOK = {
    "id": 1,
    "title": "Alice's Adventures in Wonderland",
    "author": "Lewis Carroll",
    "isbn": "9780000000019",
    "year": 1865,
    "pages": 192,
    "created_at": "Thu, 02 Jan 2025 10:30:00 GMT",
}


def test_list_is_paged(client: FlaskClient) -> None:
    answer = client.get("/books?per_page=3&page=2").json
    assert answer is not None
    assert [book["id"] for book in answer.pop("books")] == [4, 5, 6]
    assert answer == {"page": 2, "per_page": 3, "pages": 18, "total": 52}


def test_list_begins_with_twenty(client: FlaskClient) -> None:
    answer = client.get("/books").json
    assert answer is not None
    assert answer["books"][0] == FIRST_BOOK
    assert len(answer["books"]) == answer["per_page"] == 20


@pytest.mark.parametrize(
    ("query", "page", "per_page", "rows"),
    [
        ("page=none&per_page=none", 1, 20, 20),
        ("page=0&per_page=0", 1, 20, 20),
        ("page=-1&per_page=-5", 1, 20, 20),
        ("per_page=1000", 1, 100, 52),
        ("page=99", 99, 20, 0),
        ("page=99999999999999999999", 1_000_000, 20, 0),
        ("page=2&page=3", 2, 20, 20),
    ],
)
def test_paging_never_fails(client: FlaskClient, query: str, page: int, per_page: int, rows: int) -> None:
    response = client.get(f"/books?{query}")
    assert response.status_code == 200
    answer = response.json
    assert answer is not None
    assert (answer["page"], answer["per_page"], len(answer["books"])) == (page, per_page, rows)


def test_read(client: FlaskClient) -> None:
    response = client.get("/books/1")
    assert response.json == FIRST_BOOK
    assert response.content_type == "application/json"
    # Sorted keys, no blanks, a line break: a faithful port compares bytes.
    assert response.data.startswith(b'{"author":"Lewis Carroll","created_at":"Thu, 02 Jan 2025 10:30:00 GMT","id":1,')
    assert response.data.endswith(b"}\n")


def test_read_writes_ascii(client: FlaskClient) -> None:
    assert b"Charlotte Bront\\u00eb" in client.get("/books/12").data


@pytest.mark.parametrize("book_id", [999, 2**31, 10**30])
def test_unknown_book(client: FlaskClient, book_id: int) -> None:
    response = client.get(f"/books/{book_id}")
    assert response.status_code == 404
    assert response.json == {"error": f"No book has the id {book_id}.", "status": 404}


@pytest.mark.parametrize("path", ["/books/none", "/books/-1", "/books/1.0", "/books/1/", "/books/"])
def test_no_such_path(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert response.json == {"error": "Nothing is here.", "status": 404}


def test_create(alice: FlaskClient) -> None:
    response = alice.post("/books", json=BOOK)
    assert response.status_code == 201
    assert response.json is not None
    assert response.location == f"/books/{response.json['id']}"
    assert {**response.json, "id": 0, "created_at": ""} == {**BOOK, "id": 0, "created_at": ""}
    assert alice.get(response.location).json == response.json


def test_create_takes_the_blanks_off_and_ignores_what_it_does_not_know(alice: FlaskClient) -> None:
    answer = alice.post("/books", json={"title": " Emma ", "author": "Jane Austen", "id": 7, "isbn": "  "}).json
    assert answer is not None
    assert answer["title"] == "Emma"
    assert answer["id"] != 7
    assert answer["isbn"] is answer["year"] is answer["pages"] is None


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"title": None, "author": " "}, {"title": "This field is required.", "author": "This field is required."}),
        ({"title": 7}, {"title": "This must be text."}),
        ({"title": "a\0b", "author": "\ud800"}, {"title": "This must be text.", "author": "This must be text."}),
        ({"title": "a" * 201}, {"title": "At most 200 characters."}),
        ({"isbn": "97801414396"}, {"isbn": "This must be 13 digits."}),
        ({"isbn": "97801414396866"}, {"isbn": "At most 13 characters."}),
        ({"year": "1817"}, {"year": "This must be a whole number from -3000 to 2100."}),
        ({"year": True}, {"year": "This must be a whole number from -3000 to 2100."}),
        ({"pages": 0}, {"pages": "This must be a whole number from 1 to 20000."}),
        ({"pages": 1.0}, {"pages": "This must be a whole number from 1 to 20000."}),
    ],
)
def test_create_says_all_that_is_wrong(alice: FlaskClient, change: dict[str, object], fields: dict[str, str]) -> None:
    response = alice.post("/books", json={**BOOK, **change})
    assert response.status_code == 400
    assert response.json == {"error": "The data is not valid.", "status": 400, "fields": fields}


def test_isbn_is_unique(alice: FlaskClient) -> None:
    conflict = {"error": "There is a book with this ISBN already.", "status": 409}
    response = alice.post("/books", json={**BOOK, "isbn": FIRST_BOOK["isbn"]})
    assert (response.status_code, response.json) == (409, conflict)
    response = alice.put("/books/2", json={**BOOK, "isbn": FIRST_BOOK["isbn"]})
    assert (response.status_code, response.json) == (409, conflict)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "error"),
    [
        ("{", "application/json", 400, "The body is not valid JSON."),
        ("", "application/json", 400, "The body is not valid JSON."),
        ("[" * 100_000, "application/json", 400, "The body is not valid JSON."),
        ("[]", "application/json", 400, "The body must be a JSON object."),
        ("null", "application/json", 400, "The body must be a JSON object."),
        ("{}", "text/plain", 415, "Send the body as application/json."),
        ("title=Emma", "application/x-www-form-urlencoded", 415, "Send the body as application/json."),
        (f'"{"a" * 1024 * 1024}"', "application/json", 413, "The body is too large."),
    ],
)
def test_bodies_that_are_no_book(alice: FlaskClient, body: str, content_type: str, status: int, error: str) -> None:
    response = alice.post("/books", data=body, content_type=content_type)
    assert response.status_code == status
    assert response.json == {"error": error, "status": status}


def test_replace(alice: FlaskClient) -> None:
    response = alice.put("/books/1", json={"title": "Alice", "author": "Carroll"})
    assert response.status_code == 200
    expected = {**FIRST_BOOK, "title": "Alice", "author": "Carroll", "isbn": None, "year": None, "pages": None}
    assert response.json == expected == alice.get("/books/1").json


def test_replace_with_nonsense_changes_nothing(alice: FlaskClient) -> None:
    assert alice.put("/books/1", json={"title": "Alice"}).status_code == 400
    assert alice.get("/books/1").json == FIRST_BOOK
    assert alice.put("/books/999", json=BOOK).status_code == 404


def test_delete(alice: FlaskClient) -> None:
    location = alice.post("/books", json=BOOK).location
    response = alice.delete(location)
    assert (response.status_code, response.data) == (204, b"")
    assert alice.get(location).status_code == 404
    assert alice.delete(location).status_code == 404


def test_delete_leaves_the_product(app: Flask, alice: FlaskClient) -> None:
    offered = {item["book_id"] for item in (alice.get("/items?per_page=100").json or {})["items"]}
    book_id = next(number for number in range(1, 50) if number not in offered)
    assert alice.delete(f"/books/{book_id}").status_code == 204
    with app.app_context():
        product = db.session.get(Product, book_id)  # the first products are the first books
        assert product is not None
        assert product.book_id is None


def test_delete_with_copies_on_offer(alice: FlaskClient) -> None:
    offered = (alice.get("/items").json or {})["items"][0]["book_id"]
    response = alice.delete(f"/books/{offered}")
    assert response.status_code == 409
    assert response.json == {"error": "Second-hand copies of this book are on offer.", "status": 409}
    assert alice.get(f"/books/{offered}").status_code == 200


@pytest.mark.parametrize(("method", "path"), [("POST", "/books"), ("PUT", "/books/1"), ("DELETE", "/books/1")])
def test_writing_needs_a_login(client: FlaskClient, method: str, path: str) -> None:
    response = client.open(path, method=method, json=BOOK)
    assert response.status_code == 401
    assert response.json == {"error": "Log in first.", "status": 401}
    assert client.get("/books/1").json == FIRST_BOOK


def test_wrong_method_names_the_right_ones(client: FlaskClient) -> None:
    response = client.patch("/books/1", json={})
    assert response.status_code == 405
    assert response.json == {"error": "This method is not allowed here.", "status": 405}
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}


def test_head_and_options_come_by_themselves(client: FlaskClient) -> None:
    head = client.head("/books/1")
    assert (head.status_code, head.data) == (200, b"")
    assert head.content_length == client.get("/books/1").content_length
    options = client.options("/books")
    assert options.status_code == 200
    assert set(options.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST", "OPTIONS"}
