"""A client cannot tell the two apps apart: the same request gets the same status, header fields and bytes.

Where FastAPI by itself would differ is the table in `new_fastapi.faithful`; each row of it has its requests here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.new_fastapi.conftest import Apps
from tests.new_fastapi.exchange import Answer, Ask, ask_both

JSON = {"Content-Type": "application/json"}
BIG = b" " * (1024 * 1024 + 1)


def send(method: str, target: str, data: Any, **headers: str) -> Ask:
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    return Ask(method, target, body, JSON | {name.replace("_", "-"): value for name, value in headers.items()})


def assert_same(apps: Apps, ask: Ask, legacy: Answer, new: Answer) -> None:
    assert new.status == legacy.status, (ask, legacy.body, new.body)
    assert _without_times(ask, new.body) == _without_times(ask, legacy.body), ask
    assert _comparable(apps, new) == _comparable(apps, legacy), ask


def _without_times(ask: Ask, body: bytes) -> bytes:
    """Rows that a request made have the time of that moment, which may be a second apart; its format must agree."""
    if ask.method in {"POST", "PUT"}:
        return re.sub(rb'"created_at":"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"', b'"created_at":NOW', body)
    return body


def _comparable(apps: Apps, answer: Answer) -> dict[str, Any]:
    fields: dict[str, Any] = dict(answer.headers)
    if "allow" in fields:
        fields["allow"] = set(fields["allow"].split(", "))  # Flask's order changes from run to run
    if answer.status == 204:
        fields.pop("content-type")  # the type of nothing: Flask says HTML, FastAPI JSON
    if cookie := fields.pop("set-cookie", ""):
        # Signed at a moment: what it holds must agree, and its attributes.
        value, *attributes = cookie.partition("=")[2].split("; ")
        attributes = [re.sub(r"\d\d:\d\d:\d\d", "TIME", attribute) for attribute in attributes]
        fields["session"] = (apps.new.state.session.loads(value), attributes)
    return fields


@pytest.fixture
def alice(twins: Apps) -> dict[str, str]:
    """The header field of a browser in which alice is logged in."""
    cookie = twins.new.state.session.dumps({"_user_id": "1", "_fresh": True, "_id": "of another browser"})
    return {"Cookie": f"session={cookie}"}


BOOK = {"title": "Emma", "author": "Jane Austen", "isbn": "9780141439587", "year": 1815, "pages": 474}
ITEM = {"book_id": 1, "condition": "good", "price": "4.50", "note": "Read once."}
USER = {"name": "Dora Spenlow", "email": "dora@example.com", "password": "jip-the-dog"}

READS = [
    *(f"/{kind}{query}" for kind in ("books", "users", "items", "products/search") for query in (
        "", "?page=2", "?page=0", "?page=-1", "?page=x", "?page=", "?page=99999999999999999999", "?page=2&page=1",
        "?per_page=5", "?per_page=0", "?per_page=-7", "?per_page=1000", "?per_page=%205%20", "?per_page=1_0",
        "?page=3&per_page=7", "?per_page=5&per_page=6", "?page=1.0", "?PAGE=2", "?page=%FF", "?page=2;per_page=1",
    )),
    *(f"/{kind}/{number}" for kind in ("books", "users", "items") for number in (
        "1", "3", "0", "007", "9999", "2147483647", "2147483648", "99999999999999999999", "-1", "1.0", "x", "1x", "",
        "1/", "%31", "1%20", "+1", "1%2F2", "1/2",
    )),
    "/items?book_id=1", "/items?book_id=3&per_page=2", "/items?book_id=x", "/items?book_id=-1", "/items?book_id=",
    "/items?book_id=99999999999999999999", "/items?book_id=1&book_id=2",
    "/products/search?q=alice", "/products/search?q=AUSTEN", "/products/search?q=%20pen%20", "/products/search?q=%25",
    "/products/search?q=_", "/products/search?q=%FF", "/products/search?q=a%00b", "/products/search?q=%C3%A9",
    "/products/search?q=\u00e9", "/products/search?q=a&q=b", "/products/search?q=a+b", "/products/search?q",
    "/products/search?category=fiction", "/products/search?category=none", "/products/search?category=",
    "/products/search?min_price=10", "/products/search?max_price=5.00", "/products/search?min_price=5&max_price=9.99",
    "/products/search?min_price=x", "/products/search?min_price=1.234&max_price=-1", "/products/search?min_price=",
    "/products/search?min_price=NaN", "/products/search?min_price=1e2", "/products/search?max_price=Infinity",
    "/products/search?min_price=1%00", "/products/search?min_price=5&min_price=x", "/products/search?min_price=100000",
    "/products/search?in_stock=1", "/products/search?in_stock=YES", "/products/search?in_stock=no",
    "/products/search?q=the&category=classics&in_stock=true&per_page=3", "/products/search?unknown=1",
    "/products", "/products/", "/products/search/", "/books/", "/users/", "/items/", "/me", "/me/", "/sessions",
    "/books/none", "/items/none/at/all",
    "//books", "/books//1", "//products///search?q=a&q=b", "/books//", "//me", "/books//none", "//books?x=%C3%A9&y=a%2Fb",
]  # fmt: skip


async def test_reading(twins: Apps) -> None:
    for target in READS:
        ask = Ask("GET", target)
        assert_same(twins, ask, *await ask_both(twins, ask))


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PATCH", "TRACE", "POST", "DELETE", "PUT", "QUERY"])
async def test_every_method_of_every_path(twins: Apps, method: str) -> None:
    for target in ("/books", "/books/1", "/books/x", "/users/1", "/users", "/items", "/items/1", "/products/search",
                   "/me", "/sessions", "/external-data", "/books/", "//books", "/books?per_page=1"):  # fmt: skip
        if (method, target) in {("HEAD", "/external-data")}:
            continue  # asks the third party: see test_external_data.py
        ask = Ask(method, target)
        legacy, new = await ask_both(twins, ask)
        assert_same(twins, ask, legacy, new)


def bodies() -> Iterator[bytes]:
    """What is no JSON object, or claims too much."""
    yield from (b"", b"{", b"nonsense", b"[]", b"null", b'"text"', b"3", b"\xff", b"[" * 60, b'{"a":1}x', b"NaN")
    yield from (b"{}", b"\xef\xbb\xbf{}", '{"title":"é"}'.encode("utf-16"), b"9" * 5000, BIG, b'{"a":' + b"9" * 5000 + b"}")


CONTENT_TYPES = [
    {}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"},
    {"Content-Type": "application/json"}, {"Content-Type": "Application/JSON; charset=utf-8"},
    {"Content-Type": "application/problem+json"}, {"Content-Type": "text/json"}, {"Content-Type": "application/jsonp"},
    {"Content-Type": ""}, {"Content-Type": "application/json, text/plain"},
]  # fmt: skip


@pytest.mark.parametrize(("method", "target"), [
    ("POST", "/books"), ("PUT", "/books/1"), ("PUT", "/books/9999"), ("POST", "/users"), ("POST", "/items"),
    ("POST", "/sessions"),
])  # fmt: skip
async def test_bodies_that_are_no_json_object(
    twins: Apps, alice: dict[str, str], method: str, target: str
) -> None:
    asks = [Ask(method, target, body, JSON | login) for body in bodies() for login in ({}, alice)]
    asks += [
        Ask(method, target, body, content_type | login)
        for content_type in CONTENT_TYPES
        for body in (b"", b"{}", b"{", BIG)
        for login in ({}, alice)
    ]
    for ask in asks:
        assert_same(twins, ask, *await ask_both(twins, ask))


ODD: list[Any] = [
    None, "", " ", "x", " x ", "x" * 81, "x" * 121, "x" * 201, "x" * 501, "é" * 200, "a\0b", "\ud800", True, False, 0, 1,
    -1, 1.0, 4.5, 4.555, 0.1, 1e400, -1e400, 2**31, 10**30, "4.50", "4.5", "04.50", "1_0.5", "1e1", "NaN", "-1", "0",
    "99999.99", "100000", [], {}, [1], {"a": 1}, "new", "New", "9780141439587", "978014143958x", "١٢٣٤٥٦٧٨٩٠١٢٣", "a@b.c",
    "A@B.C", "a b@c.d", "a@b", "2100", 2100, 2101, -3000, -3001, 20_000, 20_001, float("nan"),
]  # fmt: skip


async def assert_same_with_each_field_odd(apps: Apps, ask: tuple[str, str], good: dict[str, Any], login: dict[str, str]) -> None:
    asks = [send(*ask, {**good, name: value}, **login) for name in [*good, "unknown"] for value in ODD]
    asks += [send(*ask, {key: value for key, value in good.items() if key != name}, **login) for name in good]
    asks += [send(*ask, {}, **login), send(*ask, dict.fromkeys(good), **login), send(*ask, dict.fromkeys(good, []), **login)]
    for each in asks:
        assert_same(apps, each, *await ask_both(apps, each))
