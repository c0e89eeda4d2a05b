from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.routing.template import Kind, Segment, TemplateError, parse


def test_every_kind_of_segment() -> None:
    assert parse("/books/{id:int}/{key:uuid}/{name}/{rest:path}").segments == (
        Segment(Kind.LITERAL, "books"),
        Segment(Kind.INT, "id"),
        Segment(Kind.UUID, "key"),
        Segment(Kind.SEGMENT, "name"),
        Segment(Kind.REST, "rest"),
    )


@pytest.mark.parametrize(
    ("text", "literals"),
    [
        ("/", [""]),
        ("/books", ["books"]),
        ("/books/", ["books", ""]),
        ("/a//b", ["a", "", "b"]),
        ("/café", ["café"]),
        ("/caf%C3%A9", ["café"]),
        ("/caf%c3%a9", ["café"]),
        ("/%62ooks", ["books"]),
        ("/a%2fb", ["a%2Fb"]),
        ("/my%20books", ["my books"]),
        ("/%7Bid%7D", ["{id}"]),
        ("/%2A", ["*"]),
        ("/.well-known/x", [".well-known", "x"]),
        ("/a:b;c=1", ["a:b;c=1"]),
    ],
)
def test_literals_are_what_requests_are_compared_in(text: str, literals: list[str]) -> None:
    assert parse(text).segments == tuple(Segment(Kind.LITERAL, literal) for literal in literals)
    assert parse(text).text == text


def test_shape_leaves_names_out() -> None:
    assert parse("/books/{id}").shape == parse("/books/{name}").shape
    assert parse("/books/{id}").shape != parse("/books/{id:int}").shape
    # A literal that looks like a parameter is none.
    assert parse("/books/{id}").shape != parse("/books/%7Bid%7D").shape


def test_shapes_compare_as_precedence_does() -> None:
    texts = ["/a/b", "/a/{x:int}", "/a/{x:uuid}", "/a/{x}/{y:path}", "/a/{x:path}", "/{x:int}/a", "/{x}/a", "/{x:path}"]
    assert sorted(set(texts), key=lambda text: parse(text).shape) == texts


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("", 0, "starts with a slash"),
        ("books/{id}", 0, "did you mean '/books/{id}'"),
        ("/books?page=1", 6, "match one with the key 'query'"),
        ("/books#top", 6, "no fragment"),
        ("/a/b{c}", 4, "a parameter is a whole segment, and 'b{c}' has more in it"),
        ("/a/{b}c", 3, "a parameter is a whole segment, and '{b}c' has more in it"),
        ("/{a}{b}", 1, "whole segment"),
        ("/a/{b", 3, "never closed"),
        ("/{a/b}", 1, "never closed"),
        ("/a/b}", 4, "closes nothing"),
        ("/{{a}}", 2, "inside a parameter"),
        ("/a/{}", 4, "needs a name"),
        ("/a/{:int}", 4, "needs a name"),
        ("/a/{1st}", 4, "'1st' is not a name"),
        ("/a/{ id }", 4, "' id ' is not a name"),
        ("/a/{id:integer}", 7, "unknown type 'integer'; did you mean {id:int}?"),
        ("/a/{id:uid}", 7, "unknown type 'uid'; did you mean {id:uuid}?"),
        ("/a/{id:Path}", 7, "unknown type 'Path'; did you mean {id:path}?"),
        ("/a/{id:str}", 7, "unknown type 'str'; did you mean {id}?"),
        ("/a/{id:}", 7, "unknown type ''; known types are int, uuid and path"),
        ("/a/{id:[0-9]+}", 7, "known types are int, uuid and path"),
        ("/{a}/b/{a:int}", 7, "the parameter 'a' is there twice"),
        ("/a/{b:path}/c", 11, "'{b:path}' takes the rest of the path"),
        ("/a/{b:path}/", 11, "'{b:path}' takes the rest of the path"),
        ("/a/../b", 3, "dot segment"),
        ("/a/%2E/b", 3, "dot segment"),
        ("/a/b c", 4, "a space is written %20"),
        ("/a/b%zz", 3, "percent sign"),
        ("/a/b\\c", 3, "backslash"),
        ("/a/%00", 3, "control character"),
        ("/a/caf%E9", 3, "'caf%E9' is not UTF-8"),
        ("/a/\ud800", 3, "not a character"),
        # What people bring along from elsewhere.
        ("/books/<int:id>", 7, "written in braces here: {id:int}"),
        ("/books/<id>", 7, "written in braces here: {id}"),
        ("/books/<string:id>/x", 7, "written in braces here: {id}"),
        ("/books/<path:rest>", 7, "written in braces here: {rest:path}"),
        ("/admin/*", 7, "write {rest:path}"),
        ("/admin/**", 7, "write {rest:path}"),
    ],
)
def test_errors_say_what_and_where(text: str, column: int, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        parse(text)
    assert message in str(caught.value)
    assert caught.value.column == column


@settings(deadline=None, max_examples=500)
@given(st.text(alphabet=st.sampled_from("/{}:ab1int%2F.*<>?# é\x00\\"), max_size=20))
def test_whatever_is_written_is_a_template_or_a_template_error(text: str) -> None:
    try:
        template = parse(text)
    except TemplateError as error:
        column = error.column
    else:
        assert len(template.segments) == text.count("/")
        return
    assert 0 <= column <= len(text)
