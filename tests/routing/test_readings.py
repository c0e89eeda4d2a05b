from __future__ import annotations

import pytest

from gateway.routing.readings import read_otherwise


@pytest.mark.parametrize(
    ("path", "interface", "readings"),
    [
        ("/a/b", "remote", set()),
        ("/a/b", "wsgi", set()),
        ("//a//b", "wsgi", {"/a//b"}),
        ("//a", "asgi", set()),
        ("/a%2Fb", "wsgi", set()),
        ("/a%2Fb", "asgi", set()),
        ("/a%2Fb", "remote", {"/a/b"}),
        ("/%2Fa", "remote", {"//a", "/a"}),
        ("///%2Fa%2F", "remote", {"////a/", "/a/"}),
        ("/n/\u0664\u0662", "wsgi", {"/n/42"}),
        ("/n/\u0664\u0662/x", "remote", {"/n/42/x"}),
        ("/n/\u0664\u0662", "asgi", set()),
        ("/n/" + "\u0660" * 8000, "wsgi", {"/n/" + "0" * 8000}),
        ("/n/x\u0664", "wsgi", set()),
        ("/caf\u00e9", "remote", set()),
    ],
)
def test_readings(path: str, interface: str, readings: set[str]) -> None:
    assert read_otherwise(path, {interface}) == readings


def test_who_is_asked_instead_reads_it_too() -> None:
    assert read_otherwise("//a%2Fb", {"wsgi", "remote"}) == {"/a%2Fb", "//a/b", "/a/b"}
