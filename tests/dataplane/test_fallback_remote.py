"""Who answers when a remote app fails: over real sockets, with and without a task."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.dataplane.direct_stage import GET, Stage
from tests.dataplane.direct_stage import stage as remote_stage
from tests.upstream.scripted import OK, App, Peer, Script, always, answering, app, eventually
from tests.upstream.scripts import after_one, closes, resets, silent

OLD = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold"
FULL = b"HTTP/1.1 503 Full\r\nContent-Length: 4\r\n\r\nfull"
POST = b"POST /books HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
PUT = POST.replace(b"POST", b"PUT")


async def old_one(peer: Peer) -> None:
    """Answers with the body that it was sent."""
    while True:
        head = await peer.head()
        body = await peer.read(4) if b"Content-Length: 4" in head else b""
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\nold%b" % (3 + len(body), body))


class Two:
    """The gateway, before the new app that it is to ask and the old one that it falls back to."""

    def __init__(self, staged: Stage, old: App) -> None:
        self.staged = staged
        self.old = old

    def fallbacks(self, *labels: str) -> float:
        return self.staged.counted("fallbacks", *labels)


@asynccontextmanager
async def stage(*scripts: Script, **config: Any) -> AsyncIterator[Two]:
    route = {"path": "/books", "to": "remote", "fallback": "other", **config.pop("route", {})}
    async with (
        app(old_one) as old,
        remote_stage(*scripts, default="other", other={"url": old.url}, routes=[route], **config) as staged,
    ):
        yield Two(staged, old)


class TestWithoutATask:
    async def test_an_answer_of_the_app_that_fails_is_dropped_and_its_connection_goes_on(self) -> None:
        async with stage(answering(OK, FULL, OK)) as two, two.staged.client() as client:
            await two.staged.warm()
            client.send(GET)
            assert (await client.answer(3))[1] == b"old"
            client.send(GET)
            assert (await client.answer(2))[1] == b"hi"
            assert len(two.staged.remote.peers) == 1
            assert two.fallbacks("503", "answered") == 1
            await eventually(lambda: two.staged.counted("in_flight") == 0)

    async def test_a_good_answer_needs_no_task(self) -> None:
        async with stage(always(OK)) as two, two.staged.client() as client:
            await two.staged.warm()
            client.send(GET)
            await client.answer(2)
            assert two.staged.in_tasks == 0

    async def test_the_body_goes_along(self) -> None:
        # A kept connection that ends is tried once more on a new one, before the fallback is asked.
        async with stage(after_one(resets), resets) as two, two.staged.client() as client:
            await two.staged.warm()
            client.send(PUT)
            assert (await client.answer(7))[1] == b"oldbody"

    async def test_what_might_be_done_twice_is_not_sent_again(self) -> None:
        async with stage(after_one(resets)) as two, two.staged.client() as client:
            await two.staged.warm()
            client.send(POST)
            assert (await client.head()).startswith(b"HTTP/1.1 502 ")
            assert two.old.peers == []
            assert two.fallbacks("no_answer", "unsafe") == 1

    async def test_an_answer_that_may_not_be_dropped_is_passed_on(self) -> None:
        async with stage(after_one(always(FULL))) as two, two.staged.client() as client:
            await two.staged.warm()
            client.send(POST)
            head, content = await client.answer(4)
            assert (head[:12], content) == (b"HTTP/1.1 503", b"full")
            assert two.fallbacks("503", "unsafe") == 1

    async def test_a_client_that_leaves_ends_it(self) -> None:
        async with stage(after_one(silent)) as two:
            await two.staged.warm()
            async with two.staged.client() as client:
                client.send(GET)
                await eventually(lambda: two.staged.in_flight == 1)
                client.reset()
                await eventually(lambda: two.staged.counted("requests", "499") == 1)
            assert two.fallbacks() == 0


class TestWhatFails:
    @pytest.mark.parametrize("script", [closes, resets])
    async def test_no_answer(self, script: Script) -> None:
        async with stage(script) as two, two.staged.client() as client:
            client.send(GET)
            assert (await client.answer(3))[1] == b"old"
            assert two.fallbacks("no_answer", "answered") == 1
            assert two.staged.counted("upstream_failures", "remote", "no_answer") == 1

    async def test_what_is_no_http(self) -> None:
        async with stage(always(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")) as two, two.staged.client() as client:
            client.send(GET)
            assert (await client.answer(3))[1] == b"old"

    async def test_an_app_that_takes_too_long(self) -> None:
        slow = {"timeouts": {"head": 0.05}}
        for warm in (False, True):
            async with stage(after_one(silent) if warm else silent, remote=slow) as two:
                if warm:
                    await two.staged.warm()
                async with two.staged.client() as client:
                    client.send(GET)
                    assert (await client.answer(3))[1] == b"old"
                    assert two.fallbacks("timeout", "answered") == 1

    async def test_an_app_that_cannot_be_reached_whatever_the_method(self) -> None:
        async with stage(silent, remote={"url": "http://127.0.0.1:9"}) as two, two.staged.client() as client:
            client.send(POST)
            assert (await client.answer(7))[1] == b"oldbody"
            assert two.fallbacks("connect", "answered") == 1

    async def test_a_body_that_is_still_coming_when_the_app_cannot_be_reached(self) -> None:
        async with stage(silent, remote={"url": "http://127.0.0.1:9"}) as two, two.staged.client() as client:
            client.send(POST[:-2])
            await eventually(lambda: len(two.old.peers) == 1)
            client.send(POST[-2:])
            assert (await client.answer(7))[1] == b"oldbody"

    async def test_only_what_is_on_the_list(self) -> None:
        rule = {"to": "other", "on": ["connect"]}
        async with stage(closes, route={"fallback": rule}) as two, two.staged.client() as client:
            client.send(GET)
            assert (await client.head()).startswith(b"HTTP/1.1 502 ")
            assert two.old.peers == []

    async def test_a_full_line_of_waiting_requests(self) -> None:
        one = {"connections": 1, "queue": 0}
        async with stage(silent, remote=one) as two, two.staged.client() as first, two.staged.client() as second:
            first.send(GET)
            await eventually(lambda: two.staged.in_flight == 1)
            second.send(POST)
            assert (await second.answer(7))[1] == b"oldbody"
            assert two.fallbacks("queue", "answered") == 1

    async def test_the_fallback_that_cannot_be_reached(self) -> None:
        async with (
            remote_stage(closes, routes=[{"path": "/books", "to": "remote", "fallback": "other"}]) as staged,
            staged.client() as client,
        ):
            client.send(GET)
            assert (await client.head()).startswith(b"HTTP/1.1 502 ")
            await eventually(lambda: staged.counted("fallbacks", "no_answer", "failed") == 1)
            assert staged.counted("upstream_failures", "other", "connect") == 1


class TestTheFirstByte:
    async def test_an_answer_that_has_begun_is_broken_off_and_nothing_else(self) -> None:
        async def breaks(peer: Peer) -> None:
            await peer.head()
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            await asyncio.sleep(0.05)
            peer.reset()

        async with stage(breaks) as two, two.staged.client() as client:
            client.send(GET)
            assert (await client.rest()).endswith(b"\r\n\r\nhalf")
            assert two.old.peers == []

    async def test_a_failure_whose_content_never_comes_is_not_waited_for(self) -> None:
        async def stalls(peer: Peer) -> None:
            await peer.head()
            await peer.say(FULL[:-2])
            await peer.rest()

        for warm in (False, True):
            async with stage(after_one(stalls) if warm else stalls) as two:
                if warm:
                    await two.staged.warm()
                async with two.staged.client() as client:
                    client.send(GET)
                    assert (await client.answer(3))[1] == b"old"


class TestTheBreaker:
    async def test_opens_and_lets_nothing_through(self) -> None:
        async with stage(always(FULL)) as two, two.staged.client() as client:
            for _ in range(8):
                client.send(GET)
                assert (await client.answer(3))[1] == b"old"
            assert two.staged.remote.peers[0].heard.count(b"GET ") == 5
            assert two.fallbacks("breaker", "diverted") == 3
            assert two.staged.counted("breaker_state", "open") == 1

    async def test_counts_good_answers_that_needed_no_task(self) -> None:
        fails_now_and_then = [OK] + [FULL, OK] * 6
        async with stage(answering(*fails_now_and_then)) as two, two.staged.client() as client:
            await two.staged.warm()
            for number in range(12):
                client.send(GET)
                await client.answer(2 if number % 2 else 3)
            assert two.staged.counted("breaker_state", "closed") == 1

    async def test_a_probe_whose_client_leaves_makes_room_for_the_next(self) -> None:
        breaker = {"consecutive": 1, "open": 0.01, "probes": 1, "ramp": 0}
        async with stage(answering(FULL), always(OK), route={"breaker": breaker}) as two:
            async with two.staged.client() as client:
                client.send(GET)
                assert (await client.answer(3))[1] == b"old"
            await asyncio.sleep(0.05)
            async with two.staged.client() as client:
                client.send(GET)
                await eventually(lambda: two.staged.counted("breaker_state", "half_open") == 1)
                client.reset()
                await eventually(lambda: two.staged.counted("requests", "499") == 1)
            async with two.staged.client() as client:
                client.send(GET)
                assert (await client.answer(2))[1] == b"hi"
                assert two.staged.counted("breaker_state", "closed") == 1
