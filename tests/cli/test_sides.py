from __future__ import annotations

import pytest

from gateway.cli.sides import AppProblem, Side, from_file, legacy_name, new_name, side
from gateway.config.loader import load_text
from gateway.config.model import Config


def config(backends: str, default: str = "legacy") -> Config:
    return load_text(f"version: 1\nbackends: {{{backends}}}\ndefault: {default}\n").config


THREE = config("legacy: {app: 'a:b'}, fresh: {app: 'c:d'}, far: {url: 'http://h:1'}")


def test_an_app_an_address_or_both() -> None:
    assert side("new", None, None) is None
    assert side("new", "a:b", None) == Side("--new", "a:b", None)
    assert side("new", None, "http://h:1/doc.json") == Side("--new-url", None, "http://h:1/doc.json")
    both = side("new", "a:b", "http://h:1/doc.json")
    assert both is not None
    assert (both.flag, both.address) == ("--new", "http://h:1")
    with pytest.raises(AppProblem, match="--new-url: 'h:1' is not an address"):
        side("new", None, "h:1")


def test_the_old_app_is_the_one_called_so_or_the_default() -> None:
    assert legacy_name(THREE) == "legacy"
    assert legacy_name(config("legacy: {app: 'a:b'}, new: {app: 'c:d'}", "new")) == "legacy"
    assert legacy_name(config("old: {app: 'a:b'}, fresh: {app: 'c:d'}", "old")) == "old"


def test_the_new_app_is_the_one_with_that_address_or_the_only_other() -> None:
    assert new_name(THREE, "legacy", "c:d") == "fresh"
    assert new_name(THREE, "legacy", "http://h:1") == "far"
    assert new_name(THREE, "legacy", None) is None
    assert new_name(config("legacy: {app: 'a:b'}, fresh: {app: 'c:d'}"), "legacy", None) == "fresh"
    assert new_name(config("legacy: {app: 'a:b'}, x: {app: 'c:d'}, new: {app: 'e:f'}"), "legacy", None) == "new"


def test_what_the_file_knows() -> None:
    assert from_file(None, THREE, "fresh") == Side("backend 'fresh'", "c:d", None)
    assert from_file(None, THREE, "far") == Side("backend 'far'", None, "http://h:1")
    assert from_file(None, THREE, None) is None
    given = Side("--new", "x:y", None)
    assert from_file(given, THREE, "fresh") is given
    url = Side("--new-url", None, "http://h:2")
    assert from_file(url, THREE, "fresh") == Side("backend 'fresh'", "c:d", "http://h:2")
