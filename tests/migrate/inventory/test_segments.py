from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.migrate.inventory.endpoint import Parameter
from gateway.migrate.inventory.segments import Built, Unroutable, build, literal
from gateway.routing.path import PathError, canonical
from gateway.routing.rule import Rule
from gateway.routing.table import Table
from gateway.routing.template import Kind, parse

N = Parameter("n", "int", Kind.INT)
P = Parameter("p", "path", Kind.REST)
X = Parameter("x")


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        (["/"], "/"),
        (["/a/b/"], "/a/b/"),
        (["/a//b"], "/a//b"),
        (["/a/", N], "/a/{n:int}"),
        (["/a/", X, "/b"], "/a/{x}/b"),
        (["/a/", P], "/a/{p:path}"),
        (["/", Parameter("u", "uuid", Kind.UUID), "/"], "/{u:uuid}/"),
    ],
)
def test_what_a_template_can_say(parts: list[str | Parameter], path: str) -> None:
    assert build(parts) == Built(path, ())


@pytest.mark.parametrize(
    ("parts", "path", "coarse"),
    [
        (["/v", N], "/{v_n}", True),
        (["/", X, "-", N, "/x"], "/{x_n}/x", True),
        (["/", X, "/", X, "."], "/{x}/{x_}", True),
        (["/1", X], "/{_1_x}", True),
        (["/.", X], "/{x_}", True),
        (["/", P, "/edit/", N], "/{p:path}", True),
        (["/a", P], "/{a_p:path}", True),
        (["/", Parameter("n", "int", Kind.INT, "min=1")], "/{n:int}", False),
    ],
)
def test_what_it_can_say_only_more_widely(parts: list[str | Parameter], path: str, coarse: bool) -> None:
    built = build(parts)
    assert (built.path, built.coarse, len(built.notes)) == (path, coarse, 1)
    parse(path)


@pytest.mark.parametrize("path", ["/a/../b", "/a\\b", "/a\nb", "/."])
def test_what_no_request_can_ask_for(path: str) -> None:
    with pytest.raises(Unroutable, match="the path has "):
        build([path])


@given(st.text(min_size=1, max_size=8).filter(lambda text: text.isprintable() and "/" not in text))
def test_a_literal_matches_itself_and_nothing_is_lost(text: str) -> None:
    try:
        sent = canonical(b"/" + literal(text).encode())[0]
        path = build([f"/{text}"]).path
    except (PathError, Unroutable):
        return
    assert sent == f"/{text}"
    assert Table([(Rule(parse(path)), True)]).match("GET", sent, (), b"")
