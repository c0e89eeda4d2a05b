"""A client cannot tell the two apps apart: the same request gets the same status, header fields and bytes.

Where FastAPI by itself would differ is the table in `new_fastapi.faithful`; each row of it has its requests here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.migrate.flask_session import FlaskSession
from tests.new_fastapi.conftest import Apps
from tests.new_fastapi.exchange import Answer, Ask, ask_both

JSON = {"Content-Type": "application/json"}
BIG = b" " * (1024 * 1024 + 1)


def send(method: str, target: str, data: Any, **headers: str) -> Ask:
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    return Ask(method, target, body, JSON | {name.replace("_", "-"): value for name, value in headers.items()})


def assert_same(apps: Apps, ask: Ask, legacy: Answer, new: Answer) -> None:
    assert new.status == legacy.status, (ask, legacy.body, new.body)
    assert _without_times(new.body) == _without_times(legacy.body), ask
    assert _comparable(apps, new) == _comparable(apps, legacy), ask


async def assert_all_same(apps: Apps, *asks: Ask) -> set[int]:
    """The statuses that came, for a look that the requests got as far as they were meant to."""
    statuses = set()
    for ask in asks:
        legacy, new = await ask_both(apps, ask)
        assert_same(apps, ask, legacy, new)
        statuses.add(new.status)
    return statuses


def _without_times(body: bytes) -> bytes:
    """Rows that a test made have the time of that moment, which may be a second apart; its format must agree."""

    def masked(match: re.Match[bytes]) -> bytes:
        age = datetime.now(UTC) - parsedate_to_datetime(match[1].decode())
        return b'"created_at":"in this test"' if age < timedelta(minutes=5) else match[0]

    return re.sub(rb'"created_at":"(\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT)"', masked, body)


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
    "//books", "/books//1", "//products///search?q=a&q=b", "/books//", "//me", "/books//none",
    "//books?x=%C3%A9&y=a%2Fb",
]  # fmt: skip


async def test_reading(twins: Apps) -> None:
    statuses = await assert_all_same(twins, *(Ask("GET", target) for target in READS))
    assert statuses == {200, 308, 400, 401, 404, 405}


PATHS = [
    "/books", "/books/1", "/books/x", "/users", "/users/1", "/items", "/items/1", "/products/search", "/me",
    "/sessions", "/books/", "//books", "///books//1", "/books//x", "/books?per_page=1",
]  # fmt: skip


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PATCH", "TRACE", "POST", "DELETE", "PUT", "QUERY"])
async def test_every_method_of_every_path(twins: Apps, method: str) -> None:
    statuses = await assert_all_same(twins, *(Ask(method, target) for target in PATHS))
    assert 404 in statuses
    assert statuses & {200, 405}


def bodies() -> Iterator[bytes]:
    """What is no JSON object, or claims too much."""
    yield from (b"", b"{", b"nonsense", b"[]", b"null", b'"text"', b"3", b"\xff", b"[" * 60, b'{"a":1}x', b"NaN")
    yield from (
        b"{}",
        b"\xef\xbb\xbf{}",
        '{"title":"é"}'.encode("utf-16"),
        b"9" * 5000,
        BIG,
        b'{"a":' + b"9" * 5000 + b"}",
    )


CONTENT_TYPES = [
    {}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"},
    {"Content-Type": "application/json"}, {"Content-Type": "Application/JSON; charset=utf-8"},
    {"Content-Type": "application/problem+json"}, {"Content-Type": "text/json"}, {"Content-Type": "application/jsonp"},
    {"Content-Type": ""}, {"Content-Type": "application/json, text/plain"},
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/books"),
        ("PUT", "/books/1"),
        ("PUT", "/books/9999"),
        ("POST", "/users"),
        ("POST", "/items"),
        ("POST", "/sessions"),
    ],
)
async def test_bodies_that_are_no_json_object(twins: Apps, alice: dict[str, str], method: str, target: str) -> None:
    statuses = await assert_all_same(
        twins,
        *(Ask(method, target, body, JSON | login) for body in bodies() for login in ({}, alice)),
        *(
            Ask(method, target, body, content_type | login)
            for content_type in CONTENT_TYPES
            for body in (b"", b"{}", b"{", BIG)
            for login in ({}, alice)
        ),
    )
    assert {401, 404} & statuses if target == "/books/9999" else {400, 413, 415} <= statuses


ODD: list[Any] = [
    None, "", " ", "x", " x ", "x" * 81, "x" * 121, "x" * 201, "x" * 501, "é" * 200, "a\0b", "\ud800", True, False,
    0, 1, -1, 1.0, 4.5, 4.555, 0.1, 1e400, -1e400, 2**31, 10**30, "4.50", "4.5", "04.50", "1_0.5", "1e1", "NaN", "-1",
    "0", "99999.99", "100000", [], {}, [1], {"a": 1}, "new", "New", "9780141439587", "978014143958x", "١٢٣٤٥٦٧٨٩٠١٢٣",
    "a@b.c", "A@B.C", "a b@c.d", "a@b", "2100", 2100, 2101, -3000, -3001, 20_000, 20_001, float("nan"),
]  # fmt: skip


def with_each_field_odd(method: str, target: str, good: dict[str, Any], login: dict[str, str]) -> list[Ask]:
    data = [{**good, name: value} for name in [*good, "unknown"] for value in ODD]
    data += [{key: value for key, value in good.items() if key != name} for name in good]
    data += [{}, dict.fromkeys(good), {key: [] for key in good}]
    return [send(method, target, each, **login) for each in data]


async def test_writing_books(twins: Apps, alice: dict[str, str]) -> None:
    statuses = await assert_all_same(
        twins,
        *with_each_field_odd("PUT", "/books/5", BOOK, alice),
        send("POST", "/books", BOOK, **alice),  # 409, and no lock is left behind
        send("POST", "/books", {"title": "T", "author": "A"}, **alice),
        send("PUT", "/books/2", BOOK, **alice),
        send("PUT", "/books/2", {**BOOK, "isbn": None}, **alice),
        send("PUT", "/books/9999", {}, **alice),
        send("PUT", "/books/9999", BOOK),
        Ask("GET", "/books/2"),
        Ask("GET", "/books?page=3"),
        *(Ask("DELETE", f"/books/{number}", headers=alice) for number in (*range(1, 8), 53, 53, 9999)),
        Ask("DELETE", "/books/3"),
        Ask("GET", "/books"),
        Ask("GET", "/products/search?per_page=100"),  # a deleted book leaves its product
    )
    assert statuses == {200, 201, 204, 400, 401, 404, 409}


async def test_writing_items(twins: Apps, alice: dict[str, str]) -> None:
    statuses = await assert_all_same(
        twins,
        *with_each_field_odd("POST", "/items", ITEM, alice),
        send("POST", "/items", {"book_id": 9999}, **alice),
        send("POST", "/items", {**ITEM, "book_id": 9999, "price": "no"}, **alice),
        send("POST", "/items", ITEM),
        Ask("GET", "/items?page=2"),
        Ask("GET", "/items/25"),
    )
    assert statuses == {200, 201, 400, 401}


async def test_writing_users(twins: Apps) -> None:
    # What is accepted costs a password hash in both apps: another field is wrong too in most of these.
    odd = with_each_field_odd("POST", "/users", {**USER, "password": ""}, {})
    odd += [send("POST", "/users", {**USER, "name": "", "password": value}) for value in ODD]
    statuses = await assert_all_same(
        twins,
        *odd,
        send("POST", "/users", USER),
        send("POST", "/users", {**USER, "email": " DORA@Example.com "}),
        Ask("GET", "/users"),
        Ask("GET", "/users/4"),
    )
    assert statuses == {200, 201, 400, 409}


@pytest.fixture
def cookies(twins: Apps, alice: dict[str, str]) -> list[dict[str, str]]:
    """Browsers in all conditions."""
    sign = twins.new.state.session.dumps
    old = FlaskSession(secret_key="another key").dumps
    sessions = [
        {"csrf_token": "a visitor with a form"},
        {"_user_id": "1"},
        {"_user_id": "1", "_permanent": True},
        {"_user_id": "1", "_fresh": False},
        {"_user_id": "9999"},
        {"_user_id": "99999999999"},
        {"_user_id": "x"},
        {"_user_id": ""},
        {"_permanent": True, "_flashes": [("info", "Please log in first.")]},
    ]
    values = [*map(sign, sessions), old({"_user_id": "1"}), "nonsense", ""]
    return [{}, alice, *({"Cookie": f"session={value}"} for value in values)]


async def test_the_session_is_read_and_sent_alike(twins: Apps, cookies: list[dict[str, str]]) -> None:
    statuses = await assert_all_same(
        twins,
        *(
            Ask(method, target, headers=cookie)
            for cookie in cookies
            for method, target in (
                ("GET", "/me"),
                ("HEAD", "/me"),
                ("OPTIONS", "/me"),
                ("DELETE", "/sessions"),
                ("POST", "/books"),
                ("GET", "/books/1"),
                ("GET", "/books/x"),
                ("PATCH", "/me"),
            )
        ),
    )
    assert statuses == {200, 204, 401, 404, 405, 415}


async def test_logging_in(twins: Apps, cookies: list[dict[str, str]]) -> None:
    good = {"email": "alice@example.com", "password": "wonderland"}
    statuses = await assert_all_same(
        twins,
        # Never both right: each look at a password costs a hash in both apps.
        *(send("POST", "/sessions", {"email": value, "password": ""}) for value in ODD),
        *(send("POST", "/sessions", {"email": "", "password": value}) for value in ODD),
        *(send("POST", "/sessions", good, **cookie) for cookie in cookies[:3]),
        send("POST", "/sessions", {**good, "remember": True}),
        send("POST", "/sessions", {**good, "remember": "yes"}, X_Forwarded_For="203.0.113.9, 10.0.0.1"),
        send("POST", "/sessions", {**good, "email": " ALICE@example.com"}, User_Agent="caf\u00e9"),
        send("POST", "/sessions", {**good, "password": "wrong"}),
        send("POST", "/sessions", {**good, "email": "nobody@example.com"}),
    )
    assert statuses == {201, 400, 401}


roots = st.sampled_from(["books", "users", "items", "products", "me", "sessions", "/books"])
paths = st.lists(st.sampled_from(["books", "me", "1", "0", "%20", "x", "", "é", "search"]), max_size=3)
words = st.text(alphabet="0123456789 -+._e%&=;é\x00abcpagesr", max_size=8)
queries = st.lists(
    st.tuples(st.sampled_from(["page", "per_page", "book_id", "q", "min_price", "max_price", "in_stock"]), words),
    max_size=4,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["GET", "HEAD", "OPTIONS", "POST", "DELETE"]), roots, paths, queries, st.booleans())
async def test_odd_requests(
    twins: Apps, method: str, root: str, path: list[str], query: list[tuple[str, str]], quoted: bool
) -> None:
    # A blank or a NUL cannot be on the wire as it is; everything else can.
    safe = "" if quoted else "-+._%&=;"
    pairs = "&".join(f"{name}={quote(value, safe)}" for name, value in query)
    ask = Ask(method, quote("/" + "/".join([root, *path]), safe="/%") + "?" + pairs)
    assert_same(twins, ask, *await ask_both(twins, ask))


json_values = st.recursive(
    st.one_of(st.sampled_from(ODD), st.text(max_size=5), st.integers(), st.floats()),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=2), inner, max_size=2)),
    max_leaves=4,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([BOOK, ITEM]), st.data())
async def test_odd_data(twins: Apps, alice: dict[str, str], good: dict[str, Any], data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(good)), min_size=1, max_size=3))
    body = {**good, **{name: data.draw(json_values) for name in names}}
    ask = send("PUT", "/books/1", body, **alice) if good is BOOK else send("POST", "/items", body, **alice)
    assert_same(twins, ask, *await ask_both(twins, ask))
