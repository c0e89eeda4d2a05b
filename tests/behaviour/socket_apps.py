"""A FastAPI app full of WebSockets, called by a gateway and served by uvicorn behind the same gateway."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.behaviour.process import GatewayProcess
from tests.behaviour.remote_apps import serving

APP = """
import asyncio, contextlib, os, pathlib
from fastapi import FastAPI, Response, WebSocket, WebSocketDisconnect

marks = pathlib.Path(__file__).with_name("marks")
marks.mkdir(exist_ok=True)
app = FastAPI()

def mark(name, text):
    (marks / name).write_text(text)

@app.websocket("/echo")
async def echo(websocket: WebSocket, name: str = ""):
    await websocket.accept()
    try:
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message["code"], message.get("reason"))
            if "text" in message:
                await websocket.send_text(message["text"])
            else:
                await websocket.send_bytes(message["bytes"])
    except WebSocketDisconnect as left:
        if name:
            mark(name, f"{left.code} {left.reason or ''}")

@app.websocket("/handshake")
async def handshake(websocket: WebSocket):
    wanted = [name for name in websocket.scope["subprotocols"] if name == "v2"]
    await websocket.accept(wanted[0] if wanted else None, [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")])
    headers = [[name.decode(), value.decode()] for name, value in websocket.headers.raw]
    offered = websocket.scope["subprotocols"]
    await websocket.send_json({"url": str(websocket.url), "offered": offered, "headers": headers})
    await websocket.close()

@app.websocket("/refuse")
async def refuse(websocket: WebSocket):
    await websocket.send_denial_response(Response("not you", 401, {"WWW-Authenticate": "Basic", "Set-Cookie": "c=3"}))

@app.websocket("/closed-at-once")
async def closed_at_once(websocket: WebSocket):
    await websocket.close()

@app.websocket("/close")
async def close(websocket: WebSocket, code: int, reason: str = ""):
    await websocket.accept()
    await websocket.send_text("last words")
    await websocket.close(code, reason)

@app.websocket("/fail")
async def fail(websocket: WebSocket):
    await websocket.accept()
    raise ValueError("of the app")

@app.websocket("/late")
async def late(websocket: WebSocket):
    await asyncio.sleep(1)
    await websocket.accept()

@app.websocket("/flood")
async def flood(websocket: WebSocket, size: int, count: int, name: str):
    await websocket.accept()
    message = os.urandom(1024) * (size // 1024)
    for number in range(count):
        await websocket.send_bytes(message)
        mark(name, str(number + 1))
    await websocket.close()

@app.websocket("/sink")
async def sink(websocket: WebSocket, wait: float, name: str):
    await websocket.accept()
    await asyncio.sleep(wait)
    total = 0
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            total += len(await websocket.receive_bytes())
            mark(name, str(total))

"""

# uvicorn's own limit is as long as ours; each hop compresses, or does not, as it likes.
UVICORN = ("uvicorn", "sockets:app", "--fd", "{fd}", "--log-level", "error")

# The header X-Gateway-Backend chooses.
ROUTES = """\
version: 1
backends:
  embedded: {app: "sockets:app"}
  remote: {url: "http://127.0.0.1:{port}"}
  hasty: {url: "http://127.0.0.1:{port}", timeouts: {head: 0.3, idle: 0.4}}
  gone: {url: "http://127.0.0.1:9"}
default: embedded
override: {allow: ["127.0.0.1"]}
websockets: {grace: 0.4}
routes: []
"""


class Sockets:
    """The running processes. ``process`` is the remote app's."""

    def __init__(self, folder: Path, port: int, process: subprocess.Popen[bytes], gateway: GatewayProcess) -> None:
        self.folder = folder
        self.port = port
        self.process = process
        self.gateway = gateway
        self.host = gateway.url.partition("//")[2]

    def url(self, path: str) -> str:
        return f"ws://{self.host}{path}"

    def marked(self, name: str) -> str:
        """What the app has written down under this name."""
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / "marks" / name).read_text()
        return ""


@contextmanager
def sockets(folder: Path, routes: str = ROUTES) -> Iterator[Sockets]:
    """The app under uvicorn, and a gateway that runs it too; ``routes`` has ``{port}`` for the port of the former."""
    (folder / "sockets.py").write_text(APP)
    with serving(folder, *UVICORN) as (port, process):
        path = folder / "routes.yaml"
        path.write_text(routes.replace("{port}", str(port)))
        with GatewayProcess(path, cwd=folder) as gateway:
            yield Sockets(folder, port, process, gateway)
