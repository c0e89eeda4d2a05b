from __future__ import annotations

import pytest

from gateway.config.loader import load_text
from gateway.migrate.lint.placed import listed_shortly, placed, unsafe
from tests.migrate.lint.shop import HEAD

ROUTES = """\
routes:
  - {path: "/{x}", to: {legacy: 75, new: 25}, compat: [head]}
  - {path: /a, to: legacy, sticky: ip}
"""


def test_routes_in_the_order_of_the_file() -> None:
    first, second = placed(load_text(HEAD + ROUTES).config, "new", "legacy")
    assert (first.path, first.place, first.share, first.split, first.sticky) == (("routes", 0), 1, 2500, True, "cookie")
    assert (second.path, second.place, second.share, second.split, second.sticky) == (("routes", 1), 0, 0, False, "ip")
    assert (first.compat, first.sends_to("legacy"), second.sends_to("new")) == (("head",), True, False)


@pytest.mark.parametrize(("default", "share"), [("new", 10_000), ("other", 0)])
def test_a_default_that_is_not_the_old_app(default: str, share: int) -> None:
    head = HEAD.replace("{legacy:", '{other: {app: "x:app"}, legacy:').replace("default: legacy", f"default: {default}")
    last = placed(load_text(head + ROUTES).config, "new", "legacy")[-1]
    assert (last.label, last.path, last.place, last.share) == ("default", ("default",), 2, share)


@pytest.mark.parametrize(
    ("names", "expected"),
    [(["a"], "a"), (["a", "b", "a", "c"], "a, b, c"), (list("abcde"), "a, b, c and 2 more")],
)
def test_names(names: list[str], expected: str) -> None:
    assert listed_shortly(names) == expected


def test_unsafe_methods() -> None:
    assert unsafe({"", "GET", "HEAD", "OPTIONS", "POST", "DELETE"}) == ["DELETE", "POST"]
