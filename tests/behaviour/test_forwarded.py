"""Who the client is, as a remote app is told, in the style that routes.yaml asks for."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from benchmarks.wire.app import ScriptedApp
from tests.behaviour.process import GatewayProcess

FORWARDED = b'Forwarded: for=203.0.113.9;host="shop.example:8000";proto=https'
X_FORWARDED = [
    b"X-Forwarded-For: 203.0.113.9",
    b"X-Forwarded-Host: shop.example:8000",
    b"X-Forwarded-Port: 8000",
    b"X-Forwarded-Proto: https",
]


@pytest.mark.parametrize(("style", "told"), [("forwarded", [FORWARDED]), ("both", [*X_FORWARDED, FORWARDED])])
def test_the_app_is_told_in_the_style_that_is_asked_for(tmp_path: Path, style: str, told: list[bytes]) -> None:
    with ScriptedApp({}, frozenset()) as app:
        (tmp_path / "routes.yaml").write_text(
            "version: 1\n"
            f'backends: {{legacy: {{url: "http://127.0.0.1:{app.address[1]}"}}}}\n'
            "default: legacy\n"
            f"forwarded: {style}\n"
            "trusted_proxies: [127.0.0.1]\n"
        )
        with GatewayProcess(tmp_path / "routes.yaml", cwd=tmp_path) as gateway:
            said = {
                "Host": "shop.example:8000",
                "X-Forwarded-For": "203.0.113.9",
                "X-Forwarded-Proto": "https",
                # A proxy that writes the one may pass on the other from anybody.
                "Forwarded": "for=6.6.6.6;proto=http",
                "X-Request-Id": "0af7-65",
            }
            assert httpx.get(gateway.url + "/probe/told", headers=said, verify=False).text == "ok"
        [asked] = app.asked("told")
    assert b"\r\nX-Request-Id: 0af7-65\r\n" in asked
    assert [line for line in asked.split(b"\r\n") if b"forwarded" in line.lower()] == told
