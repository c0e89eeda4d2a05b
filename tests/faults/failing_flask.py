"""The legacy backend for a worker's own process: it fails in the way that a request names, outside of Flask."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from wsgiref.types import StartResponse, WSGIEnvironment

from tests.faults import flask_app

# Longer than the gateway of these tests waits. Nobody can end a thread, so each hangs no longer than it must.
LATE = 1.5


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    match environ.get("HTTP_X_FAULT", ""):
        case "hang before head":
            time.sleep(LATE)
        case "fail before head":
            raise RuntimeError("no answer of mine")
        case "no answer":
            return []
        case "":
            pass
        case fault:
            return _half(flask_app.app(environ, start_response), fault)
    return flask_app.app(environ, start_response)


def _half(answer: Iterable[bytes], fault: str) -> Iterator[bytes]:
    """Of the body what does not suffice."""
    for part in answer:
        yield part[:-5]
        if fault == "hang mid body":
            time.sleep(LATE)
        elif fault == "fail mid body":
            raise RuntimeError("no more of mine")
        else:
            return
        yield part[-5:]
