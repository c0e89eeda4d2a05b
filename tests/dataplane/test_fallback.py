"""Who answers when a backend fails: apps in this process, called as an ASGI server calls them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from flask import Flask, request
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.backends.overload import Overloaded
from gateway.dataplane.app import Gateway
from gateway.telemetry.slots import SlotFile
from tests.dataplane.asgi_client import Answer, call, get, http_scope

App = Callable[[Scope, Receive, Send], Awaitable[None]]


async def legacy(scope: Scope, receive: Receive, send: Send) -> None:
    """Says what it was asked with."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-state", repr(scope["state"]).encode())]})
    await send({"type": "http.response.body", "body": b"legacy " + scope["method"].encode() + b" " + body})


def saying(status: int, body: bytes = b"no", *, more: bool = False) -> App:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": [(b"x-new", b"yes")]})
        await send({"type": "http.response.body", "body": body, "more_body": more})
        if more:
            await send({"type": "http.response.body", "body": body})

    return app


def raising(error: Exception, *, after: int = 0) -> App:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(after):
            await receive()
        raise error

    return app


def served(app: Any) -> Any:
    """Without a lifespan, if it is one of the functions here."""
    if isinstance(app, Flask | FastAPI):
        return app

    async def only_http(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await app(scope, receive, send)

    return only_http


class Stage:
    def __init__(self, gateway: Gateway, slots: SlotFile) -> None:
        self.gateway = gateway
        self._slots = slots

    async def get(self, path: str = "/a", **more: Any) -> Answer:
        return await get(self.gateway, path, **more)

    async def send(self, method: str, *parts: bytes) -> Answer:
        messages = [
            {"type": "http.request", "body": part, "more_body": number < len(parts)}
            for number, part in enumerate(parts, 1)
        ]
        return await call(self.gateway, http_scope(method, "/a"), *messages)

    def counted(self, kind: str, *labels: str) -> float:
        return sum(
            values[0] for names, values in self._slots.items() if names[0] == kind and set(labels) <= set(names[1:])
        )


@asynccontextmanager
async def stage(new: ASGIApp | Flask, fallback: Any = "legacy", **more: Any) -> AsyncIterator[Stage]:
    slots = SlotFile()
    route = {"path": "/a", "to": "new", "fallback": fallback, **more.pop("route", {})}
    apps = {"legacy": served(more.pop("legacy", legacy)), "new": served(new)}
    data = {"version": 1, "default": "legacy", "routes": [route], **more}
    gateway = Gateway.from_dict(data, apps=apps, slots=slots)
    await gateway.start()
    try:
        yield Stage(gateway, slots)
    finally:
        await gateway.stop()


class TestWhatFails:
    @pytest.mark.parametrize("status", [502, 503, 504])
    async def test_an_answer_on_the_list_is_dropped(self, status: int) -> None:
        async with stage(saying(status)) as staged:
            answer = await staged.get()
            assert (answer.status, answer.body, answer.all(b"x-new")) == (200, b"legacy GET ", [])
            assert staged.counted("fallbacks", "/a", "new", "legacy", str(status), "answered") == 1
            # Each has its own part in the numbers.
            assert staged.counted("requests", "new", str(status)) == 1
            assert staged.counted("requests", "legacy", "200") == 1
            assert staged.counted("in_flight") == 0

    @pytest.mark.parametrize("status", [200, 404, 405, 500, 501])
    async def test_an_answer_that_is_not_on_the_list_is_the_answer(self, status: int) -> None:
        async with stage(saying(status)) as staged:
            answer = await staged.get()
            assert (answer.status, answer.body) == (status, b"no")
            assert staged.counted("fallbacks") == 0

    async def test_what_the_new_app_does_not_have_yet_the_old_one_answers(self) -> None:
        async with stage(saying(404), {"to": "legacy", "on": [404, 405, 501]}) as staged:
            # However many: that is no trouble which could be multiplied.
            for _ in range(40):
                assert (await staged.get()).body == b"legacy GET "
            assert staged.counted("fallbacks", "404", "answered") == 40

    async def test_an_app_that_raises(self, caplog: pytest.LogCaptureFixture) -> None:
        async with stage(raising(ValueError("oh"))) as staged:
            assert (await staged.get()).body == b"legacy GET "
            assert staged.counted("fallbacks", "error", "answered") == 1
            assert staged.counted("requests", "new", "500") == 1
        [record] = [record for record in caplog.records if record.name == "gateway"]
        assert "GET /a: backend new has failed (oh), and legacy is asked" in record.getMessage()
        assert record.exc_info is not None

    async def test_an_app_that_returns_without_an_answer(self) -> None:
        async def silent(scope: Scope, receive: Receive, send: Send) -> None:
            pass

        async with stage(silent) as staged:
            assert (await staged.get()).body == b"legacy GET "
            assert staged.counted("fallbacks", "no_answer", "answered") == 1

    async def test_an_app_without_room(self) -> None:
        async with stage(raising(Overloaded(1))) as staged:
            assert (await staged.send("POST", b"body")).body == b"legacy POST body"
            assert staged.counted("fallbacks", "queue", "answered") == 1

    async def test_fastapi_answers_500_for_what_its_handlers_raise(self) -> None:
        app = FastAPI()

        @app.get("/a")
        async def fails() -> None:
            raise ValueError("oh")

        async with stage(app) as staged:
            with_default = await staged.get()
            assert with_default.status == 500
        async with stage(app, {"to": "legacy", "on": [500]}) as staged:
            assert (await staged.get()).body == b"legacy GET "

    async def test_flask_as_the_one_that_fails_and_as_the_one_that_answers(self) -> None:
        new, old = Flask("new"), Flask("old")

        @new.get("/a")
        def full() -> tuple[str, int]:
            return "full", 503

        @old.route("/a", methods=["GET", "PUT"])
        def fine() -> str:
            return f"old {request.get_data(as_text=True)}"

        async with stage(new, legacy=old) as staged:
            answer = await staged.get()
            assert (answer.status, answer.body) == (200, b"old ")
        async with stage(raising(ValueError(), after=1), legacy=old) as staged:
            assert (await staged.send("PUT", b"body")).body == b"old body"

    async def test_a_streamed_failure_is_stopped(self) -> None:
        told: list[BaseException] = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await saying(503, more=True)(scope, receive, send)
            except OSError as error:
                told.append(error)
                raise

        async with stage(app) as staged:
            assert (await staged.get()).body == b"legacy GET "
            assert len(told) == 1


class TestWhatMayBeSentAgain:
    @pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE"])
    async def test_what_is_idempotent(self, method: str) -> None:
        async with stage(saying(503)) as staged:
            assert (await staged.send(method, b"bo", b"dy")).body == b"legacy " + method.encode() + b" body"

    @pytest.mark.parametrize("method", ["POST", "PATCH", "LOCK"])
    async def test_not_what_might_be_done_twice(self, method: str) -> None:
        async with stage(saying(503)) as staged:
            answer = await staged.send(method, b"body")
            assert (answer.status, answer.body) == (503, b"no")
            assert staged.counted("fallbacks", "503", "unsafe") == 1
            assert staged.counted("requests", "legacy") == 0

    async def test_what_was_declared_repeatable(self) -> None:
        async with stage(saying(503), {"to": "legacy", "repeatable": True}) as staged:
            assert (await staged.send("POST", b"body")).body == b"legacy POST body"

    @pytest.mark.parametrize("status", [405, 501])
    async def test_what_the_app_says_that_it_has_not_done(self, status: int) -> None:
        async with stage(saying(status), {"to": "legacy", "on": [status]}) as staged:
            assert (await staged.send("POST", b"body")).body == b"legacy POST body"

    async def test_a_404_may_come_after_something_was_done(self) -> None:
        async with stage(saying(404), {"to": "legacy", "on": [404]}) as staged:
            assert (await staged.send("POST", b"body")).status == 404

    async def test_a_body_that_was_read_is_read_again_from_its_beginning(self) -> None:
        async with stage(raising(ValueError(), after=2)) as staged:
            assert (await staged.send("PUT", b"a", b"b", b"c", b"d")).body == b"legacy PUT abcd"

    async def test_not_a_body_that_was_too_long_to_keep(self) -> None:
        async with stage(raising(ValueError(), after=2), {"to": "legacy", "body": 3}) as staged:
            assert (await staged.send("PUT", b"ab", b"cd")).status == 500
            assert staged.counted("fallbacks", "error", "body") == 1
            assert (await staged.send("PUT", b"a", b"bc")).body == b"legacy PUT abc"

    async def test_a_long_body_that_nobody_has_read_yet(self) -> None:
        async with stage(saying(503), {"to": "legacy", "body": 0}) as staged:
            assert (await staged.send("PUT", b"a" * 100_000)).body == b"legacy PUT " + b"a" * 100_000

    async def test_never_after_the_first_byte(self) -> None:
        async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise ValueError

        async with stage(breaks) as staged:
            answer = await staged.get()
            assert (answer.status, answer.complete) == (200, False)
            assert staged.counted("fallbacks") == 0
            assert staged.counted("requests", "legacy") == 0

    async def test_never_twice(self) -> None:
        async with stage(saying(503), legacy=saying(503, b"old")) as staged:
            answer = await staged.get()
            assert (answer.status, answer.body) == (503, b"old")
            assert staged.counted("fallbacks", "503", "failed") == 1

    async def test_the_fallback_s_own_failure_is_the_answer(self, caplog: pytest.LogCaptureFixture) -> None:
        async with stage(saying(503), legacy=raising(ValueError("old"))) as staged:
            assert (await staged.get()).json["status"] == 500
            assert staged.counted("fallbacks", "503", "failed") == 1
            assert staged.counted("in_flight") == 0
        assert "the app raised ValueError" in caplog.text

    async def test_no_more_than_the_budget(self) -> None:
        async with stage(saying(503), route={"breaker": "off"}) as staged:
            bodies = [(await staged.get()).body for _ in range(30)]
            assert bodies == [b"legacy GET "] * 10 + [b"no"] * 20
            assert staged.counted("fallbacks", "503", "budget") == 20


class TestTheClient:
    async def test_that_has_left_is_answered_by_nobody(self) -> None:
        async def waits(scope: Scope, receive: Receive, send: Send) -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            raise ValueError

        async with stage(waits) as staged:
            await call(staged.gateway, http_scope("GET", "/a"), left=True)
            assert staged.counted("fallbacks") == 0
            assert staged.counted("requests", "legacy") == 0

    async def test_that_leaves_while_the_fallback_answers(self) -> None:
        async with stage(saying(503)) as staged:
            await call(staged.gateway, http_scope("GET", "/a"), {"type": "http.disconnect"}, left=True)
            assert staged.counted("fallbacks", "503", "left") == 1
            assert staged.counted("requests", "legacy", "499") == 1

    async def test_gets_one_cookie_and_learns_who_has_answered(self) -> None:
        route = {"to": {"new": 99.99, "legacy": 0.01}, "sticky": "cookie"}
        async with stage(saying(503), route=route, expose=True) as staged:
            answer = await staged.get()
            assert answer.all(b"x-served-by") == [b"legacy"]
            assert len(answer.all(b"set-cookie")) == 1

    async def test_a_server_that_ends_ends_it(self) -> None:
        begun = asyncio.Event()

        async def hangs(scope: Scope, receive: Receive, send: Send) -> None:
            begun.set()
            await asyncio.Event().wait()

        async with stage(hangs) as staged:
            task = asyncio.create_task(staged.get())
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert staged.counted("fallbacks") == 0
            assert staged.counted("in_flight") == 0


class TestWhoIsAsked:
    async def test_that_of_all_routes(self) -> None:
        async with stage(saying(503), None, defaults={"fallback": "legacy"}, route={"fallback": "legacy"}) as staged:
            assert (await staged.get()).body == b"legacy GET "

    async def test_none_where_the_route_says_so(self) -> None:
        async with stage(saying(503), "none", defaults={"fallback": "legacy"}) as staged:
            assert (await staged.get()).status == 503

    async def test_nobody_for_oneself(self) -> None:
        async with stage(saying(503), "new") as staged:
            assert (await staged.get()).body == b"no"
            assert staged.counted("fallbacks") == 0

    async def test_a_tester_sees_the_backend_as_it_is(self) -> None:
        async with stage(saying(503), override={"allow": ["203.0.113.0/24"]}) as staged:
            assert (await staged.get(headers=[(b"x-gateway-backend", b"new")])).body == b"no"
            assert (await staged.get()).body == b"legacy GET "

    async def test_an_app_sees_the_request_as_it_came(self) -> None:
        async def writes(scope: Scope, receive: Receive, send: Send) -> None:
            scope["state"]["new"] = True
            scope["path"] = "/elsewhere"
            scope["headers"].append((b"x-new", b"1"))
            raise ValueError

        async def reads(scope: Scope, receive: Receive, send: Send) -> None:
            assert scope["state"] == {}
            assert scope["path"] == "/a"
            assert (b"x-new", b"1") not in scope["headers"]
            await legacy(scope, receive, send)

        async with stage(writes, legacy=reads) as staged:
            assert (await staged.get()).status == 200

    async def test_flask_is_not_asked_for_a_path_that_it_reads_in_another_way(self) -> None:
        old = Flask("old")
        routes = [{"path": "/{rest:path}", "to": "new", "fallback": "legacy"}, {"path": "/admin", "to": "new"}]
        gateway = Gateway.from_dict(
            {"version": 1, "default": "legacy", "routes": routes}, apps={"new": served(saying(503)), "legacy": old}
        )
        assert (await get(gateway, "//admin")).status == 400
        await gateway.stop()


class TestTheBreaker:
    async def test_once_it_is_open_the_new_app_is_left_alone(self, caplog: pytest.LogCaptureFixture) -> None:
        asked = 0

        async def fails(scope: Scope, receive: Receive, send: Send) -> None:
            nonlocal asked
            asked += 1
            await saying(503)(scope, receive, send)

        async with stage(fails) as staged:
            for _ in range(5):
                assert (await staged.get()).body == b"legacy GET "
            # It was asked for nothing, so any request may go elsewhere.
            for _ in range(50):
                assert (await staged.send("POST", b"body")).body == b"legacy POST body"
            assert asked == 5
            assert staged.counted("fallbacks", "breaker", "diverted") == 50
            assert staged.counted("breaker_state", "open") == 1
            assert staged.counted("breaker_state", "closed") == 0
            assert staged.counted("breaker_transitions", "open") == 1
            assert staged.counted("requests", "new") == 5
        assert "route /a: backend new keeps failing, and is left alone for a while" in caplog.text

    async def test_it_comes_back(self) -> None:
        well = False

        async def recovers(scope: Scope, receive: Receive, send: Send) -> None:
            await saying(200 if well else 503, b"new")(scope, receive, send)

        breaker = {"consecutive": 3, "open": 0.05, "probes": 2, "ramp": 0.1}
        async with stage(recovers, route={"breaker": breaker}) as staged:
            for _ in range(4):
                await staged.get()
            assert staged.counted("fallbacks", "breaker") == 1
            well = True
            await asyncio.sleep(0.06)
            assert [(await staged.get()).body for _ in range(2)] == [b"new", b"new"]
            assert staged.counted("breaker_transitions", "half_open") == 1
            assert staged.counted("breaker_state", "closed") == 1
            on_the_way = {(await staged.get()).body for _ in range(5)}
            assert on_the_way == {b"legacy GET "}
            await asyncio.sleep(0.11)
            assert {(await staged.get()).body for _ in range(20)} == {b"new"}

    async def test_of_a_split_the_share_goes_to_the_default(self) -> None:
        route = {"to": {"new": 50, "legacy": 50}, "sticky": "none", "breaker": {"consecutive": 3}}
        async with stage(saying(500), "none", route=route) as staged:
            answers = [(await staged.get()).status for _ in range(40)]
            assert answers.count(500) == 3
            assert staged.counted("requests", "legacy", "200") == 37

    async def test_where_nobody_else_can_answer_it_says_when_to_come_again(self) -> None:
        async with stage(saying(500), "none", route={"breaker": {"consecutive": 3}}) as staged:
            for _ in range(3):
                assert (await staged.get()).status == 500
            answer = await staged.get()
            assert answer.status == 503
            assert answer.json["detail"] == "This application is failing at the moment."
            assert answer.all(b"retry-after") == [b"10"]

    async def test_where_nobody_else_can_answer_there_is_none_unless_it_is_wanted(self) -> None:
        async with stage(saying(500), "none") as staged:
            assert {(await staged.get()).status for _ in range(30)} == {500}
            assert staged.counted("breaker_state") == 0

    @pytest.mark.parametrize("status", [404, 429, 499, 501])
    async def test_what_is_no_failure(self, status: int) -> None:
        async with stage(saying(status)) as staged:
            assert {(await staged.get()).status for _ in range(30)} == {status}
            assert staged.counted("breaker_state", "closed") == 1

    async def test_by_hand(self) -> None:
        async with stage(saying(200, b"new"), route={"breaker": "open"}) as staged:
            assert (await staged.get()).body == b"legacy GET "
        async with stage(saying(503, b"new"), route={"breaker": "closed"}) as staged:
            for _ in range(20):
                await staged.get()
            assert staged.counted("breaker_state", "closed") == 1
        async with stage(saying(200, b"new"), backends={"new": {"breaker": "open"}}) as staged:
            assert (await staged.get()).body == b"legacy GET "

    async def test_an_answer_that_breaks_off_is_a_failure(self) -> None:
        async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise ValueError

        async with stage(breaks) as staged:
            for _ in range(5):
                await staged.get()
            assert staged.counted("breaker_state", "open") == 1

    async def test_a_client_that_leaves_is_no_failure_where_there_is_no_fallback_either(self) -> None:
        async def waits(scope: Scope, receive: Receive, send: Send) -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            if scope["query_string"]:
                raise ConnectionError

        async with stage(waits, "none", route={"breaker": {"consecutive": 1}}) as staged:
            for path in ("/a", "/a?raises"):
                await call(staged.gateway, http_scope("GET", path), left=True)
            assert staged.counted("breaker_state", "closed") == 1

    async def test_a_probe_of_an_app_that_wants_to_exit_makes_room_for_the_next(self) -> None:
        mood: list[Any] = [saying(503), raising(SystemExit()), saying(200, b"new")]  # type: ignore[arg-type]

        async def moody(scope: Scope, receive: Receive, send: Send) -> None:
            await mood.pop(0)(scope, receive, send)

        breaker = {"consecutive": 1, "open": 0.01, "probes": 1, "ramp": 0}
        async with stage(moody, route={"breaker": breaker}) as staged:
            await staged.get()
            await asyncio.sleep(0.02)
            with pytest.raises(SystemExit):
                await staged.get()
            assert (await staged.get()).body == b"new"

    async def test_requests_that_are_running_when_it_opens_end_as_they_end(self) -> None:
        go = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["query_string"] == b"slow":
                await go.wait()
                await saying(200, b"slow")(scope, receive, send)
            else:
                await saying(503)(scope, receive, send)

        async with stage(app) as staged:
            slow = asyncio.create_task(staged.get("/a?slow"))
            await asyncio.sleep(0)
            for _ in range(5):
                await staged.get()
            go.set()
            assert (await slow).body == b"slow"


async def test_the_access_log_says_what_it_was() -> None:
    seen: list[tuple[str, str]] = []

    class Log:
        def start(self) -> None: ...

        async def stop(self) -> None: ...

        def note(self, entry: tuple[Any, ...]) -> None:
            seen.append((entry[9], entry[10]))

    gateway = Gateway.from_dict(
        {"version": 1, "default": "legacy", "routes": [{"path": "/a", "to": "new", "fallback": "legacy"}]},
        apps={"new": served(saying(503)), "legacy": served(legacy)},
        access_log=Log(),  # type: ignore[arg-type]
    )
    await get(gateway, "/a")
    await gateway.stop()
    assert seen == [("legacy", "fallback")]
