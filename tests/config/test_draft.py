"""All errors at once: what is broken hides neither what is wrong elsewhere, nor does it make anything seem wrong."""

from __future__ import annotations

from tests.config.said import BACKENDS, said, said_of


def test_mistakes_of_every_kind_are_told_together() -> None:
    problems = said(
        """\
        version: 1
        backends:
          legacy: {app: "legacy_flask.create_app()", thread: 3}
          new: {app: "new_fastapi:app", threads: lots}
        default: lagacy
        override: {}
        routes:
          - path: /books/{id:itn}
            methods: [GTE]
            to: nwe
          - path: /a
            to: {legacy: 90, new: 20}
            to: new
          - path: /b
            to: {legacy: 90, new: many}
          - path: /c
            backend: new
          - {path: /d, to: new}
          - {path: /d, to: legacy}
        """
    )
    assert [problem.split(": ", 1)[0] for problem in problems] == [
        "routes.yaml:3:17",
        "routes.yaml:3:46",
        "routes.yaml:4:42",
        "routes.yaml:5:10",
        "routes.yaml:6:1",
        "routes.yaml:8:22",
        "routes.yaml:9:15",
        "routes.yaml:10:9",
        "routes.yaml:12:9",
        "routes.yaml:13:5",
        "routes.yaml:15:27",
        "routes.yaml:17:5",
        "routes.yaml:19:5",
    ]


def test_a_broken_route_is_still_checked_where_it_is_sound() -> None:
    assert said_of("- {path: a, to: nwe, methods: GET}") == [
        "1:10: a path starts with a slash; did you mean '/a'?",
        "1:17: unknown backend 'nwe'; did you mean 'new'?",
        "1:31: 'methods' must be a list; write [GET]",
    ]


def test_routes_after_a_broken_one_keep_their_lines() -> None:
    assert said_of("- 5\n- {to: new}\n- {path: /c, to: nwe}") == [
        "1:3: 'routes' must be a mapping with 'path' and 'to', not 5",
        "2:3: this route has no 'path'",
        "3:18: unknown backend 'nwe'; did you mean 'new'?",
    ]


def test_without_backends_no_target_is_called_unknown() -> None:
    assert said("version: 1\ndefault: legacy\nbackends: 5\nroutes: [{path: /a, to: new}]\n") == [
        "routes.yaml:3:11: 'backends' must be a mapping of names to apps, such as: legacy: {app: \"module:app\"}, not 5"
    ]
    assert said("version: 1\ndefault: legacy\nbackends: {}\nroutes: [{path: /a, to: new}]\n") == [
        "routes.yaml:3:11: 'backends' must be a mapping of names to apps, such as: "
        'legacy: {app: "module:app"}, not an empty mapping'
    ]


def test_a_broken_default_sticky_makes_no_group_disagree() -> None:
    routes = "routes:\n  - {path: /a, to: new, group: g}\n  - {path: /b, to: new, group: g, sticky: ip}\n"
    [problem] = said(BACKENDS + "defaults: {sticky: ipp}\n" + routes)
    assert problem.endswith("did you mean 'ip'?")


def test_a_broken_section_is_one_mistake() -> None:
    assert len(said(BACKENDS + "override: 5\n")) == 1
    assert len(said(BACKENDS + "sticky_cookie: {name: 5, max_age: x}\n")) == 2
    assert len(said(BACKENDS + "trusted_proxies: [5, x]\n")) == 1
