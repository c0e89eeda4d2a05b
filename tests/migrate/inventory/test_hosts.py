from __future__ import annotations

import pytest

from gateway.migrate.inventory.endpoint import Parameter
from gateway.migrate.inventory.hosts import build_host
from gateway.migrate.inventory.segments import Unroutable

T = Parameter("tenant")


@pytest.mark.parametrize(
    ("parts", "host", "exact"),
    [
        (["Shop.example.com"], "shop.example.com", True),
        (["shop.example.com:8000"], "shop.example.com", True),
        (["[::1]"], "[::1]", True),
        ([T, ".example.com"], "*.example.com", False),
        ([T, ".example.com:8000"], "*.example.com", False),
        (["api-", T, ".example.com"], "*.example.com", False),
        ([T, ".", T, ".example.com"], "*.example.com", False),
        ([T], None, False),
        (["shop.", T], None, False),
        ([T, "shop"], None, False),
    ],
)
def test_hosts(parts: list[str | Parameter], host: str | None, exact: bool) -> None:
    found, notes = build_host(parts)
    assert (found, not notes) == (host, exact)


@pytest.mark.parametrize("host", ["a b", "*", "größe.example"])
def test_what_is_no_host(host: str) -> None:
    with pytest.raises(Unroutable):
        build_host([host])
