"""Flask apps made from rules, and what such an app itself makes of a path."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask
from hypothesis import strategies as st
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect, Rule

# (rule, methods, strict_slashes)
Written = tuple[str, frozenset[str], bool]

UUID = "00000000-0000-0000-0000-00000000000a"
# What can be a segment of a rule, and texts that it matches.
SEGMENTS = {
    "a": ["a"],
    "b": ["b"],
    "1": ["1"],
    "<{}>": ["a", "x", "1", "1.5", UUID],
    "<int:{}>": ["1", "12"],
    "<uuid:{}>": [UUID],
    "<float:{}>": ["1.5"],
    "<any(a, b):{}>": ["a", "b"],
    "<string(length=2):{}>": ["ab", "12"],
    "<int(min=2):{}>": ["12"],
    "v<int:{}>": ["v1"],
    "<path:{}>": ["a", "a/b", "1/x/y"],
}


def flask_app(rules: Iterable[Written]) -> Flask:
    """An app with these rules; the endpoint of each is its number."""
    app = Flask("shop", static_folder=None)
    for number, (rule, methods, strict) in enumerate(rules):
        app.add_url_rule(rule, str(number), lambda **values: "", methods=sorted(methods), strict_slashes=strict)
    return app


def served_by(app: Flask, method: str, path: str) -> Rule | str:
    """The rule that answers, "redirect", or "none"."""
    try:
        rule, _ = app.url_map.bind("localhost").match(path, method=method, return_rule=True)
    except RequestRedirect:
        return "redirect"
    except HTTPException:
        return "none"
    return rule


@st.composite
def rules(draw: st.DrawFn) -> Written:
    written = draw(st.lists(st.sampled_from(sorted(SEGMENTS)), max_size=3))
    parts = [part.format(f"p{at}") for at, part in enumerate(written)]
    path = "/" + "/".join(parts) + ("/" if parts and draw(st.integers(0, 3)) == 0 else "")
    methods = draw(st.sampled_from(["GET", "GET", "POST", "GET POST", "PUT DELETE"]))
    return path, frozenset(methods.split()), draw(st.integers(0, 4)) > 0


@st.composite
def paths(draw: st.DrawFn, rule: str) -> str:
    """A path that ``rule`` matches, or nearly."""
    path = rule
    for written, texts in SEGMENTS.items():
        for at in range(3):
            path = path.replace(written.format(f"p{at}"), draw(st.sampled_from(texts))) if "{" in written else path
    return draw(st.sampled_from([path, path, path, path.rstrip("/") + "/", path.rstrip("/") or "/"]))
