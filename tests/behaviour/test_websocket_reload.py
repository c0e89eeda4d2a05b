"""WebSockets when the routes change, an app dies, or the gateway ends: with a gateway of their own."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from websockets.sync.client import ClientConnection

from tests.behaviour.probe import replace
from tests.behaviour.process import eventually
from tests.behaviour.socket_apps import ROUTES, sockets
from tests.behaviour.socket_clients import connect, direct, end_of


def test_reloads_the_death_of_an_app_and_the_end_of_the_gateway(tmp_path: Path) -> None:
    content = ROUTES.replace("routes: []", "routes:\n  - {path: /echo, to: TO}\n  - {path: /other, to: OTHER}\n")

    def routes(where: str, other: str) -> str:
        return content.replace("{port}", str(running.port)).replace("TO", where).replace("OTHER", other)

    def save(where: str, other: str, version: int) -> None:
        replace(gateway.routes, routes(where, other))
        eventually(lambda: gateway.ask("/readyz").json()["config"]["version"] == version)

    def echoes(websocket: ClientConnection) -> bool:
        websocket.send("hello")
        return websocket.recv(timeout=5) == "hello"

    with sockets(tmp_path, content.replace("TO", "embedded").replace("OTHER", "remote")) as running:
        gateway = running.gateway
        with direct(running, "/echo") as websocket:
            # Another route moves: this one stays.
            save("embedded", "embedded", version=2)
            time.sleep(0.6)
            assert echoes(websocket)
            # Its own moves: it goes on for the grace.
            save("remote", "embedded", version=3)
            assert echoes(websocket)
            assert end_of(websocket) == (1012, "the route has moved")
        with direct(running, "/echo?name=moved") as websocket:
            assert echoes(websocket)
            # And back, from a remote app to the one in the worker.
            save("embedded", "embedded", version=4)
            assert end_of(websocket) == (1012, "the route has moved")
        eventually(lambda: running.marked("moved") == "1012 the route has moved")
        # A shorter limit holds for what is opened from now on.
        replace(gateway.routes, gateway.routes.read_text().replace("grace: 0.4", "max_message: 1024"))
        eventually(lambda: gateway.ask("/readyz").json()["config"]["version"] == 5)
        for backend in ("embedded", "remote"):
            with connect(running, "/echo", backend) as websocket:
                websocket.send(b"x" * 1024)
                assert websocket.recv(timeout=5) == b"x" * 1024
                websocket.send(b"x" * 1025)
                assert end_of(websocket)[0] == 1009
        with direct(running, "/echo") as one, connect(running, "/echo", "remote") as two:
            assert echoes(two)
            running.process.kill()
            assert end_of(two) == (1011, "the application broke off the connection")
            gateway.signal(signal.SIGTERM)
            assert end_of(one) == (1012, "the server is restarting")
            assert gateway.wait() == 0
