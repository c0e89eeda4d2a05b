from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from gateway.control.admin.origin import cross_site

JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    "headers",
    [
        JSON,
        {"content-type": "Application/JSON; charset=utf-8"},
        {"origin": "http://127.0.0.1:8001", **FORM},
        # TLS ends in front of us.
        {"origin": "https://127.0.0.1:8001", **FORM},
        {"sec-fetch-site": "same-origin", **FORM},
        {"sec-fetch-site": "same-origin", "origin": "http://127.0.0.1:8001", **JSON},
    ],
)
def test_our_own_pages_and_programs_may(headers: dict[str, str]) -> None:
    assert cross_site(Headers({"host": "127.0.0.1:8001", **headers})) is None


@pytest.mark.parametrize(
    "headers",
    [
        FORM,
        {},
        {"content-type": "text/plain"},
        {"origin": "http://evil.example", **JSON},
        {"origin": "null", **JSON},
        {"origin": "", **JSON},
        # Another program of this machine.
        {"origin": "http://127.0.0.1:3000", **JSON},
        {"origin": "http://127.0.0.1:8001.evil.example", **JSON},
        {"origin": "http://127.0.0.1:8001@evil.example", **JSON},
        {"sec-fetch-site": "cross-site", **JSON},
        {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:8001", **JSON},
    ],
)
def test_pages_of_other_sites_may_not(headers: dict[str, str]) -> None:
    assert cross_site(Headers({"host": "127.0.0.1:8001", **headers})) is not None
