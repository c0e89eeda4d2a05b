"""The request's head, rule by rule (RFC 9110 7.6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.headers import BadRequest, Fields, RequestHead, write_request

VIA = b"Via: 1.1 strangler-gateway"


def head(fields: Fields, method: str = "GET", target: bytes = b"/", underscores: bool = False) -> RequestHead:
    return write_request(method, target, "1.1", fields, underscores=underscores)


def lines(fields: Fields, method: str = "GET", underscores: bool = False) -> list[bytes]:
    """The lines of the fields that go on, without Via."""
    first, *rest = head(fields, method, underscores=underscores).text.split(b"\r\n")
    assert first == b"%b / HTTP/1.1" % method.encode()
    assert rest.pop() == VIA
    return rest


def test_fields_keep_their_order_their_repetition_and_their_values() -> None:
    fields = [
        (b"host", b"a"),
        (b"x-b", b"2"),
        (b"cookie", b"a=1"),
        (b"x-a", b" sp  "),
        (b"cookie", b"B=2"),
        (b"e", b""),
    ]
    assert lines(fields) == [b"host: a", b"x-b: 2", b"cookie: a=1", b"x-a:  sp  ", b"cookie: B=2", b"e: "]


def test_the_request_line_is_the_method_and_the_target_as_they_are() -> None:
    written = head([], "PATCH", b"//evil.example/%2F;x?a=b%20c&d").text
    assert written.startswith(b"PATCH //evil.example/%2F;x?a=b%20c&d HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "name",
    [b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade",
     b"proxy-authenticate", b"proxy-authorization"],
)  # fmt: skip
def test_hop_by_hop_fields_end_here(name: bytes) -> None:
    assert lines([(b"host", b"a"), (name, b"x"), (b"accept", b"b")])[:2] == [b"host: a", b"accept: b"]
    assert not any(line.startswith(name + b":") for line in lines([(name, b"")]))


def test_fields_named_in_connection_end_here() -> None:
    fields = [(b"x-a", b"1"), (b"connection", b"close, X-A ,x-b"), (b"x-b", b"2"), (b"x-c", b"3"), (b"x-a", b"4")]
    assert lines(fields) == [b"x-c: 3"]
    assert lines([(b"connection", b"x-a"), (b"x-a", b"1"), (b"connection", b"x-b"), (b"x-b", b"1")]) == []


@pytest.mark.parametrize("name", [b"x-forwarded-for", b"x-request-id", b"host", b"x-forwarded-proto", b"traceparent"])
def test_connection_cannot_take_away_what_the_gateway_says(name: bytes) -> None:
    assert lines([(b"connection", b"x, " + name), (name, b"1")]) == [name + b": 1"]


def test_te_goes_on_as_trailers_only_and_says_so_in_connection() -> None:
    assert lines([(b"te", b"gzip, Trailers;q=1")]) == []
    assert lines([(b"te", b"gzip, trailers")]) == [b"TE: trailers", b"Connection: TE"]
    assert lines([(b"te", b"gzip")]) == []


def test_names_with_underscores_cannot_pose_as_dashed_ones() -> None:
    fields = [(b"x_forwarded_for", b"6.6.6.6"), (b"x-forwarded-for", b"1.1.1.1")]
    assert lines(fields) == [b"x-forwarded-for: 1.1.1.1"]
    assert lines(fields, underscores=True) == [b"x_forwarded_for: 6.6.6.6", b"x-forwarded-for: 1.1.1.1"]
    assert lines(fields) == [b"x-forwarded-for: 1.1.1.1"]


def test_via_is_added_behind_those_before_us() -> None:
    assert write_request("GET", b"/", "1.0", [(b"via", b"1.1 cdn")]).text.endswith(
        b"\r\nvia: 1.1 cdn\r\nVia: 1.0 strangler-gateway"
    )


def test_max_forwards_counts_down_where_it_means_something() -> None:
    assert lines([(b"max-forwards", b"5")], "OPTIONS") == [b"max-forwards: 4"]
    assert lines([(b"max-forwards", b"5")], "GET") == [b"max-forwards: 5"]
    assert lines([(b"max-forwards", b"x")], "OPTIONS") == [b"max-forwards: x"]


def test_expect_goes_on_only_as_what_is_known() -> None:
    written = head([(b"expect", b"100-Continue"), (b"content-length", b"3")])
    assert written.expects_continue
    assert b"\r\nExpect: 100-continue\r\n" in written.text
    assert b"expect" not in head([(b"expect", b"magic")]).text


def test_the_framing_is_told_and_not_written() -> None:
    assert head([(b"content-length", b"12")])[1:] == (12, False, False)
    assert head([(b"content-length", b"12"), (b"content-length", b"12")])[1:] == (12, False, False)
    assert head([(b"transfer-encoding", b"chunked")])[1:] == (None, True, False)
    assert b"content-length" not in head([(b"content-length", b"12")]).text


def test_a_coding_and_a_length_are_never_both_passed_on() -> None:
    assert head([(b"transfer-encoding", b"chunked"), (b"content-length", b"12")])[1:] == (None, True, False)


@pytest.mark.parametrize("value", [b"", b"-1", b"+1", b"1 ", b"1,1", b"0x1", b"1_0", b"\xb2", b"9" * 19])
def test_a_length_is_digits(value: bytes) -> None:
    with pytest.raises(BadRequest):
        head([(b"content-length", value)])


def test_two_lengths_must_agree() -> None:
    with pytest.raises(BadRequest):
        head([(b"content-length", b"1"), (b"content-length", b"2")])


@pytest.mark.parametrize("bad", [b"a\r\nX-Evil: 1", b"a\rb", b"a\nb", b"a\0b", b"\r\n\r\nGET /admin HTTP/1.1"])
def test_no_value_ends_its_line(bad: bytes) -> None:
    for fields in ([(b"x-a", bad)], [(b"x-a", b"1"), (b"te", b"trailers"), (b"x-b", bad)], [(b"max-forwards", bad)]):
        with pytest.raises(BadRequest):
            head(fields)


@pytest.mark.parametrize("name", [b"x a", b"x:", b"", b"x\r\ny", b" x", b"x\0", b"a_\r\nb", "ä".encode()])
def test_a_name_is_a_token(name: bytes) -> None:
    with pytest.raises(BadRequest):
        head([(name, b"1")], underscores=True)


@pytest.mark.parametrize("target", [b"", b"/a b", b"/ HTTP/1.1\r\nX: 1", b"/\n", b"/\0"])
def test_a_target_is_one_word(target: bytes) -> None:
    with pytest.raises(BadRequest):
        head([], "GET", target)


@given(st.lists(st.tuples(st.sampled_from([b"x-a", b"te", b"connection", b"cookie", b"x_y", b"expect"]), st.binary())))
def test_whatever_comes_in_is_one_head_or_refused(fields: Fields) -> None:
    try:
        text = head(fields).text
    except BadRequest:
        return
    written = text.split(b"\r\n")
    assert text.count(b"\r") == text.count(b"\n") == len(written) - 1
    assert all(b":" in line for line in written[1:])
