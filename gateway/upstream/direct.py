"""The shorter way of the usual request: sent at once on an idle connection, answered in one piece, without a task."""

from __future__ import annotations

from abc import abstractmethod

from gateway.upstream.exchange import Exchange
from gateway.upstream.failure import UpstreamError
from gateway.upstream.headers import Fields
from gateway.upstream.limits import READ_AHEAD
from gateway.upstream.outbound import Outbound

# Where an app may have to answer itself, without sending the request on (RFC 9110 7.6.2).
_COUNTED = ("OPTIONS", "TRACE")


class DirectExchange(Exchange):
    """An exchange that is begun with ``ask``, and runs only if it must.

    A third of what a request costs is its task and its futures. As long as the answer comes whole, nobody needs them.
    Whatever else happens, ``run`` goes on from where this is, and is the one place where that is seen to.
    """

    # Whether the rest of a short answer is waited for.
    _patient = False

    def ask(self, body: bytes) -> bool:
        """Send the request, with its whole ``body``. False, and nothing is done, if that cannot be at once."""
        upstream = self._upstream
        connection = upstream.pool.take()
        if connection is None:
            return False
        outbound = None if self._scope["method"] in _COUNTED else self._whole(body)
        if outbound is None:
            upstream.pool.give_back(connection)
            return False
        self._outbound = outbound
        self._begin(connection, outbound)
        connection.owner = self
        upstream.clock.add(self)
        return True

    def _whole(self, body: bytes) -> Outbound | None:
        try:
            outbound = Outbound(self._upstream, self._scope)
            if outbound.expects_continue:
                return None
            if outbound.has_body:
                outbound.begin_body(body, more=False)
        except UpstreamError:
            # It will be raised once more, where it is told.
            return None
        return outbound

    def progress(self) -> None:
        """Called by the connection."""
        connection = self._connection
        assert connection is not None
        response = connection.response
        if response.hints or not response.complete:
            if connection.closed or response.hints or (response.head_complete and response.left > READ_AHEAD):
                self.hand_over()
            elif response.head_complete and not self._patient:
                # Many servers, gunicorn among them, write the head and the content one after the other. The client gets
                # both at once, unless the content takes its time.
                self._patient = True
                self._upstream.clock.soon(self.hand_over)
            return
        try:
            done = self.answer(response.status, self._fields(connection), connection.arrived())
        except Exception:
            # As above.
            done = False
        if done:
            connection.take()
            self.abandon()
        else:
            self.hand_over()

    def abandon(self) -> None:
        """End this. The connection goes on only if its answer has come to the end."""
        self._leave_connection()
        self._release()

    def hand_over(self) -> None:
        """Go on in a task."""
        if self._connection is not None and self._connection.owner is self:
            self._leave_connection()
            self.go_on()

    def _leave_connection(self) -> None:
        assert self._connection is not None
        self._connection.owner = None
        self._upstream.clock.remove(self)

    def _interrupt(self) -> None:
        if self._task is None:
            # Not now: the clock is looking.
            self._upstream.loop.call_soon(self.hand_over)
        else:
            super()._interrupt()

    @abstractmethod
    def answer(self, status: int, fields: Fields, content: bytes) -> bool:
        """Send the whole answer to the client. False, and nothing is done, if that cannot be at once."""

    @abstractmethod
    def go_on(self) -> None:
        """Start a task that calls ``run``."""
