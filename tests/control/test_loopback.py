from __future__ import annotations

import pytest

from gateway.control.loopback import is_loopback


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost:8001", "localhost.", "127.0.0.1", "127.0.0.1:8001", "127.9.9.9", "[::1]", "[::1]:80"],
)
def test_loopback_names_and_addresses_are_ours(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "0.0.0.0",
        "::1",
        "[::1].evil.example",
        "[::1",
    ],
)
def test_everything_else_is_not(host: str) -> None:
    assert not is_loopback(host)
