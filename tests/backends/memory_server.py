"""A server process of its own, to see what large bodies cost it: ``python -m tests.backends.memory_server``.

Prints its port. Serves until its standard input is closed.
"""

from __future__ import annotations

import gc
import hashlib
import resource
import sys
from collections.abc import Iterator
from typing import Any

import flask

from gateway.backends.wsgi import WsgiApp
from tests.backends.serving import serving

app = flask.Flask(__name__)


@app.get("/peak")
def peak() -> str:
    """The most memory that the process has ever held, in KiB."""
    gc.collect()
    return str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


@app.post("/stream")
def stream() -> Any:
    digest = hashlib.sha256()
    while chunk := flask.request.stream.read(65536):
        digest.update(chunk)
    return digest.hexdigest()


@app.post("/form")
def form() -> Any:
    digest = hashlib.sha256()
    file = flask.request.files["file"]
    while chunk := file.stream.read(65536):
        digest.update(chunk)
    return digest.hexdigest()


@app.get("/lines/<int:count>")
def lines(count: int) -> Any:
    def generate() -> Iterator[bytes]:
        line = b"x" * 99 + b"\n"
        for _ in range(count):
            yield line

    return flask.Response(generate(), mimetype="text/plain")


@app.get("/file")
def file() -> Any:
    return flask.send_file(flask.request.args["path"], "application/octet-stream")


def main() -> None:
    with serving(WsgiApp(app, threads=4)) as port:
        print(port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
