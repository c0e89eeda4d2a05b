from __future__ import annotations

from gateway.config.document import compose
from gateway.config.position import PathPositions, path_text

TEXT = "a: 'x\\n'\nroutes:\n  - path: /books/{id\n    name: \"q\"\n  - x\n"


def test_what_is_not_in_the_file_is_at_what_is_around_it() -> None:
    positions = compose("f", TEXT).positions
    assert str(positions.problem(("routes", 0, "to"), "-")) == "f:3:5: -"
    assert str(positions.problem(("routes", 7), "-")) == "f:3:3: -"
    assert str(positions.problem(("routes", 1, "path", "deeper"), "-")) == "f:5:5: -"
    assert str(positions.problem(("default",), "-", at_key=True)) == "f:1:1: -"


def test_a_mistake_inside_a_text_is_pointed_at() -> None:
    positions = compose("f", TEXT).positions
    assert str(positions.problem(("routes", 0, "path"), "-", after="/books/")) == "f:3:18: -"
    assert str(positions.problem(("routes", 0, "name"), "-", after="q")) == "f:4:13: -"


def test_a_text_that_is_written_otherwise_than_it_reads_is_pointed_at_as_a_whole() -> None:
    text = 'a: "x\\u0041y"\n'
    assert str(compose("f", text).positions.problem(("a",), "-", after="xA")) == "f:1:4: -"


def test_lines_and_how_they_are_cited() -> None:
    positions = compose("f", TEXT).positions
    assert positions.line(("routes", 1)) == 5
    assert positions.cite(("routes", 1)) == "line 5"


def test_in_a_dict_the_way_is_the_position() -> None:
    positions = PathPositions("config")
    assert str(positions.problem(("routes", 2, "to"), "wrong")) == "routes[2].to: wrong"
    assert str(positions.problem((), "wrong")) == "config: wrong"
    assert positions.line(("routes", 2)) == 0
    assert positions.cite(("routes", 2)) == "routes[2]"


def test_paths_as_text() -> None:
    assert path_text(("backends", "new", "urls", 0)) == "backends.new.urls[0]"
    assert path_text(()) == ""
