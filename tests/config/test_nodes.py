from __future__ import annotations

import pytest

from gateway.config.nodes import Node, parse


def to_of(value: str) -> tuple[Node, str]:
    """The value of ``to``, and its own text."""
    text = f"# é\nroutes:\n- path: /a\n  to: {value}\n\n# end\n"
    found = parse(text).get("routes")
    assert found is not None
    pair = found[1].children[0].get("to")
    assert pair is not None
    return pair[1], text[pair[1].content : pair[1].end]


@pytest.mark.parametrize(
    ("value", "kind", "text", "style"),
    [
        ("new   # why", "scalar", "new", ""),
        ("'new' ", "scalar", "'new'", "'"),
        ('"new"', "scalar", '"new"', '"'),
        ("&a !!str new", "scalar", "new", ""),
        ("&a # why\n    new", "scalar", "new", ""),
        (">- # why\n    new\n\n", "scalar", ">- # why\n    new", ">"),
        ("{new: 1, } # why", "mapping", "{new: 1, }", "{"),
        ("&a\n    new: 1\n    legacy: 2 # why", "mapping", "new: 1\n    legacy: 2", ""),
        ("[1, 2]", "list", "[1, 2]", "["),
        ("\n  - 1\n  - 2 # why", "list", "- 1\n  - 2", ""),
    ],
)
def test_a_value_is_known_to_the_character(value: str, kind: str, text: str, style: str) -> None:
    node, own = to_of(value)
    assert (node.kind, own, node.style) == (kind, text, style)


def test_an_alias_is_not_what_it_stands_for() -> None:
    text = "a: &x new\nb: *x # why\n"
    found = parse(text).get("b")
    assert found is not None
    assert (found[1].kind, found[1].name, text[found[1].start : found[1].end]) == ("alias", "x", "*x")


def test_anchors_and_tags_are_told() -> None:
    node, _ = to_of("!!map &a {new: 1}")
    assert (node.name, node.tagged) == ("a", True)
    node, _ = to_of("{new: 1}")
    assert (node.name, node.tagged) == (None, False)


def test_keys_have_places_too() -> None:
    node, _ = to_of("{ 'new' : 1}")
    [(key, value)] = node.pairs
    assert (key.value, key.style, value.value) == ("new", "'", "1")


def test_a_walk_meets_everything_in_order() -> None:
    node, _ = to_of("{a: 1, b: {c: 2}}")
    assert [each.value for each in node.walk() if each.kind == "scalar"] == ["a", "1", "b", "c", "2"]
