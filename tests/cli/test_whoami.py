from __future__ import annotations

import os
import pwd

import pytest

from gateway.cli.whoami import whoami


def test_the_login_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert whoami() == pwd.getpwuid(os.geteuid()).pw_name


def test_under_sudo_the_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "mia")
    assert whoami() == "mia"
