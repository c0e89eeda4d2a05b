from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway.config.document import compose
from gateway.config.schema import COPY, routes_schema, schema_text
from tests.config.said import BACKENDS, said
from tests.config.test_loader import DESIGN


def mistakes(text: str) -> list[str]:
    """What an editor with the schema underlines: the place of each mistake."""
    validator = Draft202012Validator(routes_schema())
    errors = validator.iter_errors(dict(compose("f", text).data))
    return sorted(".".join(map(str, error.absolute_path)) for error in errors)


def test_the_copy_in_the_repository_is_current() -> None:
    assert COPY.read_text(encoding="utf-8") == schema_text(), "run: gateway schema > gateway/config/routes.schema.json"


def test_it_is_a_schema() -> None:
    assert routes_schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(routes_schema())


def test_the_file_of_the_design_is_valid() -> None:
    assert mistakes(DESIGN) == []


ALL = """\
version: 1
backends:
  legacy: {app: "${LEGACY:-legacy_flask:create_app()}", interface: wsgi, threads: 8, queue: 0}
  new: {app: "new_fastapi:app", breaker: {error_ratio: 0.3, consecutive: 3, open: 5}}
default: legacy
defaults: {sticky: "header:X-User-Id", fallback: legacy}
sticky_cookie: {name: sid, max_age: 3600, domain: example.com}
override: {header: X-B, cookie: b, allow: [127.0.0.1], secret: "${S}"}
trusted_proxies: ["10.0.0.0/8"]
forwarded: both
routes:
  - path: /books/{id:int}
    to: {legacy: 99.5, new: 0.5}
    name: a book
    methods: [GET, HEAD]
    host: "*.example.com"
    headers: {X-Beta: true, X-V: "2"}
    query: {page: "1", q: true}
    sticky: cookie:session
    group: books
    fallback: {to: legacy, on: [404, 503, connect, timeout], body: 1024, repeatable: true}
    breaker: closed
"""


def test_a_file_with_every_key_is_valid_to_both() -> None:
    assert said(ALL, {"S": "long enough"}) == []
    assert mistakes(ALL) == []


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ("defualts: {}", ""),
        ("routes: [{path: /a, to: new, methds: [GET]}]", "routes.0"),
        ("routes: [{path: /a, to: new, methods: [GTE]}]", "routes.0.methods.0"),
        ("routes: [{path: /a, to: new, methods: GET}]", "routes.0.methods"),
        ("routes: [{path: /a}]", "routes.0"),
        ("routes: [{path: /a, to: {legacy:90}}]", "routes.0.to"),
        ("routes: [{path: /a, to: {new: 101}}]", "routes.0.to"),
        ("routes: [{path: /a, to: new, sticky: cookies}]", "routes.0.sticky"),
        ("routes: [{path: /a, to: new, group: }]", "routes.0.group"),
        ("routes: [{path: /a, to: new, headers: {X-V: 2}}]", "routes.0.headers.X-V"),
        ("routes:", "routes"),
        ("override: {}", "override"),
        ("sticky_cookie: {max_age: 1}", "sticky_cookie.max_age"),
    ],
)
def test_mistakes_are_underlined_and_refused(lines: str, place: str) -> None:
    assert mistakes(BACKENDS + lines) == [place]
    assert said(BACKENDS + lines)


def test_a_backend_has_one_address() -> None:
    assert mistakes("version: 1\ndefault: a\nbackends: {a: {}}") == ["backends.a"]
    assert mistakes("version: 1\ndefault: a\nbackends: {a: {app: 'a:b', url: 'http://x'}}") == ["backends.a"]


def test_every_key_is_explained_on_hover() -> None:
    def bare(node: Any, way: str) -> list[str]:
        if not isinstance(node, dict):
            return []
        found = [
            f"{way}.{name}"
            for name, key in node.get("properties", {}).items()
            if "description" not in key and "$ref" not in key
        ]
        for name, child in node.items():
            found += bare(child, f"{way}.{name}")
        return found

    assert bare(routes_schema(), "") == []


def test_nothing_is_offered_that_a_file_cannot_have() -> None:
    assert '"null"' not in schema_text()
    assert '"default": null' not in schema_text()
