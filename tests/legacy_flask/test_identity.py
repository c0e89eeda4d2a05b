"""How the session names who is logged in: what another app over the same cookie must agree with."""

from __future__ import annotations

from hashlib import sha512

import pytest
from flask import Flask
from flask.testing import FlaskClient

from .conftest import ALICE, MakeApp


def test_the_id_is_of_address_and_browser(client: FlaskClient) -> None:
    client.post("/sessions", json=ALICE, headers={"User-Agent": "a browser"})
    with client.session_transaction() as session:
        # Flask-Login formats two bytes objects into a str, and so hashes their b'' as well.
        assert session["_id"] == sha512(b"b'127.0.0.1'|b'a browser'").hexdigest()


def test_the_address_is_the_first_one_forwarded(client: FlaskClient) -> None:
    headers = {"User-Agent": "a browser", "X-Forwarded-For": "192.0.2.7 , 10.0.0.1"}
    client.post("/sessions", json=ALICE, headers=headers)
    with client.session_transaction() as session:
        assert session["_id"] == sha512(b"b'192.0.2.7'|b'a browser'").hexdigest()


def test_another_browser_keeps_the_login_but_not_its_freshness(client: FlaskClient) -> None:
    client.post("/sessions", json=ALICE)
    for browser, fresh in ((None, True), ("another browser", False), (None, False)):
        assert client.get("/me", headers={"User-Agent": browser} if browser else {}).status_code == 200
        with client.session_transaction() as session:
            assert session["_fresh"] is fresh


@pytest.mark.parametrize("user_id", ["999", "none", "", "-1", "1.0", "²", "9" * 30])
def test_ids_of_nobody(client: FlaskClient, user_id: str) -> None:
    with client.session_transaction() as session:
        session["_user_id"] = user_id
    assert client.get("/me").status_code == 401


def test_a_cookie_of_another_key_is_no_login(app: Flask, alice: FlaskClient, make_app: MakeApp) -> None:
    cookie = alice.get_cookie("session")
    assert cookie is not None
    other = make_app(SECRET_KEY="another key").test_client()
    other.set_cookie("session", cookie.value)
    assert other.get("/me").status_code == 401


def test_an_older_key_is_believed_and_replaced(alice: FlaskClient, app: Flask, make_app: MakeApp) -> None:
    cookie = alice.get_cookie("session")
    assert cookie is not None
    rotated = make_app(SECRET_KEY="a new key", SECRET_KEY_FALLBACKS=[app.config["SECRET_KEY"]]).test_client()
    rotated.set_cookie("session", cookie.value)
    assert (rotated.get("/me").json or {})["id"] == 1


def test_behind_a_trusted_proxy(make_app: MakeApp) -> None:
    client = make_app(TRUSTED_PROXIES=1).test_client()
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "books.example", "X-Forwarded-Prefix": "/shop"}
    assert client.get("/reports", headers=headers).location == "https://books.example/shop/reports/"


def test_without_a_trusted_proxy(client: FlaskClient) -> None:
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "books.example"}
    assert client.get("/reports", headers=headers).location == "http://localhost/reports/"
