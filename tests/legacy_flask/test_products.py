from __future__ import annotations

from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient


def names(client: FlaskClient, **query: str) -> list[str]:
    answer = client.get(f"/products/search?{urlencode({'per_page': '100', **query})}").json
    assert answer is not None
    return [product["name"] for product in answer["products"]]


def test_everything_by_name(client: FlaskClient) -> None:
    answer = client.get("/products/search").json
    assert answer is not None
    assert (answer["total"], answer["pages"], len(answer["products"])) == (60, 3, 20)
    found = names(client)
    assert found == sorted(found)


def test_a_product(client: FlaskClient) -> None:
    answer = client.get("/products/search?q=wonderland").json
    assert answer is not None
    assert answer["products"] == [
        {
            "id": 1,
            "sku": "BK-0001",
            "name": "Alice's Adventures in Wonderland",
            "category": "children",
            "price": "9.95",
            "stock": 34,
            "cover": "#2f6f73",
            "book_id": 1,
        }
    ]


def test_words_are_looked_for_in_names_and_authors(client: FlaskClient) -> None:
    assert names(client, q=" DARWIN ") == ["The Origin of Species", "The Voyage of the Beagle"]
    assert names(client, q="the time") == ["The Time Machine"]
    assert names(client, q="dar\0win") == names(client, q="darwin")


@pytest.mark.parametrize("words", ["%", "_", "/", "\\", "' OR 1=1 --", "no such book"])
def test_nothing_is_a_wildcard(client: FlaskClient, words: str) -> None:
    assert names(client, q=words) == []


def test_category(client: FlaskClient) -> None:
    assert len(names(client, category="stationery")) == 8
    assert names(client, category="Stationery") == []
    assert len(names(client, category="")) == 60


def test_prices_include_both_ends(client: FlaskClient) -> None:
    assert names(client, min_price="22", max_price="24.00") == [
        "Micrographia",
        "The Decline and Fall of the Roman Empire",
    ]
    assert names(client, min_price="24.01", max_price="24") == []
    assert len(names(client, min_price="0", max_price="")) == 60


def test_in_stock(client: FlaskClient) -> None:
    assert "Brass page weight" in names(client, category="stationery")
    for yes in ("1", "true", "YES", "on"):
        assert "Brass page weight" not in names(client, category="stationery", in_stock=yes)
    for no in ("0", "false", "", "perhaps"):
        assert "Brass page weight" in names(client, category="stationery", in_stock=no)


def test_filters_combine(client: FlaskClient) -> None:
    assert names(client, q="wells", category="fiction", max_price="7") == ["The Time Machine"]


@pytest.mark.parametrize("price", ["cheap", "-1", "1.005", "NaN", "Infinity", "1000000"])
def test_prices_that_are_none(client: FlaskClient, price: str) -> None:
    response = client.get(f"/products/search?min_price={price}&max_price={price}")
    assert response.status_code == 400
    message = "This must be an amount such as 4.50."
    assert response.json == {
        "error": "The data is not valid.",
        "status": 400,
        "fields": {"min_price": message, "max_price": message},
    }


def test_the_first_of_a_repeated_key_counts(client: FlaskClient) -> None:
    answer = client.get("/products/search?category=science&category=history").json
    assert answer is not None
    assert {product["category"] for product in answer["products"]} == {"science"}
