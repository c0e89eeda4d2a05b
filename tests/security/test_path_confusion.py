"""What the table sends to one app is served by no other, under no spelling of its path.

One template is pinned to an app; all else goes to another app that has an endpoint for that very template. Whatever a
client asks for, that endpoint must not answer: by Flask's and by Starlette's own routing, in this process and behind
gunicorn and uvicorn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

import pytest
from flask import Flask
from flask import request as flask_request
from gunicorn.util import unquote_to_wsgi_str
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Match, Route

from gateway.dataplane.app import Gateway
from tests.dataplane.asgi_client import Answer, get
from tests.routing.hostile import raw_paths

# In the gateway's words, which are Starlette's, and in Flask's.
TEMPLATES = {
    "/admin": "/admin",
    "/admin/": "/admin/",
    "/a/b": "/a/b",
    "/a/{x}": "/a/<x>",
    "/{x:int}": "/<int:x>",
    "/admin/{x:path}": "/admin/<path:x>",
    "/a/{x:int}/b": "/a/<int:x>/b",
}

# Around what is pinned, so that most paths come close to it.
near = st.tuples(
    st.sampled_from([b"/", b"//", b"/%2F", b"/./", b"/a/..%2F", b"/;/", b"/%00/", b"/\xef\xbc\x8f", b"/a/../"]),
    st.sampled_from(
        [b"admin", b"%61dmin", b"Admin", b"a/b", b"a%2Fb", b"a//b", b"a%252Fb", b"42", b"%34%32", b"a/7/b"]
    ),
    st.sampled_from(
        [b"", b"/", b"//", b"%2F", b"/x", b"%2Fx", b"%2fx/y", b";x", b"%0a", b"%20", b"/%2F", b"\xd9\xa1", b"."]
    ),
).map(b"".join)
targets = st.one_of(near, near, raw_paths)
templates = st.sampled_from(sorted(TEMPLATES))


def flask_app(template: str) -> Flask:
    app = Flask("app")
    app.add_url_rule(TEMPLATES[template], "pinned", lambda **_: "pinned")
    return app


async def pinned(request: Request) -> Response:
    return PlainTextResponse("pinned")


def starlette_app(template: str) -> Starlette:
    return Starlette(routes=[Route(template, pinned)])


async def guard(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"guard"})


class Loop:
    """One event loop for all examples, with their gateways and a remote app that notes the targets it is asked for."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._gateways: dict[tuple[str, str], Gateway] = {}
        self.targets: list[bytes] = []
        self._server = self._runner.run(self._listen())

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            self.targets.append(head.split(b" ")[1])
            writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
            break
        writer.close()

    def ask(self, kind: str, template: str, target: bytes) -> Answer:
        return self._runner.run(self._ask(kind, template, target))

    async def _ask(self, kind: str, template: str, target: bytes) -> Answer:
        gateway = self._gateways.get((kind, template))
        if gateway is None:
            gateway = self._gateways[kind, template] = self._gateway(kind, template)
            await gateway.start()
        self.targets.clear()
        return await get(gateway, "/", raw_path=target)

    def _gateway(self, kind: str, template: str) -> Gateway:
        data: dict[str, Any] = {"version": 1, "default": "app", "routes": [{"path": template, "to": "guard"}]}
        if kind == "remote":
            port = self._server.sockets[0].getsockname()[1]
            data["backends"] = {"app": {"url": f"http://127.0.0.1:{port}"}}
            return Gateway.from_dict(data, apps={"guard": guard})
        app = flask_app(template) if kind == "flask" else starlette_app(template)
        return Gateway.from_dict(data, apps={"guard": guard, "app": app})

    def close(self) -> None:
        async def close() -> None:
            for gateway in self._gateways.values():
                await gateway.stop()
            self._server.close()

        self._runner.run(close())
        self._runner.close()


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.mark.parametrize("kind", ["flask", "starlette"])
@settings(deadline=None, max_examples=300)
@given(template=templates, target=targets)
@example(template="/admin", target=b"//admin")
@example(template="/admin", target=b"/admin%0A")
@example(template="/{x:int}", target="/\u0661".encode())
def test_an_app_in_this_process_serves_nothing_that_the_table_sends_elsewhere(
    loop: Loop, kind: str, template: str, target: bytes
) -> None:
    answer = loop.ask(kind, template, target)
    assert answer.body != b"pinned"


def behind_gunicorn(template: str) -> Callable[[bytes], bool]:
    """Whether Flask serves the template's endpoint for a target, as gunicorn hands it on."""
    app = flask_app(template)

    def serves(target: bytes) -> bool:
        path = unquote_to_wsgi_str(target.decode("latin-1"))
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "wsgi.url_scheme": "http", "HTTP_HOST": "shop.example"}
        with app.request_context({**environ, "SERVER_NAME": "x", "SERVER_PORT": "80", "SCRIPT_NAME": ""}):
            return flask_request.url_rule is not None and flask_request.routing_exception is None

    return serves


def behind_uvicorn(template: str) -> Callable[[bytes], bool]:
    """As uvicorn does: h11_impl.py and httptools_impl.py decode with unquote()."""
    route = Route(template, pinned)

    def serves(target: bytes) -> bool:
        path = unquote(target.decode("ascii"))
        match, found = route.matches({"type": "http", "method": "GET", "path": path, "root_path": ""})
        # Starlette's {x:path} may be empty, and that of routes.yaml may not: "/admin/" is another route, and says so.
        return match is Match.FULL and "" not in found["path_params"].values()

    return serves


READERS = [behind_gunicorn, behind_uvicorn]


@settings(deadline=None, max_examples=500)
@given(template=templates, target=targets)
@example(template="/admin", target=b"//admin")
@example(template="/admin", target=b"/%2Fadmin")
@example(template="/a/b", target=b"/a%2Fb")
@example(template="/admin/{x:path}", target=b"/admin%2Fx")
@example(template="/a/{x:int}/b", target=b"/a%2f42/b")
@example(template="/admin/{x:path}", target=b"/admin/")
def test_a_remote_app_is_asked_for_nothing_that_the_table_sends_elsewhere(
    loop: Loop, template: str, target: bytes
) -> None:
    answer = loop.ask("remote", template, target)
    if answer.status == 400:
        assert loop.targets == []
    for asked in loop.targets:
        for reader in READERS:
            assert not reader(template)(asked), f"{reader.__name__} takes {asked!r} for {template}"


@pytest.mark.parametrize("target", [b"/shop/a%2Fb", b"//shop/x", b"/%2Fshop"])
def test_what_all_readers_send_the_same_way_goes_on_as_it_came(loop: Loop, target: bytes) -> None:
    assert loop.ask("remote", "/admin", target).status == 204
    assert loop.targets == [target]
