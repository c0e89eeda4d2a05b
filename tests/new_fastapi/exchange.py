"""One request, sent to either app without a network and without a client that tidies it up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from urllib.parse import unquote, unquote_to_bytes

import flask
from starlette.types import ASGIApp, Message
from werkzeug.test import create_environ, run_wsgi_app

from tests.new_fastapi.conftest import Apps


@dataclass(frozen=True)
class Ask:
    """``target`` is path and query as on the wire."""

    method: str
    target: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """Header names are in lower case; a field that came twice is joined by newlines."""

    status: int
    headers: dict[str, str]
    body: bytes


AGENT = "tests"


def ask_legacy(app: flask.Flask, ask: Ask) -> Answer:
    path, _, query = ask.target.partition("?")
    environ = create_environ(
        method=ask.method,
        base_url="http://shop.test",
        input_stream=BytesIO(ask.body),
        headers={"User-Agent": AGENT, "Content-Length": str(len(ask.body)), **ask.headers},
    )
    environ["REMOTE_ADDR"] = "192.0.2.1"
    environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")
    environ["QUERY_STRING"] = query.encode().decode("latin-1")
    body, status, headers = run_wsgi_app(app, environ, buffered=True)
    return Answer(int(status.partition(" ")[0]), _joined(headers), b"".join(body))


async def ask_new(app: ASGIApp, state: Mapping[str, object], ask: Ask) -> Answer:
    path, _, query = ask.target.partition("?")
    headers = {"Host": "shop.test", "User-Agent": AGENT, "Content-Length": str(len(ask.body)), **ask.headers}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": ask.method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("192.0.2.1", 50_000),
        "server": ("shop.test", 80),
        "state": dict(state),
    }
    sent: list[Message] = []
    unread = [ask.body]

    async def receive() -> Message:
        if not unread:
            await asyncio.Event().wait()  # the client stays until it has its answer
        return {"type": "http.request", "body": unread.pop(), "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    try:
        await app(scope, receive, send)
    except Exception:
        # After the 500 has been sent, the error goes on to the server, for its log.
        if not sent or sent[0]["status"] != 500:
            raise
    start, *rest = sent
    raw = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]]
    return Answer(start["status"], _joined(raw), b"".join(message.get("body", b"") for message in rest))


async def ask_both(apps: Apps, ask: Ask) -> tuple[Answer, Answer]:
    return ask_legacy(apps.legacy, ask), await ask_new(apps.new, apps.state, ask)


def _joined(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    result: dict[str, str] = {}
    for name, value in fields:
        name = name.lower()
        result[name] = f"{result[name]}\n{value}" if name in result else value
    return result
