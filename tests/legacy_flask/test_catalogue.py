from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from .conftest import csrf_token

PRODUCT = {
    "name": "Emma",
    "sku": "BK-0107",
    "category": "classics",
    "price": "9.50",
    "stock": "3",
    "cover": "#336699",
    "description": "Handsome, clever, and rich.",
}


def add(client: FlaskClient, **change: str) -> TestResponse:
    return client.post("/catalogue/new", data={**PRODUCT, "csrf_token": csrf_token(client, "/catalogue/new"), **change})


def test_index(client: FlaskClient) -> None:
    response = client.get("/")
    assert response.content_type == "text/html; charset=utf-8"
    assert response.text.count('class="cover"') == 12
    assert "Page 1 of 5" in response.text
    assert "Alice&#39;s Adventures in Wonderland" in response.text
    assert 'href="/?page=2"' in response.text


def test_last_page(client: FlaskClient) -> None:
    text = client.get("/?page=5").text
    assert "Page 5 of 5" in text
    assert 'rel="next"' not in text
    assert 'href="/?page=4"' in text


def test_category(client: FlaskClient) -> None:
    text = client.get("/?category=stationery").text
    assert text.count('class="cover"') == 8
    assert "sold out" in text
    assert "60 products" in client.get("/?category=cheese").text


def test_category_and_page(client: FlaskClient) -> None:
    assert 'href="/?page=2&amp;category=classics"' in client.get("/?category=classics").text


@pytest.mark.parametrize("page", ["0", "-1", "6", "99999999999999999999"])
def test_pages_that_are_not_there(client: FlaskClient, page: str) -> None:
    response = client.get(f"/?page={page}")
    assert response.status_code == 404
    assert "Nothing is here." in response.text or "not found" in response.text


def test_product(client: FlaskClient) -> None:
    text = client.get("/catalogue/44").text
    assert "The Odyssey" in text
    assert "Homer" in text
    assert "700 BC" in text
    assert "€ 12.10" in text


def test_product_shows_second_hand_copies(alice: FlaskClient) -> None:
    alice.post("/items", json={"book_id": 44, "condition": "worn", "price": "1.23", "note": "<b>Salt</b> stains."})
    text = alice.get("/catalogue/44").text
    assert "€ 1.23" in text
    assert "Worn. &lt;b&gt;Salt&lt;/b&gt; stains." in text


@pytest.mark.parametrize("product_id", ["999", str(2**70), "none"])
def test_unknown_product(client: FlaskClient, product_id: str) -> None:
    response = client.get(f"/catalogue/{product_id}")
    assert response.status_code == 404
    assert response.content_type == "text/html; charset=utf-8"


def test_add_a_product(alice: FlaskClient) -> None:
    response = add(alice)
    assert (response.status_code, response.location) == (302, "/catalogue/61")
    text = alice.get("/catalogue/61").text
    assert "“Emma” is in the catalogue." in text
    assert "€ 9.50" in text
    assert (alice.get("/products/search?q=emma").json or {})["total"] == 1


def test_names_are_escaped(alice: FlaskClient) -> None:
    text = alice.get(add(alice, name="<script>alert(1)</script>").location).text
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": " "}, "This field is required."),
        ({"name": "a" * 201}, "Field cannot be longer than 200 characters."),
        ({"sku": "107"}, "Two letters, a dash and four digits."),
        ({"sku": "BK-0001"}, "Another product has this SKU."),
        ({"category": "cheese"}, "Not a valid choice."),
        ({"price": ""}, "This field is required."),
        ({"price": "free"}, "Not a valid decimal value."),
        ({"price": "0"}, "This must be an amount such as 4.50."),
        ({"price": "1.005"}, "This must be an amount such as 4.50."),
        ({"price": "sNaN"}, "This must be an amount such as 4.50."),
        ({"stock": "-1"}, "Number must be between 0 and 100000."),
        ({"cover": "red"}, "A colour such as #5b6b7a."),
        ({"cover": '#336699"/><script>'}, "A colour such as #5b6b7a."),
    ],
)
def test_one_message_for_what_is_wrong(alice: FlaskClient, change: dict[str, str], message: str) -> None:
    response = add(alice, **change)
    assert response.status_code == 200
    assert response.text.count('role="alert"') == 1
    assert message in response.text
    assert (alice.get("/products/search").json or {})["total"] == 60


def test_adding_needs_a_login(client: FlaskClient) -> None:
    assert client.get("/catalogue/new").location == "/login?next=%2Fcatalogue%2Fnew"
    # With a token, or the token would be what is missing.
    response = client.post("/catalogue/new", data={**PRODUCT, "csrf_token": csrf_token(client, "/login")})
    assert (response.status_code, response.location) == (302, "/login?next=%2Fcatalogue%2Fnew")


def test_adding_needs_the_token(alice: FlaskClient) -> None:
    assert alice.post("/catalogue/new", data=PRODUCT).status_code == 400
    assert (alice.get("/products/search").json or {})["total"] == 60


def test_static_files_can_be_asked_for_again(client: FlaskClient) -> None:
    with client.get("/static/style.css") as response:
        assert response.content_type == "text/css; charset=utf-8"
        etag = response.headers["ETag"]
    with client.get("/static/style.css", headers={"If-None-Match": etag}) as response:
        assert response.status_code == 304
