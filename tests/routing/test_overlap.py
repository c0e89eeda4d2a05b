from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.routing.overlap import covers, overlap
from gateway.routing.rule import Rule
from gateway.routing.table import Table
from gateway.routing.template import parse

UUID = "00000000-0000-0000-0000-00000000000a"
PARTS = ["a", "1", "", UUID, "{:int}", "{:uuid}", "{}"]
OTHER_UUID = "00000000-0000-0000-0000-00000000000b"
# Of what each kind of segment matches more than one text, so that no literal has all of it.
TEXTS = ["a", "b", "1", "2", "", UUID, OTHER_UUID]
PATHS = [
    "/" + "/".join(parts)
    for texts, length in ((TEXTS, 1), (TEXTS, 2), (TEXTS, 3), (["a", "1", "", UUID], 4))
    for parts in itertools.product(texts, repeat=length)
]


@st.composite
def templates(draw: st.DrawFn) -> str:
    parts = draw(st.lists(st.sampled_from(PARTS), min_size=1, max_size=3))
    if draw(st.booleans()):
        parts[-1] = "{:path}"
    return "/" + "/".join(part.replace("{", f"{{p{at}") for at, part in enumerate(parts))


def matched(template: str) -> set[str]:
    table = Table([(Rule(parse(template)), True)])
    return {path for path in PATHS if table.match("GET", path, (), b"")}


@settings(deadline=None)
@given(templates(), templates())
def test_as_the_table_matches(one: str, other: str) -> None:
    left, right = matched(one), matched(other)
    assert overlap(parse(one), parse(other)) == bool(left & right) == overlap(parse(other), parse(one))
    assert covers(parse(one), parse(other)) == (right <= left)


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("/u/me", "/u/{id}", True),
        ("/u/me", "/u/{id:int}", False),
        ("/u/{rest:path}", "/u/", False),
        ("/u/{rest:path}", "/u//", True),
        ("/u/{rest:path}", "/u/{a}/b", True),
        ("/{id:int}", "/{id:uuid}", False),
    ],
)
def test_overlap(one: str, other: str, both: bool) -> None:
    assert overlap(parse(one), parse(other)) is both
