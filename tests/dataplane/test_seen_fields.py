"""What is noted on fields that have come before is what would be made of them anew."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.dataplane.forwarded import ForwardedFields
from gateway.dataplane.inbound import TrustedProxies, admit
from gateway.http1.field_name import FieldName
from gateway.http1.seen import PassedOn, Seen
from gateway.upstream.headers import BadRequest, write_request

FORWARDED = ForwardedFields("both"), ForwardedFields("x-forwarded")
TRUSTED = TrustedProxies(()), TrustedProxies(["10.0.0.0/8"])

FIELDS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *(b"Host", b"Accept", b"Cookie", b"X_A", b"Connection", b"TE", b"Max-Forwards", b"X-Forwarded-For"),
                *(b"x-request-id", b"Forwarded", b"Keep-Alive", b"X-Named", b"Content-Length", b"Expect"),
            ]
        ).map(FieldName),
        st.sampled_from([b"shop.example", b"x-named", b"close", b"trailers", b"0", b"6.6.6.6", b"a\nb", b"id-7"]),
    ),
    max_size=5,
)
REQUESTS = st.lists(
    st.tuples(
        st.sampled_from(["10.0.0.1", "203.0.113.9", "::1"]),
        st.sampled_from(["http", "https"]),
        st.sampled_from(["GET", "OPTIONS"]),
        st.sampled_from([b"/", b"/a?b", b"/a\nb", b"/a b"]),
        st.sampled_from(FORWARDED),
        st.sampled_from(TRUSTED),
        st.booleans(),
    ),
    min_size=2,
    max_size=6,
)


def passed_on(headers: Any, request: tuple[Any, ...]) -> Any:
    client, scheme, method, target, forwarded, trusted, underscores = request
    scope = {"type": "http", "scheme": scheme, "client": (client, 5), "headers": headers, "root_path": ""}
    made, who, request_id = admit(scope, "/", b"/", trusted, forwarded, "id-1")
    fields = made.pop("headers")
    try:
        written: Any = write_request(method, target, "1.1", fields, underscores=underscores)
    except BadRequest as error:
        written = str(error)
    lines = [(name.spelling, value) for name, value in fields]
    return {**made, "headers": None}, lines, who, request_id, written


@given(FIELDS, REQUESTS)
def test_noting_it_changes_nothing(fields: list[tuple[FieldName, bytes]], requests: list[tuple[Any, ...]]) -> None:
    seen = Seen(fields)
    for request in requests:
        assert passed_on(seen, request) == passed_on(list(fields), request)


def test_it_is_made_once() -> None:
    seen = Seen([(FieldName(b"Host"), b"a")])
    first, second = (
        admit(
            {"type": "http", "scheme": "http", "client": ("10.0.0.1", 5), "headers": seen},
            *("/", b"/", TRUSTED[0], FORWARDED[0], request_id),
        )[0]["headers"]
        for request_id in ("1", "2")
    )
    assert isinstance(first, PassedOn)
    assert first.passed is second.passed
    assert first[:-1] == second[:-1]
    assert (first[-1][1], second[-1][1]) == (b"1", b"2")


def test_who_adds_a_field_has_it_sent() -> None:
    seen = Seen([(FieldName(b"Host"), b"a")])
    scope = {"type": "http", "scheme": "http", "client": ("10.0.0.1", 5), "headers": seen}
    headers = admit(scope, "/", b"/", TRUSTED[0], FORWARDED[0], "1")[0]["headers"]
    headers.append((FieldName(b"X-More"), b"b"))
    assert b"\r\nX-More: b\r\n" in write_request("GET", b"/", "1.1", headers).text
