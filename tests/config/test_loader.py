from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.loader import Loaded, load_dict, load_file, load_text
from gateway.config.problem import ConfigError
from tests.config.said import BACKENDS, routes, said

DESIGN = """\
version: 1

backends:
  legacy: {app: "legacy_flask:create_app()"}   # embedded; WSGI or ASGI is found out, `()` calls a factory
  new:    {app: "new_fastapi:app"}
  # remote instead:
  # legacy: {url: "http://127.0.0.1:5000"}     # or urls: [...], or unix:/run/legacy.sock

default: legacy              # what no route names stays where it is

routes:
  - path: /books/{id}        # moved
    methods: [GET]
    to: new

  - path: /books             # canary: 10 % of the users
    methods: [GET]
    to: {legacy: 90, new: 10}
    sticky: cookie
    group: catalogue

  - path: /admin/{rest:path} # pinned
    to: legacy
"""


def as_dict() -> dict[str, Any]:
    return {
        "version": 1,
        "backends": {"legacy": {"app": "legacy_flask:create_app()"}, "new": {"app": "new_fastapi:app"}},
        "default": "legacy",
        "routes": [
            {"path": "/books/{id}", "methods": ["GET"], "to": "new"},
            {
                "path": "/books",
                "methods": ("GET",),
                "to": {"legacy": 90, "new": 10.0},
                "sticky": "cookie",
                "group": "catalogue",
            },
            {"path": "/admin/{rest:path}", "to": "legacy"},
        ],
    }


def test_the_file_of_the_design() -> None:
    config = load_text(DESIGN).config
    assert [route.label for route in config.routes] == ["GET /books/{id}", "GET /books", "/admin/{rest:path}"]
    assert [route.weights for route in config.routes] == [
        (("new", 10_000),),
        (("legacy", 9_000), ("new", 1_000)),
        (("legacy", 10_000),),
    ]
    assert config.default == "legacy"


def test_a_dict_says_the_same_as_a_file() -> None:
    assert load_dict(as_dict()).config == load_text(DESIGN).config


def test_loading_does_not_change_the_dict() -> None:
    data = as_dict()
    load_dict(data)
    assert data == as_dict()


def test_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + DESIGN.replace("\n", "\r\n").encode())
    loaded = load_file(path)
    assert loaded.source == "my.yaml"
    assert loaded.text.encode() == path.read_bytes(), "exactly, so that an editor can write it back"
    assert loaded.digest == hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    assert loaded.config == load_text(DESIGN).config
    assert str(loaded.problem(("routes", 1, "to"), "-")) == "my.yaml:18:9: -"


def test_a_path_may_be_text(tmp_path: Path) -> None:
    (tmp_path / "routes.yaml").write_text(DESIGN)
    assert load_file(os.fspath(tmp_path / "routes.yaml")).source == "routes.yaml"


def test_a_missing_file_is_called_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^routes\.yaml: no such file$"):
        load_file(tmp_path / "routes.yaml")


def test_places_for_problems_found_later() -> None:
    loaded = load_text(DESIGN)
    assert str(loaded.problem(("backends", "new", "app"), "gone")) == "routes.yaml:5:17: gone"
    assert str(loaded.problem(("routes", 2), "gone")) == "routes.yaml:22:5: gone"
    assert loaded.positions().line(("routes", 1)) == 16


def test_places_in_a_dict() -> None:
    loaded = load_dict(as_dict())
    assert (loaded.source, loaded.text) == ("config", "")
    assert str(loaded.problem(("routes", 2, "to"), "gone")) == "routes[2].to: gone"


def test_the_digest_changes_with_the_text_only() -> None:
    text = "version: 1\nbackends: {a: {app: '${X}:a'}}\ndefault: a\n"
    first, second = load_text(text, env={"X": "x"}), load_text(text, env={"X": "y"})
    assert first.digest == second.digest
    assert first.config != second.config
    assert load_text(text + " ", env={"X": "x"}).digest != first.digest


def test_the_digest_of_a_dict_does_not_depend_on_the_order_of_its_keys() -> None:
    data = as_dict()
    assert load_dict(dict(reversed(data.items()))).digest == load_dict(data).digest
    assert load_dict({**data, "default": "new"}).digest != load_dict(data).digest
    assert len(load_dict(data).digest) == 12


def test_the_environment_is_that_of_the_process_if_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRANGLER_TEST_APP", "shop:app")
    text = "version: 1\nbackends: {a: {app: '${STRANGLER_TEST_APP}'}}\ndefault: a\n"
    assert load_text(text).config.backends["a"].app == "shop:app"
    with pytest.raises(ConfigError):
        load_text(text, env={})


def test_what_is_loaded_cannot_be_changed() -> None:
    loaded = load_text(DESIGN)
    with pytest.raises(AttributeError):
        loaded.digest = "x"  # type: ignore[misc]
    with pytest.raises(ValueError, match="frozen"):
        loaded.config.default = "new"  # type: ignore[misc]


@pytest.mark.parametrize("text", ["", "# none yet\n", "\ufeff", b"\xff\xfe", b"\x00", "\ud800", "a: \t\x07"])
def test_what_is_no_file_of_ours_is_refused(text: str | bytes) -> None:
    with pytest.raises(ConfigError):
        load_text(text)


def many(count: int) -> str:
    """The mixture that a migration has: moved, canary, pinned."""
    kinds = [
        "- path: /s{n}/books/{{id}}\n  methods: [GET]\n  to: new\n",
        "- path: /s{n}/books\n  methods: [GET, POST]\n  to: {{legacy: 90, new: 10}}\n  sticky: cookie\n  group: g\n",
        "- path: /s{n}/admin/{{rest:path}}\n  to: legacy\n",
    ]
    return routes("".join(kinds[n % 3].format(n=n) for n in range(count)))


@pytest.mark.parametrize(("count", "seconds"), [(20, 0.05), (1_000, 0.5), (10_000, 5)])
def test_loading_is_quick_enough_for_a_live_reload(count: int, seconds: float) -> None:
    """The bounds are ten times what was measured, for slow and busy machines."""
    text = many(count)
    begun = time.process_time()
    assert len(load_text(text).config.routes) == count
    assert time.process_time() - begun < seconds


@pytest.mark.parametrize(
    "line",
    [
        "x: [" + "{a: 1}, " * 60_000 + "]",
        "routes: [" + "{}, " * 60_000 + "]",
        "routes: [" + "{path: x, to: 'y z', methdos: 1}, " * 20_000 + "]",
        "routes: [" + "{path: /a, to: nwe}, " * 20_000 + "]",
        "backends2: {" + "".join(f"k{n}: 1, " for n in range(60_000)) + "}",
        "".join(f"k{n}: 1\n" for n in range(60_000)),
        "trusted_proxies: [" + "x, " * 100_000 + "]",
        "override: {secret: '" + "${A" * 100_000 + "'}",
        "override: {secret: '" + "$${" * 100_000 + "${'}",
        "routes: [{path: /a, to: {" + "".join(f"b{n}: 1, " for n in range(40_000)) + "}}]",
        "routes: [{path: '" + "/{a}" * 50_000 + "', to: new}]",
        "routes: [{path: '" + "/" * 500_000 + "', to: new}]",
        "routes: [{path: /a, name: '" + "x" * 1_000_000 + "', to: new}]",
        "routes: [{path: /a, to: new, methods: [" + "GET, " * 20_000 + "]}]",
    ],
    ids=range(14),
)
def test_no_mistake_takes_long_to_tell(line: str) -> None:
    begun = time.process_time()
    problems = said(BACKENDS + line + "\n")
    assert problems
    assert time.process_time() - begun < 5
    assert max(map(len, problems)) < 1000


SNIPPETS = st.lists(
    st.sampled_from(
        [
            *(
                "version: 1\n",
                "backends:\n",
                "  legacy: {app: 'a:b'}\n",
                "  new: {app: 'c:d()'}\n",
                "default: legacy\n",
            ),
            *(
                "routes:\n",
                "  - path: /a\n",
                "    to: new\n",
                "    to: {legacy: 90, new: 10}\n",
                "    methods: [GET]\n",
            ),
            *(
                "    group: g\n",
                "    sticky: ip\n",
                "    ",
                "  - ",
                "'",
                "{",
                "}",
                "[",
                "&a ",
                "*a",
                ": ",
                "null",
                "5\n",
                "\n",
            ),
            *("override: {allow: ['::1']}\n", "sticky_cookie:\n", "  name: x\n", "defaults: {sticky: none}\n", "${A}"),
        ]
    ),
    max_size=25,
).map("".join)


def held(load: Callable[[], Loaded]) -> None:
    begun = time.process_time()
    refused: list[str] | None = None
    try:
        load()
    except ConfigError as error:
        refused = [str(problem) for problem in error.problems]
    assert refused != []
    assert "\n" not in "".join(refused or ())
    assert time.process_time() - begun < 2


@given(SNIPPETS | st.text() | st.binary())
def test_any_text_is_loaded_or_refused(text: str | bytes) -> None:
    held(lambda: load_text(text, env={}))


@given(SNIPPETS)
def test_every_place_is_inside_the_text(text: str) -> None:
    try:
        load_text(text, env={})
    except ConfigError as error:
        lines = text.split("\n")
        for problem in error.problems:
            assert 1 <= problem.line <= len(lines)
            assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["new", "/a", "GET"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["path", "to", "name", "methods", "host", "headers", "query", "sticky", "group"])
DICTS = st.fixed_dictionaries(
    {},
    optional={
        "version": st.just(1) | VALUES,
        "backends": st.dictionaries(st.just("new"), st.just({"app": "a:b"}) | VALUES) | VALUES,
        "default": st.just("new") | VALUES,
        "defaults": VALUES,
        "sticky_cookie": VALUES,
        "override": VALUES,
        "trusted_proxies": VALUES,
        "routes": st.lists(st.dictionaries(KEYS, VALUES, max_size=5) | VALUES, max_size=4) | VALUES,
        "more": VALUES,
    },
)


@given(DICTS)
@settings(max_examples=150)
def test_any_dict_is_loaded_or_refused(data: Mapping[str, object]) -> None:
    held(lambda: load_dict(data, env={}))
