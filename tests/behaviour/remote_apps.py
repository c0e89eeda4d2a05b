"""A Flask app under gunicorn and a FastAPI app under uvicorn, each as a real process, and a gateway before them."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.behaviour.process import GatewayProcess, environment

APPS = """
import asyncio, hashlib, os, pathlib, time
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from flask import Flask, jsonify, redirect, request, url_for
from flask import Response as FlaskResponse

marks = pathlib.Path(__file__).with_name("marks")
marks.mkdir(exist_ok=True)

legacy = Flask(__name__)

@legacy.route("/echo", methods=["GET", "POST", "PUT"])
def echo():
    answer = jsonify(app="legacy", pid=os.getpid(), method=request.method, url=request.url,
                     headers=[[name.lower(), value] for name, value in request.headers],
                     size=len(request.get_data()), length=request.content_length)
    answer.set_cookie("one", "1")
    answer.set_cookie("two", "2", httponly=True)
    return answer

@legacy.post("/digest")
def digest():
    found = hashlib.sha256()
    while part := request.stream.read(1 << 16):
        found.update(part)
    return found.hexdigest()

@legacy.get("/zeros/<int:megabytes>")
def zeros(megabytes):
    return FlaskResponse((bytes(1 << 20) for _ in range(megabytes)), mimetype="application/octet-stream")

@legacy.get("/tagged")
def tagged():
    answer = FlaskResponse("tagged")
    answer.set_etag("v1")
    return answer.make_conditional(request)

@legacy.get("/slow")
def slow():
    time.sleep(float(request.args["s"]))
    return "slow"

@legacy.get("/leak")
def leak():
    return redirect(os.environ["OWN"] + "/echo?x=1")

new = FastAPI()

@new.api_route("/echo", methods=["GET", "POST", "PUT"])
async def new_echo(request: Request):
    body = await request.body()
    headers = [[name.decode(), value.decode("latin-1")] for name, value in request.headers.raw]
    answer = JSONResponse({"app": "new", "pid": os.getpid(), "method": request.method, "url": str(request.url),
                           "headers": headers, "size": len(body)})
    answer.set_cookie("one", "1")
    answer.set_cookie("two", "2", httponly=True)
    return answer

@new.post("/digest")
async def new_digest(request: Request):
    found = hashlib.sha256()
    async for part in request.stream():
        found.update(part)
    return Response(found.hexdigest())

@new.post("/refuse")
async def refuse():
    return Response("too large", status_code=413)

@new.get("/zeros/{megabytes}")
async def new_zeros(megabytes: int):
    async def parts():
        for _ in range(megabytes):
            yield bytes(1 << 20)
    return StreamingResponse(parts())

@new.get("/events")
async def events(request: Request, name: str):
    async def parts():
        try:
            for number in range(1000):
                yield f"data: {number}\\n\\n"
                await asyncio.sleep(0.1)
        finally:
            (marks / name).touch()
    return StreamingResponse(parts(), media_type="text/event-stream")

@new.get("/think")
async def think(request: Request, name: str):
    while not await request.is_disconnected():
        await asyncio.sleep(0.02)
    (marks / name).touch()
    return "nobody reads this"

@new.get("/breaks")
async def breaks():
    async def parts():
        yield b"begin"
        await asyncio.sleep(0.05)
        raise ValueError("in the middle")
    return StreamingResponse(parts(), headers={"content-length": "100"})
"""


@contextmanager
def serving(folder: Path, *command: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Run a server on a port of the system's choice; ``{fd}`` in ``command`` is the listening socket's number."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener, tempfile.TemporaryFile() as log:
        port = listener.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", *(word.format(fd=listener.fileno()) for word in command)],
            pass_fds=[listener.fileno()],
            cwd=folder,
            # gunicorn leaves a socket at home.
            env=environment({"OWN": f"http://127.0.0.1:{port}", "HOME": str(folder)}),
            stdout=log,
            stderr=log,
        )
        try:
            _wait_until_it_answers(port, process)
            yield port, process
        except BaseException as error:
            log.seek(0)
            error.add_note(f"{command[0]}'s log:\n{log.read().decode(errors='replace')}")
            raise
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)


def _wait_until_it_answers(port: int, process: subprocess.Popen[bytes]) -> None:
    # The socket listens already: the connection waits until the server takes it.
    with socket.create_connection(("127.0.0.1", port), timeout=15) as connection:
        connection.sendall(b"GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert connection.recv(1), "closed without an answer"
    assert process.poll() is None


GUNICORN = ("gunicorn", "apps:legacy", "--bind", "fd://{fd}", "--threads", "4")
UVICORN = ("uvicorn", "apps:new", "--fd", "{fd}", "--log-level", "warning")


class Stage:
    """The running processes. ``url`` is the gateway's."""

    def __init__(self, folder: Path, legacy: int, new: int, gateway: GatewayProcess) -> None:
        self.folder = folder
        self.legacy = legacy
        self.new = new
        self.gateway = gateway
        self.url = gateway.url

    def left(self, name: str) -> bool:
        """Whether the app has seen that the client of the request with this name has gone."""
        return (self.folder / "marks" / name).exists()


# The header X-Gateway-Backend chooses: see `to` below.
ROUTES = """\
version: 1
backends:
  legacy: {url: "http://127.0.0.1:{legacy}", timeouts: {head: 0.6}}
  new: {url: "http://127.0.0.1:{new}"}
  gone: {url: "http://127.0.0.1:9"}
default: legacy
override: {allow: ["127.0.0.1"]}
routes: []
"""


def to(backend: str) -> dict[str, str]:
    return {"X-Gateway-Backend": backend}


@contextmanager
def stage(folder: Path, routes: str = ROUTES) -> Iterator[Stage]:
    """Both servers and a gateway; ``routes`` has ``{legacy}`` and ``{new}`` for the ports."""
    (folder / "apps.py").write_text(APPS)
    with serving(folder, *GUNICORN) as (legacy, _), serving(folder, *UVICORN) as (new, _):
        path = folder / "routes.yaml"
        path.write_text(routes.replace("{legacy}", str(legacy)).replace("{new}", str(new)))
        with GatewayProcess(path, cwd=folder) as gateway:
            yield Stage(folder, legacy, new, gateway)
