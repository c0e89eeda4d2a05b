from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from .conftest import ALICE

ALICE_JSON = {
    "id": 1,
    "name": "Alice Liddell",
    "email": "alice@example.com",
    "created_at": "Thu, 02 Jan 2025 09:30:00 GMT",
}


def test_me_without_a_login(client: FlaskClient) -> None:
    response = client.get("/me")
    assert (response.status_code, response.json) == (401, {"error": "Log in first.", "status": 401})
    assert "Set-Cookie" not in response.headers


def test_log_in_and_out(client: FlaskClient) -> None:
    response = client.post("/sessions", json=ALICE)
    assert (response.status_code, response.json) == (201, ALICE_JSON)
    assert client.get("/me").json == ALICE_JSON
    with client.session_transaction() as session:
        assert session["_user_id"] == "1"
        assert session["_fresh"] is True
        assert len(session["_id"]) == 128
        assert not session.permanent

    response = client.delete("/sessions")
    assert (response.status_code, response.data) == (204, b"")
    assert "session=;" in response.headers["Set-Cookie"]
    assert client.get("/me").status_code == 401


def test_logging_out_twice_is_no_error(client: FlaskClient) -> None:
    assert client.delete("/sessions").status_code == 204


def test_the_cookie(client: FlaskClient) -> None:
    cookie = client.post("/sessions", json=ALICE).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Expires" not in cookie


def test_remember_makes_the_cookie_last(client: FlaskClient) -> None:
    cookie = client.post("/sessions", json={**ALICE, "remember": True}).headers["Set-Cookie"]
    assert "Expires" in cookie
    # A permanent session is renewed with every answer.
    assert "Expires" in client.get("/books/1").headers["Set-Cookie"]


def test_only_true_means_remember(client: FlaskClient) -> None:
    assert "Expires" not in client.post("/sessions", json={**ALICE, "remember": "no"}).headers["Set-Cookie"]


@pytest.mark.parametrize(
    "credentials",
    [
        {**ALICE, "password": "looking-glass"},
        {**ALICE, "password": "Wonderland"},
        {"email": "nobody@example.com", "password": "wonderland"},
    ],
)
def test_wrong_credentials(client: FlaskClient, credentials: dict[str, str]) -> None:
    response = client.post("/sessions", json=credentials)
    assert response.status_code == 401
    assert response.json == {"error": "Wrong e-mail address or password.", "status": 401}
    assert client.get("/me").status_code == 401


def test_missing_credentials(client: FlaskClient) -> None:
    response = client.post("/sessions", json={"email": "alice\0@example.com"})
    assert response.status_code == 400
    assert (response.json or {})["fields"] == {
        "email": "This must be text.",
        "password": "This field is required.",
    }


def test_a_foreign_form_cannot_log_anyone_in(client: FlaskClient) -> None:
    """What a page of another site can send without asking: a form's content types."""
    assert client.post("/sessions", data=ALICE).status_code == 415
    plain = '{"email": "alice@example.com", "password": "wonderland"}'
    assert client.post("/sessions", data=plain, content_type="text/plain").status_code == 415
