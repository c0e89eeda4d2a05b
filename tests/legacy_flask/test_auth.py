from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from legacy_flask.auth import local_path

from .conftest import ALICE, csrf_token


def log_in(client: FlaskClient, path: str = "/login", **form: str) -> TestResponse:
    return client.post(path, data={**ALICE, "csrf_token": csrf_token(client, path), **form})


def test_log_in_by_the_form(client: FlaskClient) -> None:
    assert "Log in" in client.get("/").text
    response = log_in(client)
    assert (response.status_code, response.location) == (302, "/")
    page = client.get("/").text
    assert "Welcome back, Alice Liddell." in page
    assert "Log out" in page
    assert "Welcome back" not in client.get("/").text


def test_the_address_is_not_case_sensitive(client: FlaskClient) -> None:
    assert log_in(client, email=" Alice@Example.COM ").status_code == 302


def test_back_to_where_the_login_was_asked_for(client: FlaskClient) -> None:
    response = client.get("/catalogue/new?a=b")
    assert response.status_code == 302
    assert response.location == "/login?next=%2Fcatalogue%2Fnew%3Fa%3Db"
    assert "Please log in first." in client.get(response.location).text
    assert log_in(client, response.location).location == "/catalogue/new?a=b"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "evil.example",
        "",
        " /",
    ],
)
def test_no_open_redirect(target: str) -> None:
    assert local_path(target) is None


@pytest.mark.parametrize("target", ["/", "/catalogue/1", "/?page=2", "/a?next=//evil.example", "/é"])
def test_local_paths(target: str) -> None:
    assert local_path(target) == target


def test_login_ignores_a_foreign_next(client: FlaskClient) -> None:
    assert log_in(client, "/login?next=https://evil.example/").location == "/"
    # Logged in already: the same question, the same answer.
    assert client.get("/login?next=//evil.example/").location == "/"
    assert client.get("/login?next=/reports/").location == "/reports/"


def test_wrong_password(client: FlaskClient) -> None:
    response = log_in(client, password="looking-glass")
    assert response.status_code == 200
    assert "Wrong e-mail address or password." in response.text
    assert "looking-glass" not in response.text
    assert client.get("/me").status_code == 401


def test_empty_form(client: FlaskClient) -> None:
    assert log_in(client, email="", password="").text.count("This field is required.") == 2


def test_remember_makes_the_cookie_last(client: FlaskClient) -> None:
    assert "Expires" not in log_in(client).headers["Set-Cookie"]
    client.delete("/sessions")
    assert "Expires" in log_in(client, remember="y").headers["Set-Cookie"]


@pytest.mark.parametrize("token", [None, "", "made-up"])
def test_login_needs_the_token(client: FlaskClient, token: str | None) -> None:
    client.get("/login")
    response = client.post("/login", data={**ALICE, **({} if token is None else {"csrf_token": token})})
    assert response.status_code == 400
    assert "CSRF" in response.text
    assert response.content_type == "text/html; charset=utf-8"
    assert client.get("/me").status_code == 401


def test_log_out(alice: FlaskClient) -> None:
    response = alice.post("/logout", data={"csrf_token": csrf_token(alice, "/")})
    assert (response.status_code, response.location) == (302, "/")
    assert "You are logged out." in alice.get("/").text
    assert alice.get("/me").status_code == 401


def test_log_out_needs_the_token_and_a_post(alice: FlaskClient) -> None:
    assert alice.post("/logout").status_code == 400
    assert alice.get("/logout").status_code == 405
    assert alice.get("/me").status_code == 200


def test_one_login_for_pages_and_api(client: FlaskClient) -> None:
    log_in(client)
    assert (client.get("/me").json or {})["email"] == "alice@example.com"
