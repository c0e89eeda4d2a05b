"""The third party that the bookshop asks for exchange rates: slow by design, and a process of its own.

    python -m legacy_flask.third_party [--port 8090] [--delay 0.2]

It stands in for a service that the team does not own. Standard library only, on loopback only.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from types import FrameType

RATES = {
    "base": "EUR",
    "date": "2026-01-02",
    "rates": {"CHF": 0.9312, "DKK": 7.4689, "GBP": 0.8726, "JPY": 183.64, "SEK": 10.982, "USD": 1.1721},
}


class RatesServer(ThreadingTCPServer):
    """Answers GET /rates after `delay` seconds, each request in its own thread."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024  # a thousand slow requests at once are what it is here for

    def __init__(self, port: int, delay: float) -> None:
        self.delay = delay
        super().__init__(("127.0.0.1", port), RatesHandler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class RatesHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: RatesServer

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/rates":
            self.send_error(404)
            return
        time.sleep(self.server.delay)
        body = json.dumps(RATES).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing: a line for each request would bury the output of what it runs beside."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m legacy_flask.third_party", description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8090, help="0 takes any free port (default: 8090)")
    parser.add_argument("--delay", type=float, default=0.2, help="seconds before each answer (default: 0.2)")
    options = parser.parse_args(arguments)

    signal.signal(signal.SIGTERM, _stop)
    try:
        server = RatesServer(options.port, options.delay)
    except OSError as error:
        sys.stderr.write(f"Cannot listen on 127.0.0.1:{options.port}: {error.strerror}\n")
        return 1
    with server:
        sys.stdout.write(f"Exchange rates at {server.url}/rates\n")
        sys.stdout.flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


def _stop(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
