from __future__ import annotations

import re
from urllib.parse import quote, unquote, unquote_to_bytes

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from starlette.routing import compile_path

from gateway.routing.path import PathError, canonical
from gateway.routing.table import Rule, Table
from gateway.routing.template import parse
from tests.routing.hostile import raw_paths


@pytest.mark.parametrize(
    ("sent", "path", "forwarded"),
    [
        (b"/", "/", b"/"),
        (b"/books/42", "/books/42", b"/books/42"),
        (b"/books/", "/books/", b"/books/"),
        # Unreserved characters need no escape (RFC 3986 6.2.2.2), reserved ones keep theirs.
        (b"/%62ooks/%7Ejim", "/books/~jim", b"/books/~jim"),
        (b"/a%20b%2Bc+d", "/a b+c+d", b"/a%20b%2Bc+d"),
        (b"/a%3Fb%23c", "/a?b#c", b"/a%3Fb%23c"),
        # An encoded slash is data, not a separator.
        (b"/a%2fb/c%2Fd", "/a%2Fb/c%2Fd", b"/a%2Fb/c%2Fd"),
        # One decoding, not two.
        (b"/100%25", "/100%", b"/100%25"),
        (b"/%2541", "/%41", b"/%2541"),
        (b"/%25%34%31", "/%41", b"/%2541"),
        (b"/a%252Fb", "/a%2Fb", b"/a%252Fb"),
        # Escapes of UTF-8, and the raw bytes that curl sends.
        (b"/caf%c3%a9", "/café", b"/caf%C3%A9"),
        ("/café".encode(), "/café", b"/caf%C3%A9"),
        # Not UTF-8: Latin-1, a lone surrogate, a sequence that ends too soon.
        (b"/caf%E9", "/caf\ufffd", b"/caf%E9"),
        (b"/%ED%A0%80", "/\ufffd\ufffd\ufffd", b"/%ED%A0%80"),
        (b"/%E2%82/x", "/\ufffd/x", b"/%E2%82/x"),
        # Overlong forms of / and . are not UTF-8 (RFC 3629 3); full-width ones are other characters.
        (b"/%C0%AF", "/\ufffd\ufffd", b"/%C0%AF"),
        (b"/%C0%AE%C0%AE/x", "/\ufffd\ufffd\ufffd\ufffd/x", b"/%C0%AE%C0%AE/x"),
        ("/．．／x".encode(), "/．．／x", quote("/．．／x").encode()),
        # Kept as they are.
        (b"//a///b//", "//a///b//", b"//a///b//"),
        (b"/a;v=1/b;", "/a;v=1/b;", b"/a;v=1/b;"),
        (b"/.well-known/x", "/.well-known/x", b"/.well-known/x"),
        (b"/a/...", "/a/...", b"/a/..."),
        (b"/a../..b/.c", "/a../..b/.c", b"/a../..b/.c"),
        (b"/v1.0/%2Ehidden", "/v1.0/.hidden", b"/v1.0/.hidden"),
        (b'/a|b"c{d}', '/a|b"c{d}', b'/a|b"c{d}'),
        (b"/%252e%252e/x", "/%2e%2e/x", b"/%252e%252e/x"),
    ],
)
def test_canonical(sent: bytes, path: str, forwarded: bytes) -> None:
    assert canonical(sent) == (path, forwarded)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"", "does not start with a slash"),
        (b"books", "does not start with a slash"),
        (b"*", "does not start with a slash"),
        (b"http://h/books", "does not start with a slash"),
        (b"%2Fbooks", "does not start with a slash"),
        *((sent, "dot segment") for sent in (b"/.", b"/..", b"/./a", b"/a/../b", b"/a/..", b"/a/%2e%2E/b")),
        *((sent, "dot segment") for sent in (b"/.%2e", b"/a/%2e", b"/a/..%2Fadmin", b"/a%2f../b", b"/a%2F..")),
        # %252F reads as %2F once decoded, so it must not help either.
        *((sent, "dot segment") for sent in (b"/a/..%252Fadmin", b"/a/..%252fadmin", b"/..;/admin", b"/a/.;x")),
        *((sent, "control character") for sent in (b"/a%00", b"/\x00", b"/a b", b"/a\tb", b"/\x7f", b"/a%7F")),
        *((sent, "control character") for sent in (b"/admin%0A", b"/a%0d%0aSet-Cookie:x", b"/%1f")),
        *((sent, "backslash") for sent in (b"/a\\b", b"/a%5Cb", b"/..%5cadmin")),
        *((sent, "percent sign") for sent in (b"/%", b"/%2", b"/a%zz", b"/%%41", b"/%u002e", b"/%2%35")),
        (b"/a#b", "fragment"),
        (b"/a?b", "question mark"),
    ],
)
def test_refused(sent: bytes, reason: str) -> None:
    with pytest.raises(PathError, match=reason):
        canonical(sent)


@pytest.mark.parametrize("byte", [byte for byte in range(256) if byte < 0x21 or byte in b"\x7f\\"])
def test_what_is_refused_plain_is_refused_encoded(byte: int) -> None:
    if byte != 0x20:
        with pytest.raises(PathError):
            canonical(b"/a%%%02xb" % byte)
    with pytest.raises(PathError):
        canonical(b"/a%cb" % byte)


def _decoded(segment: bytes) -> str:
    """The meaning of one segment, by another way than the source's: split first, then decode with the library."""
    return unquote_to_bytes(re.sub(rb"%2[fF]", b"%252F", segment)).decode("utf-8", "replace")


@settings(deadline=None, max_examples=500)
@given(raw_paths)
def test_decodes_the_segments_that_were_sent_and_makes_no_new_ones(sent: bytes) -> None:
    try:
        path, _ = canonical(sent)
    except PathError:
        return
    assert path.split("/") == [_decoded(segment) for segment in sent.split(b"/")]


@settings(deadline=None, max_examples=500)
@given(raw_paths)
def test_the_forwarded_path_is_its_own_canonical_form(sent: bytes) -> None:
    try:
        path, forwarded = canonical(sent)
    except PathError:
        return
    assert canonical(forwarded) == (path, forwarded)
    assert unquote_to_bytes(forwarded) == unquote_to_bytes(sent)
    assert re.fullmatch(rb"/[!-~]*", forwarded)


@settings(deadline=None, max_examples=500)
@given(raw_paths)
@example(b"/a/..%2Fadmin")
def test_nobody_who_decodes_finds_a_dot_segment_or_a_control_character(sent: bytes) -> None:
    try:
        path, forwarded = canonical(sent)
    except PathError:
        return
    # The embedded app's view; the view of a remote behind a server that decodes, as uvicorn and gunicorn do, and of
    # one that also takes parameters off.
    for view in (path, unquote(forwarded.decode()), re.sub(";[^/]*", "", unquote(forwarded.decode()))):
        assert not {".", ".."} & set(view.split("/"))
        assert not re.search(r"[\x00-\x1f\x7f\\]", view)
    assert path.encode("utf-8").decode("utf-8") == path


@settings(deadline=None)
@given(st.text(min_size=1))
def test_what_a_client_quotes_arrives(segment: str) -> None:
    assume(not re.search(r"[\x00-\x1f\x7f\\/\ud800-\udfff]", segment))
    assume(not re.match(r"\.\.?($|;|%2F)|.*%2F\.\.?($|;|%2F)", segment, re.IGNORECASE | re.DOTALL))
    assert canonical(b"/" + quote(segment, safe="").encode())[0] == f"/{segment}"


@settings(deadline=None, max_examples=1000)
@given(raw_paths, st.sampled_from(["/admin", "/admin/", "/{x}", "/a/{x}", "/{x:int}", "/{x}/b", "/admin/{x:int}"]))
@example(b"/admin%0A", "/admin")
@example(b"/42%0A", "/{x:int}")
def test_the_app_that_gets_the_path_matches_what_the_table_matched(sent: bytes, template: str) -> None:
    """Starlette, on the scope's path, against the table: what the table sends elsewhere it does not serve either."""
    try:
        path, _ = canonical(sent)
    except PathError:
        return
    pattern, _, _ = compile_path(template)
    matched = Table([(Rule(parse(template)), True)]).match("GET", path, [], b"")
    assert bool(matched) == bool(pattern.match(path))
