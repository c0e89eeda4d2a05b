from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gateway.backends.search_path import look_beside


def test_the_current_folder_goes_before_the_one_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["/lib"])
    look_beside("project/routes.yaml")
    look_beside(Path("project/routes.yaml"))
    assert sys.path == [str(tmp_path), str(tmp_path / "project"), "/lib"]


def test_a_link_is_beside_what_is_beside_the_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kubernetes mounts routes.yaml as a link into a folder that is replaced at every change."""
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "routes.yaml").touch()
    (tmp_path / "routes.yaml").symlink_to("..data/routes.yaml")
    monkeypatch.setattr(sys, "path", [])
    look_beside(tmp_path / "routes.yaml")
    assert str(tmp_path) in sys.path
    assert str(tmp_path / "..data") not in sys.path
