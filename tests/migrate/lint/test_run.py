from __future__ import annotations

import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.loader import load_dict, load_text
from gateway.migrate.inventory.reader import inventory_of
from gateway.migrate.lint.rules import RULES
from gateway.migrate.lint.run import lint
from gateway.migrate.lint.subject import Subject
from tests.migrate.flask_apps import Written, rules
from tests.migrate.flask_apps import flask_app as written_app
from tests.migrate.lint.shop import HEAD, flask_app, found, subject

NEEDING_APPS = {rule.code for rule in RULES if rule.needs}


def new_app() -> FastAPI:
    app = FastAPI()
    app.get("/b")(lambda: None)
    return app


ROUTE = "  - path: /b{route}\n    to: new{to}\n"


def codes(routes: str) -> tuple[list[str], int]:
    result = found(flask_app("/b"), new_app(), routes)
    return [each.rule.code for each in result.told], result.ignored


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        (ROUTE.format(route="", to=""), (["SG101", "SG102"], 0)),
        (ROUTE.format(route=" # lint: ignore SG101", to=""), (["SG102"], 1)),
        (ROUTE.format(route=" # lint: ignore SG101, SG102", to=""), ([], 2)),
        ("  # lint: ignore SG101\n" + ROUTE.format(route="", to=""), (["SG102"], 1)),
        # Not a line of the finding or of the beginning of its route.
        (ROUTE.format(route="", to=" # lint: ignore SG101"), (["SG101", "SG102", "SG002"], 0)),
        (ROUTE.format(route=" # lint: ignore SG104", to=""), (["SG002", "SG101", "SG102"], 0)),
        (ROUTE.format(route=" # lint: ignore SG999", to=""), (["SG001", "SG101", "SG102"], 0)),
        (ROUTE.format(route=" # lint: ignore", to=""), (["SG001", "SG101", "SG102"], 0)),
    ],
)
def test_what_is_ignored(routes: str, expected: tuple[list[str], int]) -> None:
    assert codes(routes) == expected


def test_a_finding_about_a_key_is_ignored_there_and_at_its_route() -> None:
    split = "  - path: /b{route}\n    sticky: none\n    to: {{legacy: 50, new: 50}}{to}\n"
    comment = " # lint: ignore SG502"
    for routes in (split.format(route=comment, to=""), split.format(route="", to=comment)):
        result = found(None, None, routes)
        assert ([each.rule.code for each in result.told], result.ignored) == ([], 1)


def test_a_rule_that_cannot_look_says_nothing_of_its_comments() -> None:
    result = found(None, None, ROUTE.format(route=" # lint: ignore SG101", to=""))
    assert result.told == ()
    assert {each.rule.code for each in result.skipped} == NEEDING_APPS


def test_only_some_codes() -> None:
    both = subject(flask_app("/b"), new_app(), ROUTE.format(route=" # lint: ignore SG104", to=""))
    assert [each.rule.code for each in lint(both, {"SG102"}).told] == ["SG102"]
    assert [each.rule.code for each in lint(both, {"SG101", "SG002"}).told] == ["SG101"]


def test_the_order_and_the_place() -> None:
    result = found(flask_app("/b", "/c"), new_app(), "  - {path: /c, to: new}\n" + ROUTE.format(route="", to=""))
    assert [(each.rule.code, each.where.line, each.where.column, each.route) for each in result.told] == [
        ("SG104", 5, 5, "/c"),
        ("SG101", 6, 5, "/b"),
        ("SG102", 6, 5, "/b"),
    ]


def test_a_dict_has_no_lines() -> None:
    data = {
        "version": 1,
        "backends": {"legacy": {"app": "old:app"}, "new": {"app": "new:app"}},
        "default": "legacy",
        "routes": [{"path": "/b", "to": "new"}],
    }
    old, new = inventory_of(flask_app("/b"), "old"), inventory_of(new_app(), "new")
    result = lint(Subject(load_dict(data), "legacy", "new", old, new))
    assert str(result.told[0].where) == "routes[0]: HEAD is 405 in the new app: /b"


PATHS = ["/", "/a", "/a/", "/{p0}", "/{p0:int}", "/a/{p1}", "/{p0:uuid}", "/{p0:path}", "/a/{p1:path}", "/v1/{p1:int}"]
TARGETS = [
    "legacy",
    "new",
    "other",
    "{legacy: 50, new: 50}",
    "{legacy: 20, new: 30, other: 50}",
    "{legacy: 100, new: 0}",
]
EXTRAS = [
    "",
    "methods: [GET]",
    "methods: [POST, PUT]",
    "host: '*.example.com'",
    "sticky: none",
    "sticky: ip",
    "group: g",
    "compat: [head, options, slashes, int404]",
    "fallback: legacy",
    "fallback: {to: new, on: [404, 405], repeatable: true}",
    "headers: {X-Beta: true}",
    "query: {v: '2'}",
]


@st.composite
def files(draw: st.DrawFn) -> str:
    """A valid file: no two routes of one path."""
    head = HEAD.replace("default: legacy", f"default: {draw(st.sampled_from(['legacy', 'new', 'other']))}")
    head = head.replace("backends: {", 'backends: {other: {url: "http://127.0.0.1:9"}, ')
    lines = []
    for path in draw(st.lists(st.sampled_from(PATHS), unique=True, max_size=6)):
        extra = draw(st.sampled_from(EXTRAS))
        comment = draw(st.sampled_from(["", " # lint: ignore SG101, SG501", " # lint: ignore", " # a comment"]))
        parts = [f"path: '{path}'", f"to: {draw(st.sampled_from(TARGETS))}", *([extra] if extra else [])]
        lines.append(f"  - {{{', '.join(parts)}}}{comment}\n")
    return head + ("routes:\n" + "".join(lines) if lines else "")


@settings(deadline=None, max_examples=60)
@given(
    files(),
    st.none() | st.lists(rules(), max_size=6, unique=True),
    st.none() | st.lists(st.tuples(st.sampled_from(PATHS), st.sampled_from(["GET", "POST"])), max_size=6),
)
def test_lint_never_raises(text: str, old: list[Written] | None, new: list[tuple[str, str]] | None) -> None:
    loaded = load_text(text)
    legacy = inventory_of(written_app(old), "old") if old is not None else None
    fresh = inventory_of(_fastapi(new), "new") if new is not None else None
    result = lint(Subject(loaded, "legacy", "new", legacy, fresh))
    last = text.count("\n")
    for each in result.told:
        assert 1 <= each.where.line <= last
        assert each.where.message
    # What could not be looked for and what was are apart.
    assert not {each.rule.code for each in result.told} & {each.rule.code for each in result.skipped}
    # With nothing ignored there is no less to tell.
    plain = lint(Subject(load_text(text.replace("# lint: ignore", "#")), "legacy", "new", legacy, fresh))
    assert (
        len(plain.told) == len([each for each in result.told if not each.rule.code.startswith("SG0")]) + result.ignored
    )


def _fastapi(routes: list[tuple[str, str]]) -> FastAPI:
    app = FastAPI(openapi_url=None)
    for path, method in routes:
        app.add_api_route(path.replace(":uuid", ""), lambda: None, methods=[method])
    return app
