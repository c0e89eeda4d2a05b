from __future__ import annotations

import pytest
from flask.testing import FlaskClient

ITEM = {"book_id": 1, "condition": "good", "price": "4.50", "note": "A tea stain."}


def test_list(client: FlaskClient) -> None:
    answer = client.get("/items?per_page=5").json
    assert answer is not None
    assert [item["id"] for item in answer["items"]] == [1, 2, 3, 4, 5]
    assert (answer["total"], answer["pages"]) == (24, 5)
    assert set(answer["items"][0]) == {"id", "book_id", "seller_id", "condition", "price", "note", "created_at"}


def test_list_of_one_book(alice: FlaskClient) -> None:
    before = (alice.get("/items?book_id=1").json or {})["total"]
    alice.post("/items", json=ITEM)
    answer = alice.get("/items?book_id=1").json
    assert answer is not None
    assert {item["book_id"] for item in answer["items"]} == {1}
    assert answer["total"] == before + 1


@pytest.mark.parametrize(
    ("book_id", "total"), [("none", 24), ("", 24), ("999", 0), ("-1", 0), (str(2**70), 0), (str(-(2**70)), 0)]
)
def test_list_of_a_book_that_is_not_there(client: FlaskClient, book_id: str, total: int) -> None:
    response = client.get(f"/items?book_id={book_id}")
    assert response.status_code == 200
    assert (response.json or {})["total"] == total


def test_create(alice: FlaskClient) -> None:
    response = alice.post("/items", json=ITEM)
    assert response.status_code == 201
    assert response.json is not None
    assert response.location == f"/items/{response.json['id']}"
    assert response.json["seller_id"] == 1
    assert {**ITEM, **response.json} == response.json
    assert alice.get(response.location).json == response.json


@pytest.mark.parametrize(
    ("sent", "kept"), [(4.5, "4.50"), (4, "4.00"), ("0.01", "0.01"), (0.1, "0.10"), (" 7 ", "7.00")]
)
def test_prices(alice: FlaskClient, sent: object, kept: str) -> None:
    answer = alice.post("/items", json={**ITEM, "price": sent}).json
    assert answer is not None
    assert answer["price"] == kept


@pytest.mark.parametrize(
    "price", ["free", "", 0, -1, 1.005, "1.005", 100_000, "NaN", "sNaN", "Infinity", "1e400", True, [4.5], {}]
)
def test_no_prices(alice: FlaskClient, price: object) -> None:
    response = alice.post("/items", json={**ITEM, "price": price})
    assert response.status_code == 400
    message = "This field is required." if price == "" else "This must be an amount such as 4.50."
    assert (response.json or {})["fields"] == {"price": message}


def test_json_not_a_number(alice: FlaskClient) -> None:
    """Python's parser takes NaN, which is not JSON."""
    body = '{"book_id": 1, "condition": "good", "price": NaN}'
    response = alice.post("/items", data=body, content_type="application/json")
    assert response.status_code == 400
    assert (response.json or {})["fields"] == {"price": "This must be an amount such as 4.50."}


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"book_id": 999}, {"book_id": "There is no such book."}),
        ({"book_id": "1"}, {"book_id": "This must be a whole number from 1 to 2147483647."}),
        ({"book_id": 2**31}, {"book_id": "This must be a whole number from 1 to 2147483647."}),
        ({"book_id": None}, {"book_id": "This field is required."}),
        ({"condition": "mint"}, {"condition": "This must be one of: new, fine, good, worn."}),
        ({"condition": ["good"]}, {"condition": "This must be one of: new, fine, good, worn."}),
        ({"condition": None}, {"condition": "This field is required."}),
        ({"note": "a" * 501}, {"note": "At most 500 characters."}),
    ],
)
def test_create_says_all_that_is_wrong(alice: FlaskClient, change: dict[str, object], fields: dict[str, str]) -> None:
    response = alice.post("/items", json={**ITEM, **change})
    assert response.status_code == 400
    assert response.json == {"error": "The data is not valid.", "status": 400, "fields": fields}


def test_note_may_be_left_out(alice: FlaskClient) -> None:
    answer = alice.post("/items", json={name: ITEM[name] for name in ITEM if name != "note"}).json
    assert answer is not None
    assert answer["note"] == ""


def test_create_needs_a_login(client: FlaskClient) -> None:
    response = client.post("/items", json=ITEM)
    assert (response.status_code, response.json) == (401, {"error": "Log in first.", "status": 401})


def test_unknown_item(client: FlaskClient) -> None:
    response = client.get("/items/999")
    assert (response.status_code, response.json) == (404, {"error": "No item has the id 999.", "status": 404})
