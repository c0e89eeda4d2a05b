"""A Flask app behind the bridge, on a real server, with no change in the app."""

from __future__ import annotations

import asyncio
import contextvars
import http.client
import io
import json
import logging
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, TextIO, cast
from wsgiref.validate import validator

import flask
import pytest
from starlette.types import Receive, Scope, Send

from gateway.backends.wsgi import WsgiApp
from tests.backends.asgi import Client, http_scope
from tests.backends.serving import connected, exchange, read_all, serving

request_context: contextvars.ContextVar[str] = contextvars.ContextVar("request_context", default="unset")
calls: list[str] = []
torn_down = threading.Event()
event_seen = threading.Semaphore(0)


def make_app() -> flask.Flask:
    app = flask.Flask(__name__)
    app.secret_key = "for tests"

    @app.get("/books/<int:number>")
    def book(number: int) -> Any:
        return flask.jsonify(id=number, args=flask.request.args.to_dict())

    @app.get("/where/<path:rest>")
    def where(rest: str) -> Any:
        request = flask.request
        return flask.jsonify(
            rest=rest,
            url=request.url,
            external=flask.url_for("book", number=1, _external=True),
            internal=flask.url_for("book", number=1),
            remote=request.remote_addr,
            secure=request.is_secure,
            root=request.root_url,
        )

    @app.get("/redirect")
    def redirect() -> Any:
        return flask.redirect(flask.url_for("book", number=7))

    @app.get("/slash/")
    def slash() -> str:
        return "slash"

    @app.route("/session", methods=["GET", "POST"])
    def session() -> Any:
        if flask.request.method == "POST":
            flask.session["user"] = flask.request.form["user"]
            response = flask.make_response("", 204)
            response.set_cookie("one", "1")
            response.set_cookie("two", "2")
            return response
        return flask.jsonify(user=flask.session.get("user"), cookies=sorted(flask.request.cookies))

    @app.post("/json")
    def take_json() -> Any:
        return flask.jsonify(got=flask.request.get_json())

    @app.post("/upload")
    def upload() -> Any:
        file = flask.request.files["file"]
        return flask.jsonify(name=file.filename, size=len(file.read()), note=flask.request.form["note"])

    @app.post("/raw")
    def raw() -> Any:
        return flask.jsonify(size=len(flask.request.get_data()))

    @app.get("/generator")
    def generator() -> Any:
        def rows() -> Iterator[str]:
            for number in range(3000):
                yield f"{number},row\n"

        return flask.Response(rows(), mimetype="text/csv")

    @app.get("/events")
    def events() -> Any:
        def stream() -> Iterator[str]:
            for _ in range(3):
                yield f"data: {flask.request.args['q']}\n\n"
                assert event_seen.acquire(timeout=5)

        return flask.Response(flask.stream_with_context(stream()), mimetype="text/event-stream")

    @app.get("/file")
    def file() -> Any:
        return flask.send_file(io.BytesIO(bytes(range(256)) * 1000), "application/octet-stream", conditional=True)

    @app.get("/on-disk")
    def on_disk() -> Any:
        return flask.send_file(__file__, conditional=True)

    @app.get("/async")
    async def asynchronous() -> Any:
        await asyncio.sleep(0.001)
        return flask.jsonify(path=flask.request.path, context=request_context.get())

    @app.get("/context")
    def context() -> str:
        return request_context.get()

    @app.get("/error")
    def error() -> str:
        raise KeyError("a bug")

    @app.get("/log")
    def log() -> str:
        app.logger.error("an error of the app")
        return "logged"

    @app.get("/close")
    def close() -> Any:
        response = flask.Response("closing")
        response.call_on_close(lambda: calls.append("call_on_close"))
        return response

    @app.after_request
    def after(response: flask.Response) -> flask.Response:
        response.headers["X-After"] = "yes"
        return response

    @app.teardown_request
    def teardown(error: BaseException | None) -> None:
        calls.append(f"teardown {flask.request.path}")
        torn_down.set()

    return app


class Outer:
    """An ASGI middleware that says something through a context variable."""

    def __init__(self, app: WsgiApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_context.set("set outside")
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving(Outer(WsgiApp(make_app(), threads=4, name="flask"))) as port:
        yield port


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(port: int, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path, body, headers or {})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def test_a_json_view(port: int) -> None:
    answer = ask(port, "GET", "/books/7?a=1&b=%C3%A9")
    assert answer.json == {"id": 7, "args": {"a": "1", "b": "é"}}
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert answer.headers["X-After"] == "yes"


def test_head_and_options_as_flask_makes_them(port: int) -> None:
    head = ask(port, "HEAD", "/books/7")
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["Content-Length"]) > 0
    assert sorted(ask(port, "OPTIONS", "/books/7").headers["Allow"].split(", ")) == ["GET", "HEAD", "OPTIONS"]
    assert ask(port, "DELETE", "/books/7").status == 405
    assert ask(port, "GET", "/nothing").status == 404


def test_urls_are_those_of_the_client(port: int) -> None:
    answer = ask(port, "GET", "/where/caf%C3%A9/b?x=%20", headers={"Host": "shop.example:8080"})
    assert answer.json == {
        "rest": "café/b",
        "url": "http://shop.example:8080/where/café/b?x=%20",
        "external": "http://shop.example:8080/books/1",
        "internal": "/books/1",
        "remote": "127.0.0.1",
        "secure": False,
        "root": "http://shop.example:8080/",
    }


async def test_urls_below_a_prefix_and_behind_https() -> None:
    app = WsgiApp(make_app())
    client = await Client().call(
        app,
        http_scope(
            path="/shop/where/a%2Fb",
            root_path="/shop",
            scheme="https",
            client=("203.0.113.9", 0),
            server=None,
            headers=[(b"host", b"shop.example")],
        ),
    )
    await app.stop()
    assert json.loads(client.body) == {
        "rest": "a%2Fb",
        "url": "https://shop.example/shop/where/a%2Fb",
        "external": "https://shop.example/shop/books/1",
        "internal": "/shop/books/1",
        "remote": "203.0.113.9",
        "secure": True,
        "root": "https://shop.example/shop/",
    }


def test_redirects(port: int) -> None:
    assert ask(port, "GET", "/redirect").headers["Location"] == "/books/7"
    answer = ask(port, "GET", "/slash", headers={"Host": "shop.example"})
    assert (answer.status, answer.headers["Location"]) == (308, "http://shop.example/slash/")


def test_sessions_and_cookies(port: int) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    login = ask(port, "POST", "/session", "user=ada", form)
    assert login.status == 204
    assert "Content-Length" not in login.headers
    set_cookies = login.headers.get_all("Set-Cookie")
    assert set_cookies is not None
    pairs = [line.partition(";")[0] for line in set_cookies]
    assert [pair.partition("=")[0] for pair in pairs] == ["one", "two", "session"]
    seen = ask(port, "GET", "/session", headers={"Cookie": "; ".join(pairs)})
    assert seen.json == {"user": "ada", "cookies": ["one", "session", "two"]}


def test_repeated_cookie_fields(port: int) -> None:
    answered = exchange(
        port, b"GET /session HTTP/1.1\r\nHost: a\r\nConnection: close\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n"
    )
    assert json.loads(answered.partition(b"\r\n\r\n")[2])["cookies"] == ["a", "b"]


def test_posted_json(port: int) -> None:
    assert ask(port, "POST", "/json", '{"a": [1]}', {"Content-Type": "application/json"}).json == {"got": {"a": [1]}}
    assert ask(port, "POST", "/json", "{", {"Content-Type": "application/json"}).status == 400


def multipart(size: int) -> tuple[bytes, dict[str, str]]:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n' + bytes(size) + b"\r\n--b--\r\n"
    )
    return body, {"Content-Type": "multipart/form-data; boundary=b"}


@pytest.mark.parametrize("size", [10, 300_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_uploads(port: int, size: int, chunked: bool) -> None:
    body, headers = multipart(size)
    sent = iter([body[:100], body[100:]]) if chunked else body
    assert ask(port, "POST", "/upload", sent, headers).json == {"name": "a.bin", "size": size, "note": "hello"}


def test_a_chunked_body_is_not_empty_to_flask(port: int) -> None:
    assert ask(port, "POST", "/raw", iter([b"abc", b"def"])).json == {"size": 6}


def test_a_limit_on_the_body() -> None:
    app = make_app()
    app.config["MAX_CONTENT_LENGTH"] = 1000
    with serving(WsgiApp(app)) as port:
        assert ask(port, "POST", "/raw", bytes(1000)).json == {"size": 1000}
        assert ask(port, "POST", "/raw", bytes(1001)).status == 413
        with connected(port) as connection:
            connection.sendall(b"POST /raw HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\nabc")
            assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_a_generator(port: int) -> None:
    answer = ask(port, "GET", "/generator")
    assert answer.body == b"".join(b"%d,row\n" % number for number in range(3000))
    assert answer.headers["Transfer-Encoding"] == "chunked"


def test_an_event_arrives_before_the_next_is_made(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(b"GET /events?q=tick HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        seen = b""
        for count in (1, 2, 3):
            while seen.count(b"data: tick\n\n") < count:
                seen += connection.recv(65536)
            event_seen.release()
        assert (seen + read_all(connection)).endswith(b"\r\n0\r\n\r\n")


def test_send_file(port: int) -> None:
    whole = bytes(range(256)) * 1000
    assert ask(port, "GET", "/file").body == whole
    part = ask(port, "GET", "/file", headers={"Range": "bytes=100000-199999"})
    assert (part.status, part.body) == (206, whole[100_000:200_000])
    assert part.headers["Content-Range"] == "bytes 100000-199999/256000"
    tail = ask(port, "GET", "/file", headers={"Range": "bytes=-5"})
    assert tail.body == whole[-5:]
    assert ask(port, "GET", "/file", headers={"Range": "bytes=900000-"}).status == 416


def test_send_file_from_disk(port: int) -> None:
    with open(__file__, "rb") as source:
        text = source.read()
    answer = ask(port, "GET", "/on-disk")
    assert answer.body == text
    assert ask(port, "GET", "/on-disk", headers={"Range": "bytes=1000-1999"}).body == text[1000:2000]
    same = ask(port, "GET", "/on-disk", headers={"If-None-Match": answer.headers["ETag"]})
    assert (same.status, same.body) == (304, b"")
    assert ask(port, "HEAD", "/on-disk").headers["Content-Length"] == str(len(text))


def test_an_async_view(port: int) -> None:
    assert ask(port, "GET", "/async").json == {"path": "/async", "context": "set outside"}


def test_context_variables_set_outside(port: int) -> None:
    assert ask(port, "GET", "/context").body == b"set outside"


def test_teardown_and_call_on_close_run(port: int) -> None:
    calls.clear()
    torn_down.clear()
    assert ask(port, "GET", "/close").body == b"closing"
    assert torn_down.wait(5)
    deadline = time.monotonic() + 5
    while "call_on_close" not in calls and time.monotonic() < deadline:
        time.sleep(0.001)
    assert sorted(calls) == ["call_on_close", "teardown /close"]


def test_a_bug_is_flasks_500_and_logged(port: int, caplog: pytest.LogCaptureFixture) -> None:
    answer = ask(port, "GET", "/error")
    assert answer.status == 500
    assert b"Internal Server Error" in answer.body
    assert "KeyError: 'a bug'" in caplog.text


def test_the_log_that_flasks_documentation_sets_up(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # dictConfig(... "root": {"handlers": ["wsgi"]}), whose stream is flask.logging.wsgi_errors_stream.
    root = logging.getLogger()
    handler = logging.StreamHandler(cast("TextIO", flask.logging.wsgi_errors_stream))
    handler.setFormatter(logging.Formatter("app says: %(message)s"))
    monkeypatch.setattr(root, "handlers", [handler])
    monkeypatch.setattr(sys, "stderr", stderr := io.StringIO())
    with serving(WsgiApp(make_app(), threads=1)) as port:
        assert ask(port, "GET", "/log").body == b"logged"
    assert stderr.getvalue().count("an error of the app") == 1


def test_a_validator_around_flask(capfd: pytest.CaptureFixture[str]) -> None:
    with serving(WsgiApp(validator(make_app()))) as port:
        assert ask(port, "GET", "/books/7").json["id"] == 7
        assert ask(port, "POST", "/upload", *multipart(10)).json["size"] == 10
        assert ask(port, "POST", "/upload", *multipart(300_000)).json["size"] == 300_000
        assert ask(port, "GET", "/generator").body.startswith(b"0,row\n")
        assert ask(port, "HEAD", "/books/7").status == 200
        assert ask(port, "GET", "/redirect").status == 302
    assert capfd.readouterr().err == ""
