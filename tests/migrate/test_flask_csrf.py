"""Beside Flask-WTF itself: a token of either is good for both, and what is wrong has the same name."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import flask
import flask_wtf.csrf
import pytest
from flask_wtf.csrf import CSRFProtect
from itsdangerous import TimestampSigner
from starlette.requests import Request
from wtforms import ValidationError

from gateway.migrate.flask_csrf import CsrfError, FlaskCsrf
from gateway.migrate.flask_session import FlaskSession, Session
from gateway.migrate.shared_session import _Slot


def csrf_of(**settings: Any) -> FlaskCsrf:
    config = {"SECRET_KEY": "k", **settings}
    return FlaskCsrf.from_config(config, session=FlaskSession.from_config(config))


def legacy(**settings: Any) -> flask.Flask:
    app = flask.Flask(__name__)
    app.config.update(SECRET_KEY="k", **settings)
    CSRFProtect(app)
    app.add_url_rule("/", "post", lambda: "", methods=["POST"])
    return app


def reasons(token: str, kept: dict[str, Any], **settings: Any) -> tuple[str, str]:
    """What Flask-WTF and we say against a token; "" for nothing."""
    said = ["", ""]
    with legacy(**settings).test_request_context():
        flask.session.update(kept)
        try:
            flask_wtf.csrf.validate_csrf(token)
        except ValidationError as error:
            said[0] = str(error)
    try:
        csrf_of(**settings).check(token, Session(kept))
    except CsrfError as error:
        said[1] = error.detail
    return said[0], said[1]


def made_by_flask(kept: dict[str, Any], **settings: Any) -> str:
    with legacy(**settings).test_request_context():
        flask.session.update(kept)
        token: str = flask_wtf.csrf.generate_csrf()
        kept.update(flask.session)
    return token


def made_by_us(kept: dict[str, Any], **settings: Any) -> str:
    csrf = csrf_of(**settings)
    kept.setdefault(csrf.field_name, "0" * 40)
    return csrf._serializer.dumps(kept[csrf.field_name])


@pytest.mark.parametrize("made", [made_by_flask, made_by_us])
@pytest.mark.parametrize(
    "settings",
    [{}, {"WTF_CSRF_SECRET_KEY": "another"}, {"WTF_CSRF_FIELD_NAME": "token"}, {"WTF_CSRF_TIME_LIMIT": None}],
    ids=repr,
)
def test_a_token_of_one_is_good_for_the_other(made: Any, settings: dict[str, Any]) -> None:
    kept: dict[str, Any] = {}
    token = made(kept, **settings)
    assert reasons(token, kept, **settings) == ("", "")


def test_what_is_wrong_is_wrong_for_both() -> None:
    kept: dict[str, Any] = {}
    token = made_by_flask(kept)
    cases = {
        "": kept,
        "rubbish": kept,
        token: {},
        token + "x": kept,
        made_by_flask({}): kept,
    }
    said = [reasons(sent, session) for sent, session in cases.items()]
    assert [flasks for flasks, _ in said] == [ours for _, ours in said]
    assert all(flasks for flasks, _ in said)


def test_a_token_grows_old_for_both() -> None:
    kept: dict[str, Any] = {}
    with patch.object(TimestampSigner, "get_timestamp", lambda signer: 1_900_000_000):
        token = made_by_flask(kept)
    with patch.object(TimestampSigner, "get_timestamp", lambda signer: 1_900_003_600):
        assert reasons(token, kept) == ("", "")
    with patch.object(TimestampSigner, "get_timestamp", lambda signer: 1_900_003_601):
        assert reasons(token, kept) == ("The CSRF token has expired.",) * 2
        assert reasons(token, kept, WTF_CSRF_TIME_LIMIT=None) == ("", "")


def request(method: str = "POST", scheme: str = "https", **headers: str) -> Request:
    fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in {"host": "shop", **headers}.items()]
    session = FlaskSession(secret_key="k")
    scope: dict[str, Any] = {"type": "http", "method": method, "scheme": scheme, "headers": fields}
    scope.update(path="/", query_string=b"")
    scope[session._scope_key] = _Slot(session, scope)
    return Request(scope)


@pytest.mark.parametrize(
    ("referer", "reason"),
    [
        ("https://shop/page", ""),
        ("https://shop:443/page", "The referrer does not match the host."),
        ("http://shop/page", "The referrer does not match the host."),
        ("https://evil/shop", "The referrer does not match the host."),
        (None, "The referrer header is missing."),
    ],
)
async def test_on_https_a_form_comes_from_a_page_of_this_host(referer: str | None, reason: str) -> None:
    kept: dict[str, Any] = {}
    token = made_by_us(kept)
    cookie = "session=" + FlaskSession(secret_key="k").dumps(kept)
    headers = {"cookie": cookie, "x_csrftoken": token, **({"referer": referer} if referer else {})}

    said = ["", ""]
    with legacy().test_client() as client:
        # Its client keeps cookies by itself.
        client.set_cookie("session", cookie.partition("=")[2], domain="shop")
        given = {name.replace("_", "-"): value for name, value in headers.items() if name != "cookie"}
        answer = client.post("/", base_url="https://shop", headers=given)
        said[0] = "" if answer.status_code == 200 else answer.text
    try:
        await csrf_of()(request(**headers))
    except CsrfError as error:
        said[1] = error.detail
    assert said[1] == reason
    assert reason in said[0]
    assert bool(said[0]) == bool(reason)
    # Only https, only what changes something, only when it is switched on.
    del headers["x_csrftoken"]
    await csrf_of(WTF_CSRF_ENABLED=False)(request(**headers))
    await csrf_of()(request("GET", **headers))


async def test_without_https_no_referrer_is_wanted() -> None:
    kept: dict[str, Any] = {}
    token = made_by_us(kept)
    cookie = "session=" + FlaskSession(secret_key="k").dumps(kept)
    await csrf_of()(request(scheme="http", cookie=cookie, x_csrftoken=token))
