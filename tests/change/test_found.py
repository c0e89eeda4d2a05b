from __future__ import annotations

from pathlib import Path

import pytest

from gateway.change.found import find
from gateway.config.loader import digest_of
from gateway.config.problem import ConfigError
from tests.change.shop import ROUTES


def test_a_good_file(tmp_path: Path) -> None:
    (tmp_path / "routes.yaml").write_bytes(ROUTES.encode())
    found = find(tmp_path / "routes.yaml")
    assert found.loaded is not None
    assert (found.content, found.digest, found.problems) == (ROUTES.encode(), found.loaded.digest, ())


def test_a_bad_file(tmp_path: Path) -> None:
    (tmp_path / "routes.yaml").write_text("version: 2\n")
    found = find(tmp_path / "routes.yaml")
    assert found.loaded is None
    assert found.digest == digest_of(b"version: 2\n")
    assert found.problems


def test_no_file(tmp_path: Path) -> None:
    found = find(tmp_path / "routes.yaml")
    assert (found.content, found.loaded, found.digest) == (None, None, "")
    assert list(map(str, found.problems)) == ["routes.yaml: no such file"]


def test_variables_that_are_not_set_here_are_no_mistake(tmp_path: Path) -> None:
    text = ROUTES.replace("legacy:app", "${NOBODY_HAS_SET_THIS}") + "override: {secret: '${NOR_THIS}'}\n"
    (tmp_path / "routes.yaml").write_text(text)
    assert find(tmp_path / "routes.yaml").loaded is not None


def test_what_is_no_file_cannot_be_changed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a directory"):
        find(tmp_path)


def test_what_cannot_be_looked_up_cannot_be_changed(tmp_path: Path) -> None:
    """As in a folder that this user may not enter, which root can."""
    with pytest.raises(ConfigError, match="cannot be read: File name too long"):
        find(tmp_path / ("routes" * 50))
