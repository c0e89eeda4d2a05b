"""Apps whose health a test decides on, and a gateway before them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.behaviour.process import GatewayProcess


class App:
    """Answers its name, and on /healthz what the test wants: a status, or nothing for a while."""

    def __init__(self, name: str, port: int = 0) -> None:
        self.name = name
        self.health = 200
        self.status = 200
        self.hangs = False
        self.checks = 0
        self.user_agent = ""
        self._server: ThreadingHTTPServer | None = None
        self.port = port
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """On the port that it had before."""
        app = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                app.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            # Kept connections end when the test's process does.
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *_: object) -> None:
                # A check that was not answered in time has gone.
                pass

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Nobody can connect any more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        status, body = self.status, self.name.encode()
        if request.path == "/healthz":
            self.checks += 1
            self.user_agent = request.headers["user-agent"]
            if self.hangs:
                time.sleep(1)
            status, body = self.health, b"health"
        request.send_response(status)
        request.send_header("content-length", str(len(body)))
        if status in (301, 302):
            request.send_header("location", "/elsewhere")
        if self._server is None:
            request.close_connection = True
        request.end_headers()
        request.wfile.write(body)


@contextmanager
def apps(*names: str) -> Iterator[list[App]]:
    with ExitStack() as stack:
        made = []
        for name in names:
            app = App(name)
            stack.callback(app.stop)
            made.append(app)
        yield made


HEALTH = "{path: /healthz, every: 0.1, timeout: 0.3, healthy_after: 2, unhealthy_after: 2}"


def routes_of(**backends: str) -> str:
    """A routes.yaml with these backends, each at the path of its name; the first takes all other requests."""
    lines = ["version: 1", f"default: {next(iter(backends))}", "backends:"]
    lines += [f"  {name}: {{{setting}}}" for name, setting in backends.items()]
    lines += ["routes:", *(f"  - {{path: /{name}, to: {name}}}" for name in backends), ""]
    return "\n".join(lines)


def urls(*made: App) -> str:
    return "urls: " + json.dumps([app.url for app in made])


@contextmanager
def gateway(folder: Path, routes: str, workers: int = 1) -> Iterator[GatewayProcess]:
    (folder / "routes.yaml").write_text(routes)
    with GatewayProcess(folder / "routes.yaml", workers=workers, cwd=folder) as process:
        yield process


def samples(process: GatewayProcess, name: str) -> dict[tuple[str, ...], float]:
    """Values by backend, address and what other labels there are, in the order of their names."""
    found: dict[tuple[str, ...], float] = {}
    for family in text_string_to_metric_families(process.ask("/metrics").text):
        for sample in family.samples:
            if sample.name == name:
                labels = dict(sample.labels)
                first = (labels.pop("backend"), labels.pop("address"))
                found[*first, *(labels[key] for key in sorted(labels))] = sample.value
    return found
