from __future__ import annotations

import pytest
from flask.testing import FlaskClient

DINAH = {"name": "Dinah", "email": "Dinah@Example.com", "password": "saucer-of-milk"}


def test_list_shows_no_addresses(client: FlaskClient) -> None:
    response = client.get("/users")
    assert response.json is not None
    assert response.json["total"] == 3
    assert response.json["users"][0] == {
        "id": 1,
        "name": "Alice Liddell",
        "created_at": "Thu, 02 Jan 2025 09:30:00 GMT",
    }
    assert b"@" not in response.data
    assert b"scrypt" not in response.data


def test_read(client: FlaskClient) -> None:
    assert client.get("/users/2").json == {
        "id": 2,
        "name": "Bob Cratchit",
        "created_at": "Fri, 03 Jan 2025 09:30:00 GMT",
    }


def test_unknown_user(client: FlaskClient) -> None:
    response = client.get("/users/99")
    assert (response.status_code, response.json) == (404, {"error": "No user has the id 99.", "status": 404})


def test_register_and_log_in(client: FlaskClient) -> None:
    response = client.post("/users", json=DINAH)
    assert response.status_code == 201
    assert response.json is not None
    assert response.location == f"/users/{response.json['id']}"
    assert response.json["email"] == "dinah@example.com"
    assert set(response.json) == {"id", "name", "email", "created_at"}
    credentials = {"email": "DINAH@example.com", "password": DINAH["password"]}
    assert client.post("/sessions", json=credentials).json == response.json


@pytest.mark.parametrize("email", ["alice@example.com", " ALICE@example.com "])
def test_address_is_unique(client: FlaskClient, email: str) -> None:
    response = client.post("/users", json={**DINAH, "email": email})
    assert response.status_code == 409
    assert response.json == {"error": "This e-mail address is already taken.", "status": 409}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (
            {},
            {
                "name": "This field is required.",
                "email": "This field is required.",
                "password": "This field is required.",
            },
        ),
        ({**DINAH, "email": "dinah"}, {"email": "This is not an e-mail address."}),
        ({**DINAH, "email": "di nah@example.com"}, {"email": "This is not an e-mail address."}),
        ({**DINAH, "email": ["dinah@example.com"]}, {"email": "This must be text."}),
        ({**DINAH, "email": "d" * 250 + "@example.com"}, {"email": "At most 254 characters."}),
        ({**DINAH, "name": "d" * 81}, {"name": "At most 80 characters."}),
        ({**DINAH, "password": "milk"}, {"password": "At least 8 characters."}),
        ({**DINAH, "password": "m" * 129}, {"password": "At most 128 characters."}),
        ({**DINAH, "password": 12345678}, {"password": "This must be text."}),
    ],
)
def test_register_says_all_that_is_wrong(client: FlaskClient, body: dict[str, object], fields: dict[str, str]) -> None:
    response = client.post("/users", json=body)
    assert response.status_code == 400
    assert response.json == {"error": "The data is not valid.", "status": 400, "fields": fields}


def test_passwords_keep_their_blanks(client: FlaskClient) -> None:
    assert client.post("/users", json={**DINAH, "password": "  8 long"}).status_code == 201
    credentials = {"email": DINAH["email"], "password": "8 long"}
    assert client.post("/sessions", json=credentials).status_code == 401
    assert client.post("/sessions", json={**credentials, "password": "  8 long"}).status_code == 201
