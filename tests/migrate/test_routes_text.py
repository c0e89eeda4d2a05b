from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.loader import load_text
from gateway.migrate.entry import Entry, Proposal
from gateway.migrate.inventory.endpoint import Endpoint
from gateway.migrate.routes_text import App, entry_lines, flow_item, routes_text, scalar, summary
from gateway.routing.path import PathError, canonical
from gateway.routing.template import TemplateError, parse

LEGACY, NEW = App("old:app", False, "Flask, 1 endpoint"), App("http://127.0.0.1:1", True, "OpenAPI, 2 endpoints")


def entry(path: str, *, name: str = "view", host: str | None = None, remarks: tuple[str, ...] = ()) -> Entry:
    endpoint = Endpoint(path, frozenset({"GET"}), name=name)
    return Entry("both", path, ("GET",), host, "books", (endpoint,), remarks)


def test_a_file_without_routes_can_be_added_to() -> None:
    text = routes_text(LEGACY, None, Proposal((), ()))
    config = load_text(text).config
    assert (list(config.backends), config.routes) == (["legacy"], ())
    assert text.endswith("\nroutes: []\n")


def test_the_backends() -> None:
    config = load_text(routes_text(LEGACY, NEW, Proposal((), ()))).config
    assert (config.backends["legacy"].app, config.backends["new"].url) == ("old:app", "http://127.0.0.1:1")


def test_remarks_are_folded_and_stand_above() -> None:
    lines = list(entry_lines([entry("/b", remarks=("word " * 40,))], "  ", "to: legacy"))
    comments = [line for line in lines if line.startswith("  # word")]
    assert len(comments) == 2
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("name", ["a\nroutes: []", "a\u2028b", "\x07", "#", "x" * 200])
def test_what_an_app_calls_its_views_stays_a_comment(name: str) -> None:
    text = routes_text(LEGACY, None, Proposal((entry("/b", name=name, remarks=(name,)),), ()))
    assert [route.path for route in load_text(text).config.routes] == ["/b"]


@given(st.text(max_size=12).map(lambda text: "/" + text))
def test_every_path_is_read_as_it_is(path: str) -> None:
    try:
        parse(path)
        canonical(b"/")
    except (TemplateError, PathError):
        return
    if not path.isprintable():
        return
    block = routes_text(LEGACY, None, Proposal((entry(path),), ()))
    assert load_text(block).config.routes[0].path == path
    flow = routes_text(LEGACY, None, Proposal((), ())).replace("[]", f"[{flow_item(entry(path), 'to: legacy')}]")
    assert load_text(flow).config.routes[0].path == path


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("/books/{id:int}", "/books/{id:int}"),
        ("/", "/"),
        ("/a:", '"/a:"'),
        ("/größe", '"/größe"'),
        ("*.example.com", '"*.example.com"'),
        ("shop.example.com", "shop.example.com"),
        ("true", '"true"'),
        ("null", '"null"'),
    ],
)
def test_quotes_where_they_are_needed(text: str, written: str) -> None:
    assert scalar(text) == written


def test_hosts_and_layouts() -> None:
    lines = list(entry_lines([entry("/b", host="*.example.com")], "    ", "to: old", "    "))
    assert lines[-5:] == [
        "    -   path: /b # view",
        "        methods: [GET]",
        '        host: "*.example.com"',
        "        to: old",
        "        group: books",
    ]
    assert flow_item(entry("/b", host="*.example.com"), "to: old") == (
        '{path: "/b", methods: [GET], host: "*.example.com", to: old, group: books}'
    )


def test_the_summary() -> None:
    pinned = Entry("pinned", "/p", (), None, None, ())
    new = Entry("new", "/n", (), None, None, ())
    assert summary([entry("/a"), pinned, new, new]) == "1 entry in 1 group, 1 pinned, 2 only in the new app"
    assert summary([]) == "0 entries in 0 groups"
