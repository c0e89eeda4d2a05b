from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.append import Layout, add_backend, append_routes, layout_of
from gateway.config.editor import EditError
from gateway.config.loader import Loaded, load_text

HEAD = "version: 1\nbackends: {legacy: {app: 'a:b'}, new: {app: 'c:d'}}\ndefault: legacy\n"
# The item that is added in most of these.
NEW = "\n  - path: /x\n    to: legacy\n"


def added(text: str, *, env: dict[str, str] | None = None) -> str:
    loaded = load_text(text, env=env)
    layout = layout_of(loaded)
    if layout.brackets:
        return append_routes(loaded, ['{path: "/x", to: legacy}'], 1).text
    lines = [f"{layout.indent}-{layout.offset[1:]}path: /x", f"{layout.indent}{layout.offset}to: legacy"]
    return append_routes(loaded, lines, 1).text


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        (
            "routes:\n  - path: /a\n    to: new\n",
            "routes:\n  - path: /a\n    to: new\n\n  - path: /x\n    to: legacy\n",
        ),
        ("routes:\n- path: /a\n  to: new\n", "routes:\n- path: /a\n  to: new\n\n- path: /x\n  to: legacy\n"),
        (
            "routes:\n    -   path: /a\n        to: new",
            "routes:\n    -   path: /a\n        to: new\n\n    -   path: /x\n        to: legacy",
        ),
        ("routes: []\n", "routes:\n  - path: /x\n    to: legacy\n"),
        ("routes: [] # none yet\n", "routes: # none yet\n  - path: /x\n    to: legacy\n"),
        ("", "\nroutes:\n  - path: /x\n    to: legacy\n"),
        ("# the end\n\n", "# the end\n\nroutes:\n  - path: /x\n    to: legacy\n\n"),
        ("...\n", "\nroutes:\n  - path: /x\n    to: legacy\n...\n"),
        (
            "routes: [{path: /a, to: new}]\n",
            'routes: [{path: /a, to: new}, {path: "/x", to: legacy}]\n',
        ),
        (
            "routes: [\n  {path: /a, to: new}, # first\n]\n",
            'routes: [\n  {path: /a, to: new},\n  {path: "/x", to: legacy}, # first\n]\n',
        ),
        (
            "routes: [\n  {path: /a, to: new},\n  {path: /b, to: new}\n]\n",
            'routes: [\n  {path: /a, to: new},\n  {path: /b, to: new},\n  {path: "/x", to: legacy}\n]\n',
        ),
        # What stands below the last route and is no further left belongs to it.
        (
            "routes:\n  - path: /a\n    to: new # canary\n    # sticky: ip\n  # - path: /b\n\n# the end\n",
            "routes:\n  - path: /a\n    to: new # canary\n    # sticky: ip\n  # - path: /b\n" + NEW + "\n# the end\n",
        ),
        (
            "routes:\n  - {path: /a, to: new}\n# the top level\ndefaults: {sticky: ip}\n",
            "routes:\n  - {path: /a, to: new}\n" + NEW + "# the top level\ndefaults: {sticky: ip}\n",
        ),
        (
            "routes:\n  - path: >-\n      /a\n    to: |-\n      new\n\ntrusted_proxies: []\n",
            "routes:\n  - path: >-\n      /a\n    to: |-\n      new\n" + NEW + "\ntrusted_proxies: []\n",
        ),
    ],
)
def test_in_the_file_s_own_layout(routes: str, expected: str) -> None:
    text = added(HEAD + routes)
    assert text == HEAD + expected
    assert load_text(text).config.routes[-1].path == "/x"


def test_line_breaks_and_a_byte_order_mark_stay_as_they_are() -> None:
    text = "\ufeff" + (HEAD + "routes:\n  - path: /a\n    to: new\n").replace("\n", "\r\n")
    assert added(text) == text + "\r\n  - path: /x\r\n    to: legacy\r\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"version": 1, "backends": {"legacy": {"app": "a:b"}}, "default": "legacy", "routes": []}',
            "a file in braces cannot be added to",
        ),
        (
            HEAD.replace("{app: 'a:b'}", "{app: 'a:b'}") + "trusted_proxies: &empty []\nroutes: *empty\n",
            "the routes are written by an alias",
        ),
        (HEAD + "routes:\n  - &one\n    path: /x\n    to: legacy\n", "the routes are written in a way"),
    ],
)
def test_what_cannot_be_added_to(text: str, message: str) -> None:
    with pytest.raises(EditError, match=message):
        added(text)


def test_only_what_goes_to_the_default_is_added() -> None:
    loaded = load_text(HEAD)
    with pytest.raises(EditError):
        append_routes(loaded, ["  - path: /x", "    to: new"], 1)
    with pytest.raises(EditError):
        append_routes(loaded, ["  - path: /x", "    to: legacy"], 2)


def test_variables_that_are_not_set_here_are_no_mistake() -> None:
    text = HEAD.replace("'c:d'", "'${NEW_APP}'") + "routes: []\n"
    loaded = load_text(text, env={}, keep_unset=True)
    assert append_routes(loaded, ["  - path: /x", "    to: legacy"], 1).text.startswith(text[:60])


@pytest.mark.parametrize(
    ("backends", "expected"),
    [
        ("{legacy: {app: 'a:b'}}\n", "{legacy: {app: 'a:b'}, new: {app: \"c:d\"}}\n"),
        ("\n  legacy: {app: 'a:b'} # old\n", "\n  legacy: {app: 'a:b'} # old\n  new: {app: \"c:d\"}\n"),
        ("\n    legacy:\n        app: 'a:b'\n", "\n    legacy:\n        app: 'a:b'\n    new: {app: \"c:d\"}\n"),
    ],
)
def test_a_backend(backends: str, expected: str) -> None:
    text = f"version: 1\nbackends: {backends}default: legacy\n"
    after = add_backend(load_text(text), "new", '{app: "c:d"}')
    assert after.text == f"version: 1\nbackends: {expected}default: legacy\n"
    assert after.config.backends["new"].app == "c:d"


_lines = st.sampled_from(["\n", "  # a note\n", "# a note\n", "    # deep\n", "   \n"])
_routes = st.sampled_from(
    ["  - path: /{at}\n    to: new\n", "  - {{path: /{at}, to: new}}\n", "  -\n    path: /{at}\n    to: new\n"]
)


@given(
    st.lists(st.tuples(_routes, st.lists(_lines, max_size=3)), max_size=4), st.lists(_lines, max_size=3), st.booleans()
)
def test_whatever_stands_around_the_routes_stays(
    routes: list[tuple[str, list[str]]], tail: list[str], more: bool
) -> None:
    body = "".join(route.format(at=at) + "".join(lines) for at, (route, lines) in enumerate(routes))
    text = (
        HEAD + ("routes:\n" + body if routes else "routes: []\n") + "".join(tail) + ("defaults: {}\n" if more else "")
    )
    loaded: Loaded = load_text(text)
    after = added(text)
    assert len(load_text(after).config.routes) == len(loaded.config.routes) + 1
    # One piece was put in; around it, everything is as it was.
    before = text.replace("routes: []", "routes:")
    common = next((at for at, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), len(before))
    assert after.endswith(before[common:])


def test_the_usual_layout_where_there_are_no_routes() -> None:
    assert layout_of(load_text(HEAD)) == Layout()
