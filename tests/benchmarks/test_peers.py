from __future__ import annotations

import sys
from contextlib import nullcontext

import pytest

from benchmarks.load import Address
from benchmarks.peers.gateway import ROUTES, routes_text
from benchmarks.peers.peer import Peer, present
from benchmarks.server import Server
from gateway.config.loader import load_text


def _serve(upstream: Address) -> nullcontext[Server]:
    return nullcontext(Server("none", 0, upstream))


def test_the_gateway_has_a_hundred_routes_each_with_a_sticky_split() -> None:
    config = load_text(routes_text(("127.0.0.1", 5000))).config
    assert len(config.routes) == ROUTES == 100
    assert all(len(route.weights) == 2 and route.sticky == "cookie" for route in config.routes)
    assert config.backends["new"].url == config.backends["legacy"].url == "http://127.0.0.1:5000"


def test_who_is_not_installed_is_left_out_and_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    here = Peer("here", _serve, program=sys.executable)
    peers = [Peer("no-program", _serve, program="no-such-program"), Peer("no-module", _serve, modules=("no_such",))]
    assert present([*peers, here]) == [here]
    out = capsys.readouterr().out
    assert "no-program is left out: no-such-program is not installed" in out
    assert "no-module is left out: no_such is not installed" in out


def test_a_title_has_the_version_that_the_program_tells() -> None:
    version = ".".join(map(str, sys.version_info[:3]))
    assert Peer("Python", _serve, program=sys.executable).title() == f"Python {version}"
