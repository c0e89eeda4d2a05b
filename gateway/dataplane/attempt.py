"""Step 6 where another backend answers for one that fails: never after the first byte, and never twice.

The first app's answer is not passed on until its status is known to be one that the client is to see. When the app
fails before that, and the request may be sent again, the fallback is asked, and what it says is the answer.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.dataplane.replay import Replay
from gateway.dataplane.setback import NO_ANSWER, QUEUE, Setback, raised
from gateway.http1.methods import IDEMPOTENT
from gateway.upstream.failure import UpstreamError

if TYPE_CHECKING:
    from gateway.dataplane.guard import Guard
    from gateway.dataplane.request import Request

log = logging.getLogger("gateway")


class Declined(OSError):
    """What an app is told that goes on sending an answer which nobody wants, as if its client had left."""


class Attempt:
    """One request on a lane under guard: an ASGI app for this request alone.

    ``ticket`` is that of the lane's breaker.
    """

    __slots__ = ("_declined", "_guard", "_known_well", "_replay", "_request", "_send", "_status", "_ticket")

    _replay: Replay
    _send: Send

    def __init__(self, guard: Guard, request: Request, ticket: int) -> None:
        self._guard = guard
        self._request = request
        self._ticket = ticket
        self._status = 0
        self._declined: Setback | None = None
        # The breaker knows that the answer has begun well, and does not wait for its end.
        self._known_well = False
        if guard.fallback is not None:
            # It may be needed yet: a reload that no longer names it must not stop it.
            guard.fallback.backend.in_flight += 1

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return self._run(self._request.lane.app, None, scope, receive, send)

    # Where no task is needed: gateway/dataplane/direct.py.

    def is_declined(self, status: int) -> bool:
        """Whether an answer with ``status`` may not be passed on before it is known whether there is another way."""
        return status in self._guard.declined

    def ended(self, status: int) -> None:
        """The lane's part is over; ``status`` is 0 if nobody knows what it would have been. Called once."""
        guard = self._guard
        if guard.fallback is not None:
            guard.fallback.backend.in_flight -= 1
        circuit = guard.circuit
        if circuit is not None and not (self._known_well and status < 500):
            circuit.ended(self._ticket, status, perf_counter())

    def going_on(self, app: ASGIApp, body: bytes) -> ASGIApp:
        """To go on in a task with ``app``, which has begun with this ``body``."""
        return partial(self._run, app, body)

    # In a task.

    async def _run(self, app: ASGIApp, body: bytes | None, scope: Scope, receive: Receive, send: Send) -> None:
        guard = self._guard
        self._send = send
        replay = self._replay = Replay(receive, guard.most, body)
        again = None
        if guard.fallback is not None:
            # Apps write into the scope: frameworks leave there what they have found out.
            again = dict(scope) if guard.remote else {**scope, "headers": list(scope["headers"])}
        setback: Setback | None = None
        error: Exception | None = None
        try:
            await app(scope, replay.receive, self._send_first)
        except Exception as caught:
            error = caught
            setback = self._declined or self._judged(caught)
        except BaseException:
            # The server ends. Or the app wants to: a breaker must not wait for its word for ever.
            self.ended(0)
            raise
        else:
            if self._status == 0 and not replay.left:
                setback = self._declined or NO_ANSWER
        self.ended(self._judgement(setback, error))
        try:
            if setback is not None and (self._declined is not None or self._may_go_over(setback)):
                assert again is not None
                self._go_over(setback, error)
            elif error is not None:
                raise error
            else:
                return
        finally:
            # Its traceback refers to this frame.
            error = None
        await self._fall_back(setback, again)

    def _send_first(self, message: Message) -> Awaitable[None]:
        """The first app's ``send``."""
        if self._declined is not None:
            if message.get("more_body", False):
                raise Declined
            return _nothing()
        if message["type"] == "http.response.start" and self._status == 0:
            status: int = message["status"]
            setback = self._guard.declined.get(status)
            if setback is not None and self._may_go_over(setback):
                self._declined = setback
                if self._guard.remote:
                    # Its connection goes on if the whole answer is there already, and ends otherwise.
                    raise Declined
                return _nothing()
            self._status = status
            circuit = self._guard.circuit
            if circuit is not None and status < 500:
                self._known_well = circuit.begun(self._ticket, perf_counter())
        return self._send(message)

    def _judged(self, error: Exception) -> Setback | None:
        """What ``error`` means if no byte of an answer has gone out and the client is still there."""
        if self._status or self._replay.left:
            return None
        return raised(error)

    def _judgement(self, setback: Setback | None, error: Exception | None) -> int:
        """What the breaker is told. A full queue is no failure of the app: with twice as much asked for as it can do,
        half is answered, and an open breaker would have it be nothing."""
        if setback is not None:
            return 0 if setback.reason == QUEUE else setback.status
        return self._status if error is None else self._broken(error)

    def _broken(self, error: Exception) -> int:
        """For the breaker: an answer that is broken off is a failure, unless it is the client who broke off. Of an
        event stream no more can be said than that it went well until then."""
        client = self._replay.left or (isinstance(error, UpstreamError) and error.failure.side == "client")
        return self._status if client or self._status == 0 else max(self._status, 500)

    def _may_go_over(self, setback: Setback) -> bool:
        """Whether the fallback is asked. If it is not, though it should be, that is counted."""
        guard, replay = self._guard, self._replay
        if guard.fallback is None or setback.occasions.isdisjoint(guard.on):
            return False
        if not replay.whole:
            refused = "body"
        elif setback.sent and not guard.repeatable and self._request.scope["method"] not in IDEMPOTENT:
            refused = "unsafe"
        elif setback.costly and not guard.budget.spend(perf_counter()):
            refused = "budget"
        else:
            return True
        guard.recorder.count(setback.reason, refused)
        return False

    def _go_over(self, setback: Setback, error: Exception | None) -> None:
        request, lane = self._request, self._guard.fallback
        assert lane is not None
        self._tell(setback, error, lane.backend.name)
        if isinstance(error, UpstreamError):
            request.lane.recorder.upstream_failed(error.failure.stage, error.failure.name.lower())
        request.fall_back(lane, setback.status)

    async def _fall_back(self, setback: Setback, scope: Scope) -> None:
        guard, lane = self._guard, self._request.lane
        scope["state"] = lane.backend.state.copy()
        outcome = "left"
        try:
            await lane.app(scope, self._replay.again, self._send_second)
            if self._status:
                outcome = "answered" if self._status < 500 else "failed"
        except Exception:
            outcome = "failed"
            raise
        finally:
            guard.recorder.count(setback.reason, outcome)

    def _send_second(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            self._status = message["status"]
        return self._send(message)

    def _tell(self, setback: Setback, error: Exception | None, to: str) -> None:
        request = self._request
        # What the new app does not have yet is no news.
        level = logging.WARNING if setback.status >= 500 and setback.status != 501 else logging.INFO
        expected = error is None or isinstance(error, UpstreamError | Declined)
        log.log(
            level,
            "request %s: %s %s: backend %s has failed (%s), and %s is asked",
            request.id,
            request.scope["method"],
            request.scope["path"],
            request.lane.backend.name,
            f"answered {setback.status}" if error is None or isinstance(error, Declined) else error,
            to,
            exc_info=None if expected else error,
        )


async def _nothing() -> None:
    pass
