from __future__ import annotations

import pytest

from gateway.routing.particulars import Particulars


def test_repeated_fields_keep_all_values_apart() -> None:
    fields = Particulars([(b"a", b"1"), (b"b", b"x"), (b"a", b"2, 3")], b"").fields
    assert fields == {b"a": [b"1", b"2, 3"], b"b": [b"x"]}


@pytest.mark.parametrize(
    ("query_string", "query"),
    [
        (b"", {}),
        (b"a=1&b=2", {"a": "1", "b": "2"}),
        (b"a=1&a=2", {"a": "1"}),
        (b"a=&a=2", {"a": ""}),
        (b"a", {"a": ""}),
        (b"a=b+c%20d%2B", {"a": "b c d+"}),
        (b"%61=%C3%A9", {"a": "é"}),
        ("a=é".encode(), {"a": "é"}),
        (b"a=%FF\xff", {"a": "\ufffd\ufffd"}),
        # A semicolon separates nothing (WHATWG URL 5.1).
        (b"a=1;b=2", {"a": "1;b=2"}),
        (b"&&=&a=1=2", {"": "", "a": "1=2"}),
    ],
)
def test_the_query_is_read_as_a_form(query_string: bytes, query: dict[str, str]) -> None:
    assert Particulars([], query_string).query == query


def test_headers_that_can_be_read_only_once_are_enough() -> None:
    particulars = Particulars(iter([(b"host", b"a.com"), (b"x", b"1")]), b"")
    assert particulars.host == "a.com"
    assert particulars.fields[b"x"] == [b"1"]
