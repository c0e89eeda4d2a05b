from __future__ import annotations

from pathlib import Path

import pytest

from gateway.control.options import Options

OPTIONS = Options(
    routes=Path("/srv/my app/routes.yaml"),
    number=3,
    listeners=(5, 6),
    lifeline=-1,
    runtime=Path("/run/gateway"),
    slots=Path("/run/gateway/numbers-7"),
    last_good="",
    drain_timeout=25,
    access_log="/var/log/my gateway/access.log",
    access_log_format="json",
    access_log_descriptor=-1,
)


def test_a_worker_gets_what_it_was_meant_to_get() -> None:
    assert Options.parse(OPTIONS.arguments()) == OPTIONS


def test_nothing_may_be_left_out() -> None:
    with pytest.raises(SystemExit):
        Options.parse(OPTIONS.arguments()[:-1])
