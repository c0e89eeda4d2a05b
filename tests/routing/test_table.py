from __future__ import annotations

import random

import pytest

from gateway.routing.path import canonical
from gateway.routing.table import Table, TieError
from tests.routing.rules import ask, rule


def table(*paths: str) -> Table[str]:
    return Table([(rule(path), path) for path in paths])


UUID = "6a2f41a3-c54c-fce8-32d2-0324e1c32e22"


@pytest.mark.parametrize(
    ("path", "winner"),
    [
        ("/books/new", "/books/new"),
        ("/books/42", "/books/{id:int}"),
        (f"/books/{UUID}", "/books/{key:uuid}"),
        (f"/books/{UUID.upper()}", "/books/{key:uuid}"),
        ("/books/dune", "/books/{slug}"),
        ("/books/dune/reviews", "/books/{rest:path}"),
        ("/books/-1", "/books/{slug}"),
        ("/books/4.2", "/books/{slug}"),
        # str.isdigit is true for both.
        ("/books/²", "/books/{slug}"),
        ("/books/١", "/books/{slug}"),
        (f"/books/{UUID.replace('-', '')}", "/books/{slug}"),
        (f"/books/{UUID}0", "/books/{slug}"),
        # No segment is empty to a parameter.
        ("/books/", "/{rest:path}"),
        ("/books", "/{rest:path}"),
        ("/books//", "/books/{rest:path}"),
        ("/", None),
        ("//", "/{rest:path}"),
    ],
)
def test_the_more_specific_segment_wins(path: str, winner: str | None) -> None:
    books = table(
        "/books/{slug}", "/{rest:path}", "/books/{rest:path}", "/books/{id:int}", "/books/{key:uuid}", "/books/new"
    )
    assert ask(books, path) == winner


def test_the_first_segment_that_differs_decides() -> None:
    both = table("/{a}/x/y", "/api/{rest:path}")
    assert ask(both, "/api/x/y") == "/api/{rest:path}"
    both = table("/{a}/{b:int}", "/{a:int}/{b}")
    assert ask(both, "/1/2") == "/{a:int}/{b}"
    assert ask(both, "/a/2") == "/{a}/{b:int}"


def test_a_rest_may_begin_with_an_empty_segment_but_is_not_empty() -> None:
    admin = table("/admin/{rest:path}")
    assert ask(admin, "/admin//users") is not None
    assert ask(admin, "/admin/users/") is not None
    assert ask(admin, "/admin/") is None
    assert ask(admin, "/admin") is None
    assert ask(admin, "//admin/users") is None


def test_a_trailing_slash_is_significant() -> None:
    slashes = table("/s", "/s/", "/t/", "/u")
    assert ask(slashes, "/s") == "/s"
    assert ask(slashes, "/s/") == "/s/"
    assert ask(slashes, "/t") is None
    assert ask(slashes, "/u/") is None
    assert ask(slashes, "/u//") is None


def test_templates_match_whole_segments() -> None:
    v2 = table("/v2", "/v2/{rest:path}")
    assert ask(v2, "/v2x") is None
    assert ask(v2, "/V2") is None


def test_an_encoded_slash_stays_in_its_segment() -> None:
    files = table("/files/{name}", "/files/a%2fb/raw")
    assert ask(files, canonical(b"/files/a%2Fb")[0]) == "/files/{name}"
    assert ask(files, canonical(b"/files/a%2Fb/raw")[0]) == "/files/a%2fb/raw"
    assert ask(files, canonical(b"/files/a/b")[0]) is None


@pytest.mark.parametrize("written", ["/café", "/caf%C3%A9", "/caf%c3%a9"])
@pytest.mark.parametrize("sent", ["/café".encode(), b"/caf%C3%A9", b"/%63af%c3%a9"])
def test_one_text_in_any_encoding(written: str, sent: bytes) -> None:
    assert ask(table(written), canonical(sent)[0]) == written


def test_methods_fall_through_to_the_next_best_path() -> None:
    books = Table(
        [
            (rule("/books/new", "POST"), "literal"),
            (rule("/books/{id:int}", "PUT"), "int"),
            (rule("/books/{id}", "GET PUT"), "segment"),
            (rule("/{rest:path}", "GET DELETE"), "rest"),
        ]
    )
    assert ask(books, "/books/new", "POST") == "literal"
    assert ask(books, "/books/new", "GET") == "segment"
    assert ask(books, "/books/new", "DELETE") == "rest"
    assert ask(books, "/books/7", "PUT") == "int"
    assert ask(books, "/books/7", "GET") == "segment"
    # Exactly what is listed: HEAD is not GET.
    assert ask(books, "/books/7", "HEAD") is None


def test_a_dead_end_is_left_again_at_every_depth() -> None:
    deep = table("/a/b/c/d", "/a/b/{x}/e", "/a/{x}/c/f", "/{x}/b/c/g", "/{x}/{y}/{rest:path}")
    assert ask(deep, "/a/b/c/d") == "/a/b/c/d"
    assert ask(deep, "/a/b/c/e") == "/a/b/{x}/e"
    assert ask(deep, "/a/b/c/f") == "/a/{x}/c/f"
    assert ask(deep, "/a/b/c/g") == "/{x}/b/c/g"
    assert ask(deep, "/a/b/c/h") == "/{x}/{y}/{rest:path}"
    assert ask(deep, "/a/b/c/d/" + "/".join("z" * 100)) == "/{x}/{y}/{rest:path}"


def test_conditions_fall_through_too() -> None:
    t = Table(
        [
            (rule("/a", headers={"x-beta": "1"}, query={"v": "2"}), "both"),
            (rule("/a", headers={"x-beta": "1"}), "header"),
            (rule("/a", query={"v": None}), "query"),
            (rule("/{x}", host="a.com"), "host"),
            (rule("/{x}"), "any"),
        ]
    )
    assert ask(t, "/a", headers=[("X-Beta", "1")], query="v=2") == "both"
    assert ask(t, "/a", headers=[("X-Beta", "1")], query="v=3") == "header"
    assert ask(t, "/a", query="v=3") == "query"
    assert ask(t, "/a", headers=[("x-beta", "2")], host="a.com") == "host"
    assert ask(t, "/a", host="b.com") == "any"


def test_a_repeated_header_matches_with_any_of_its_values() -> None:
    t = Table([(rule("/", headers={"x-tenant": "b"}), "b")])
    assert ask(t, "/", headers=[("x-tenant", "a"), ("x-tenant", "b")]) == "b"
    assert ask(t, "/", headers=[("x-tenant", "a, b")]) is None


def test_a_repeated_query_key_counts_once() -> None:
    t = Table([(rule("/", query={"v": "1"}), "one")])
    assert ask(t, "/", query="v=1&v=2") == "one"
    assert ask(t, "/", query="v=2&v=1") is None


@pytest.mark.parametrize(
    ("host", "winner"),
    [
        ("shop.eu.example.com", "exact"),
        ("SHOP.eu.example.com.:8443", "exact"),
        ("other.eu.example.com", "*.eu"),
        ("a.b.eu.example.com", "*.eu"),
        ("shop.example.com", "*"),
        ("eu.example.com", "*"),
        ("example.com", "any"),
        ("shopexample.com", "any"),
        (".example.com", "any"),
        ("[::1]:8000", "ipv6"),
        ("", "any"),
        (None, "any"),
    ],
)
def test_hosts(host: str | None, winner: str) -> None:
    t = Table(
        [
            (rule("/"), "any"),
            (rule("/", host="*.example.com"), "*"),
            (rule("/", host="*.eu.example.com"), "*.eu"),
            (rule("/", host="shop.eu.example.com"), "exact"),
            (rule("/", host="[0::1]"), "ipv6"),
        ]
    )
    assert ask(t, "/", host=host) == winner


def test_headers_and_query_are_left_alone_where_no_rule_asks() -> None:
    class Untouchable:
        def __iter__(self) -> object:
            raise AssertionError

    t = Table([(rule("/a", "GET"), "a"), (rule("/b", host="b.com"), "b")])
    assert t.match("GET", "/a", Untouchable(), b"") == "a"  # type: ignore[arg-type]
    with pytest.raises(AssertionError):
        t.match("GET", "/b", Untouchable(), b"")  # type: ignore[arg-type]


def test_explain_lists_every_rule_on_the_path_with_its_reason() -> None:
    t = Table(
        [
            (rule("/{rest:path}"), "rest"),
            (rule("/books/{id}", "GET"), "get"),
            (rule("/books/{id}", host="a.com"), "host"),
            (rule("/books/new", "POST"), "post"),
            (rule("/users"), "users"),
        ]
    )
    assert t.explain("GET", "/books/new", [(b"host", b"b.com")], b"") == [
        ("post", "method is GET, not POST"),
        ("host", "host is 'b.com', not a.com"),
        ("get", None),
        ("rest", None),
    ]
    assert t.explain("GET", "/", [], b"") == []


def test_in_order_lists_by_precedence_whatever_the_order_of_the_file() -> None:
    entries = [
        (rule(path, methods), f"{methods} {path}".strip())
        for path, methods in [
            ("/books", "GET"),
            ("/books", ""),
            ("/books/{id:int}", ""),
            ("/books/{id}", ""),
            ("/books/{rest:path}", ""),
            ("/users", ""),
            ("/{x:int}", ""),
            ("/{x}", "GET"),
            ("/{x}", "POST"),
        ]
    ]
    shuffled = random.Random(3).sample(entries, len(entries))
    assert Table(shuffled).in_order() == [name for _, name in entries]


def test_an_empty_table_matches_nothing() -> None:
    assert Table[str]([]).match("GET", "/", [], b"") is None


def test_values_may_be_false() -> None:
    assert Table([(rule("/a"), 0)]).match("GET", "/a", [], b"") == 0


def test_ties_are_refused() -> None:
    with pytest.raises(TieError) as caught:
        table("/a/{x}", "/b", "/a/{y}")
    assert caught.value.pairs == ((0, 2),)
