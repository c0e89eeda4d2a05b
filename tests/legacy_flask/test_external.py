from __future__ import annotations

import socket
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer
from threading import Thread

import pytest

from legacy_flask.third_party import RATES

from .conftest import MakeApp, Rates

NO_USE = "The exchange-rate service gave an answer we cannot use."


def test_rates(make_app: MakeApp, rates: Rates) -> None:
    with rates() as url:
        response = make_app(THIRD_PARTY_URL=url).test_client().get("/external-data")
    assert (response.status_code, response.json) == (200, RATES)


def test_too_slow(make_app: MakeApp, rates: Rates) -> None:
    with rates(delay=1.0) as url:
        app = make_app(THIRD_PARTY_URL=url, THIRD_PARTY_TIMEOUT=0.05)
        response = app.test_client().get("/external-data")
    assert response.status_code == 504
    assert response.json == {"error": "The exchange-rate service did not answer in time.", "status": 504}


def test_away(make_app: MakeApp) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))  # taken, and nobody listens
        url = f"http://127.0.0.1:{unheard.getsockname()[1]}"
        response = make_app(THIRD_PARTY_URL=url).test_client().get("/external-data")
    assert response.status_code == 502
    assert response.json == {"error": "The exchange-rate service cannot be reached.", "status": 502}


def test_error_status(make_app: MakeApp, rates: Rates) -> None:
    with rates() as url:
        response = make_app(THIRD_PARTY_URL=f"{url}/nowhere").test_client().get("/external-data")
    assert (response.status_code, response.json) == (502, {"error": NO_USE, "status": 502})


@pytest.mark.parametrize("body", [b"hello", b"[]", b"null", b'{"base": "EUR"}', b"\xff", b""])
def test_nonsense(make_app: MakeApp, body: bytes) -> None:
    class Nonsense(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + body)

        def log_message(self, *args: object) -> None:
            pass

    with TCPServer(("127.0.0.1", 0), Nonsense) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        response = make_app(THIRD_PARTY_URL=url).test_client().get("/external-data")
        thread.join()
    assert (response.status_code, response.json) == (502, {"error": NO_USE, "status": 502})


def test_the_proxy_for_the_outside_world_is_not_asked(
    make_app: MakeApp, rates: Rates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with rates() as url:
        assert make_app(THIRD_PARTY_URL=url).test_client().get("/external-data").status_code == 200
