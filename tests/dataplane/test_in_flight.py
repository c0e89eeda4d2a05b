from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.types import Message, Receive, Scope, Send

from gateway.backends.overload import Overloaded
from gateway.config.limits import InFlight as Setting
from gateway.dataplane.in_flight import InFlightLimits, Limited, Places, RouteFull
from gateway.telemetry.recorder import LIMIT_ALLOWED, LIMIT_IN_FLIGHT, LIMIT_REFUSED, LIMIT_WAITING, REFUSED
from gateway.telemetry.refusals import Refusals
from gateway.telemetry.slots import SlotFile

SCOPE: Scope = {"type": "http", "method": "GET", "path": "/", "headers": []}


class Client:
    """Sends its request, which has no body, and stays until it leaves."""

    def __init__(self) -> None:
        self._messages: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]
        self._gone = asyncio.Event()

    async def receive(self) -> Message:
        if self._messages:
            return self._messages.pop(0)
        await self._gone.wait()
        return {"type": "http.disconnect"}

    def leave(self) -> None:
        self._gone.set()


class App:
    """Works on a request until it is told to be done with one."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self._done = asyncio.Semaphore(0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun.append(scope["path"])
        assert (await receive())["type"] == "http.request"
        await self._done.acquire()

    async def finish(self) -> None:
        self._done.release()
        await settled()


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def outcome(request: asyncio.Task[None]) -> type[BaseException] | None:
    """What it has ended with."""
    await asyncio.wait((request,))
    if request.cancelled():
        return asyncio.CancelledError
    error = request.exception()
    return None if error is None else type(error)


async def nowhere(message: Message) -> None:
    raise AssertionError(message)


class Stage:
    def __init__(self) -> None:
        self.slots = SlotFile()
        self.limits = InFlightLimits(Refusals(self.slots))
        self.app = App()
        self.requests: dict[str, asyncio.Task[None]] = {}
        self.clients: dict[str, Client] = {}

    def places(self, of_route: Setting | None, of_backend: Setting | None = None, *, route: str = "/a") -> Places:
        places = self.limits.places(route, of_route, "new", of_backend)
        assert places is not None
        return places

    async def ask(self, limited: Limited, name: str) -> None:
        client = self.clients[name] = Client()
        call = limited({**SCOPE, "path": name}, client.receive, nowhere)
        self.requests[name] = asyncio.ensure_future(call)
        await settled()

    def refused(self) -> Counter[str]:
        return Counter({key[1]: int(values[0]) for key, values in self.slots.items() if key[0] == REFUSED})


@asynccontextmanager
async def staged() -> AsyncIterator[Stage]:
    stage = Stage()
    yield stage
    for request in stage.requests.values():
        request.cancel()
    await asyncio.gather(*stage.requests.values(), return_exceptions=True)


def setting(in_flight: int, queue: int = 10, wait: float = 5.0) -> Setting:
    return Setting(in_flight=in_flight, queue=queue, wait=wait)


async def test_without_a_limit_there_is_nothing() -> None:
    assert InFlightLimits(Refusals(SlotFile())).places("/a", None, "new", None) is None


async def test_those_beyond_the_limit_wait_in_order() -> None:
    async with staged() as stage:
        limited = Limited(stage.app, stage.places(setting(2)))
        for name in "abcde":
            await stage.ask(limited, name)
        assert stage.app.begun == ["a", "b"]
        await stage.app.finish()
        assert stage.app.begun == ["a", "b", "c"]
        await stage.app.finish()
        assert stage.app.begun == ["a", "b", "c", "d"]


async def test_a_place_that_becomes_free_for_one_just_cancelled_goes_to_the_next() -> None:
    """As where a server, or a middleware, cancels the requests of clients that have left."""
    async with staged() as stage:
        limited = Limited(stage.app, stage.places(setting(1), setting(1)))
        for name in "abc":
            await stage.ask(limited, name)
        for name in "ab":
            stage.requests[name].cancel()
        assert [await outcome(stage.requests[name]) for name in "ab"] == [asyncio.CancelledError] * 2
        await settled()
        assert stage.app.begun == ["a", "c"]
        await stage.app.finish()
        await stage.ask(limited, "d")
        assert stage.app.begun == ["a", "c", "d"]


@pytest.mark.parametrize("steps", range(6))
async def test_one_whose_client_leaves_and_that_is_cancelled_frees_no_place_that_it_never_had(steps: int) -> None:
    async with staged() as stage:
        limited = Limited(stage.app, stage.places(setting(1)))
        for name in "ab":
            await stage.ask(limited, name)
        stage.clients["b"].leave()
        for _ in range(steps):
            await asyncio.sleep(0)
        stage.requests["b"].cancel()
        await settled()
        for name in "cd":
            await stage.ask(limited, name)
        assert stage.app.begun == ["a"]
        for begun in ("ac", "acd"):
            await stage.app.finish()
            assert stage.app.begun == list(begun)


@pytest.mark.parametrize(
    ("of_route", "of_backend", "kind", "error"),
    [(setting(1, 1), None, "route", RouteFull), (None, setting(1, 1), "backend", Overloaded)],
)
async def test_one_beyond_the_queue_is_refused_at_once(
    of_route: Setting | None,
    of_backend: Setting | None,
    kind: str,
    error: type[Overloaded],
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with staged() as stage:
        limited = Limited(stage.app, stage.places(of_route, of_backend))
        for name in "abcd":
            await stage.ask(limited, name)
        for name in "cd":
            with pytest.raises(error) as refused:
                await stage.requests[name]
            assert type(refused.value) is error
            assert refused.value.retry_after == 5
        assert stage.refused() == {f"{kind}_queue_full": 2}
        # One line for all of them, for a while.
        [record] = caplog.records
        assert "has 1 requests in flight and 1 waiting; 1 were refused" in record.getMessage()


async def test_each_limit_counts_who_is_in_who_waits_and_who_found_no_place() -> None:
    async with staged() as stage:
        limited = Limited(stage.app, stage.places(setting(2, queue=1), setting(3)))
        for name in "abcd":
            await stage.ask(limited, name)
        assert stage.limits.counts() == {
            (LIMIT_IN_FLIGHT, "route", "/a"): 2,
            (LIMIT_WAITING, "route", "/a"): 1,
            (LIMIT_ALLOWED, "route", "/a"): 2,
            (LIMIT_IN_FLIGHT, "backend", "new"): 2,
            (LIMIT_WAITING, "backend", "new"): 0,
            (LIMIT_ALLOWED, "backend", "new"): 3,
        }
        refused = {key: values[0] for key, values in stage.slots.items() if key[0] == LIMIT_REFUSED}
        assert refused == {(LIMIT_REFUSED, "route", "/a", "queue_full"): 1.0}


async def test_one_that_waits_too_long_is_refused() -> None:
    async with staged() as stage:
        limited = Limited(stage.app, stage.places(setting(1, wait=0.05)))
        await stage.ask(limited, "a")
        await stage.ask(limited, "b")
        with pytest.raises(RouteFull) as refused:
            await stage.requests["b"]
        assert refused.value.retry_after == 1
        assert stage.refused() == {"route_queue_wait": 1}
        # Its place in the queue is free, and its turn is not waited for.
        await stage.ask(limited, "c")
        await stage.app.finish()
        assert stage.app.begun == ["a", "c"]


async def test_a_client_that_leaves_the_queue_frees_its_place() -> None:
    async with staged() as stage:
        limited = Limited(stage.app, stage.places(setting(1, queue=1)))
        await stage.ask(limited, "a")
        await stage.ask(limited, "b")
        stage.clients["b"].leave()
        await stage.requests["b"]
        await stage.ask(limited, "c")
        await stage.app.finish()
        assert stage.app.begun == ["a", "c"]
        assert stage.refused() == {}


async def test_a_request_that_is_cancelled_frees_its_place_wherever_it_is() -> None:
    async with staged() as stage:
        limited = Limited(stage.app, stage.places(setting(1)))
        for name in "abc":
            await stage.ask(limited, name)
        stage.requests["b"].cancel()
        await settled()
        # It has been given its place, and does not know it yet.
        stage.requests["a"].cancel()
        await asyncio.sleep(0)
        stage.requests["c"].cancel()
        await settled()
        await stage.ask(limited, "d")
        assert stage.app.begun[-1] == "d"


async def test_a_request_that_fails_frees_its_place() -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("it fails")

    async with staged() as stage:
        limited = Limited(fails, stage.places(setting(1, queue=0)))
        for name in "abc":
            await stage.ask(limited, name)
            with pytest.raises(ValueError, match="it fails"):
                await stage.requests[name]


async def test_a_backend_s_limit_is_for_all_its_routes_together() -> None:
    async with staged() as stage:
        one = Limited(stage.app, stage.places(setting(5), setting(2), route="/one"))
        other = Limited(stage.app, stage.places(None, setting(2), route="/other"))
        await stage.ask(one, "a")
        await stage.ask(other, "b")
        await stage.ask(one, "c")
        await stage.ask(other, "d")
        assert stage.app.begun == ["a", "b"]
        await stage.app.finish()
        await stage.app.finish()
        assert stage.app.begun == ["a", "b", "c", "d"]


async def test_who_waits_for_the_backend_gives_its_place_of_the_route_back() -> None:
    async with staged() as stage:
        limited = Limited(stage.app, stage.places(setting(2), setting(1, wait=0.05)))
        await stage.ask(limited, "a")
        await stage.ask(limited, "b")
        with pytest.raises(Overloaded):
            await stage.requests["b"]
        await stage.ask(limited, "c")
        stage.clients["c"].leave()
        await stage.requests["c"]
        await stage.ask(limited, "d")
        await stage.app.finish()
        assert stage.app.begun == ["a", "d"]
        assert stage.refused() == {"backend_queue_wait": 1}


async def test_a_reload_keeps_the_count_and_lets_in_who_has_room_now() -> None:
    async with staged() as stage:
        before = Limited(stage.app, stage.places(setting(1)))
        stage.limits.settle()
        for name in "abc":
            await stage.ask(before, name)
        after = Limited(stage.app, stage.places(setting(2)))
        await settled()
        assert stage.app.begun == ["a"]
        stage.limits.settle()
        await settled()
        assert stage.app.begun == ["a", "b"]
        await stage.ask(after, "d")
        await stage.app.finish()
        await stage.app.finish()
        assert stage.app.begun == ["a", "b", "c", "d"]


async def test_a_limit_that_is_gone_is_forgotten() -> None:
    stage = Stage()
    stage.places(setting(1))
    stage.limits.settle()
    assert stage.limits.serving("/a", "new") is not None
    stage.limits.settle()
    assert stage.limits.serving("/a", "new") is None
