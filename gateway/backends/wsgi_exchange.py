"""One call of a WSGI app in a thread: the server's side of PEP 3333."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable, Iterable
from types import TracebackType
from wsgiref.types import WSGIApplication, WSGIEnvironment

from gateway.backends.mailbox import Mailbox
from gateway.backends.wsgi_input import ClientDisconnected
from gateway.backends.wsgi_outbox import Outbox
from gateway.backends.wsgi_response import RawHeaders, length_field, parse_status, raw_headers, without_length

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

logger = logging.getLogger(__name__)


class IncompleteResponse(RuntimeError):
    """The app produced less than the Content-Length it had declared."""


class Exchange:
    """A job for the thread pool, and what the event loop sees of it.

    ``ready`` is resolved, once, when the first of these is there for the event loop:

    - ``error``: the app raised before it had produced anything;
    - ``status``, ``headers`` and ``body`` of a response that is complete: all of the ordinary request;
    - ``status``, ``headers`` and an ``outbox`` from which the body comes, for a response that takes longer.

    The iterable's ``close`` runs after that, in the same thread: the client does not wait for the app's teardown.

    A response that is longer than its Content-Length is cut there and logged, as gunicorn and waitress do; one that is
    shorter is an error, for the client could not tell it from a broken connection.
    """

    __slots__ = (
        "_app",
        "_bodiless",
        "_context",
        "_environ",
        "_left",
        "_mailbox",
        "_over",
        "_sent",
        "abandoned",
        "body",
        "error",
        "headers",
        "outbox",
        "ready",
        "status",
    )

    def __init__(self, app: WSGIApplication, environ: WSGIEnvironment, mailbox: Mailbox) -> None:
        self._app = app
        self._environ = environ
        self._mailbox = mailbox
        self._context = contextvars.copy_context()
        self._bodiless = False
        self._left: int | None = None  # bytes still to come of the declared length
        self._sent = False  # the head is out of the thread's hands
        self._over = False  # so is the last byte
        self.ready: asyncio.Future[None] = mailbox.loop.create_future()
        self.status = 0
        self.headers: RawHeaders = []
        self.body = b""
        self.outbox: Outbox | None = None
        self.error: Exception | None = None
        self.abandoned = False

    # In the event loop.

    def abandon(self) -> None:
        """Nobody wants the response any more: a thread that streams it is freed, and whoever waits for it."""
        self.abandoned = True
        if self.outbox is not None:
            self.outbox.abandon()

    def refuse(self, error: Exception) -> None:
        """End an exchange that will not run."""
        self.error = error
        if not self.ready.done():
            self.ready.set_result(None)

    def raise_error(self) -> None:
        """Raise the app's error, if there is one that anybody wants to know."""
        # The traceback refers to this frame and to this object; neither may refer back to it.
        error, self.error = self.error, None
        try:
            if error is not None and not (self.abandoned and isinstance(error, ClientDisconnected)):
                raise error
        finally:
            del error

    # In the thread.

    def __call__(self) -> None:
        self._context.run(self._run)

    def _run(self) -> None:
        iterable: Iterable[bytes] | None = None
        try:
            iterable = self._app(self._environ, self._start_response)
            self._send(iterable)
        except BaseException as error:
            self._fail(error)
        finally:
            # PEP 3333: close must be called, however the request ended.
            close: Callable[[], None] | None = getattr(iterable, "close", None)
            if close is not None:
                try:
                    close()
                except BaseException:
                    logger.exception("%s: close() of the response raised", self._name())

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        if exc_info is not None:
            try:
                if self._sent:
                    raise (exc_info[1] or AssertionError("the response has begun")).with_traceback(exc_info[2])
            finally:
                exc_info = None  # PEP 3333: no circular reference through the traceback
        elif self.status:
            raise AssertionError("start_response was called twice, the second time without exc_info")
        code = parse_status(status)
        raw, length = raw_headers(headers)
        # RFC 9110 section 6.4.1: whatever the app gives, these have no content.
        self._bodiless = code in (204, 304) or self._environ["REQUEST_METHOD"] == "HEAD"
        if code == 204 and length is not None:
            raw = without_length(raw)  # RFC 9110 section 8.6
        self.status = code
        self.headers = raw
        self._left = length
        return self._write

    def _write(self, data: bytes) -> None:
        """The ``write`` callable of PEP 3333."""
        if self._over:
            self._excess(data)
        else:
            self._put(data)

    def _send(self, iterable: Iterable[bytes]) -> None:
        if not self._sent and isinstance(iterable, list | tuple):
            self._send_whole(iterable[0] if len(iterable) == 1 else b"".join(iterable))
            return
        if self.status and not self._over and (self._bodiless or self._left == 0):
            self._complete(b"")
        if self._over and self._bodiless:
            return
        iterator = iter(iterable)
        if not self._over:
            for chunk in iterator:
                self._put(chunk)
                if self._over:
                    break
            else:
                self._finish()
                return
        # The client has all of it. A generator may have more to do after its last chunk.
        for chunk in iterator:
            if chunk:
                self._excess(chunk)
                break

    def _send_whole(self, body: bytes) -> None:
        if self._over:
            self._excess(body)
        elif body:
            if self._left is None and self.status and not self._bodiless:
                self._declare(len(body))
            self._put(body)
            if not self._over:
                self._finish()
        else:
            self._finish()

    def _put(self, chunk: bytes) -> None:
        if not isinstance(chunk, bytes):
            raise TypeError(f"a WSGI response is made of bytes, not {type(chunk).__name__}")
        if not chunk:
            return
        if not self.status:
            raise RuntimeError("the app produced a body before it called start_response")
        if self._bodiless:
            self._complete(b"")
            return
        left = self._left
        if left is not None:
            if len(chunk) > left:
                self._excess(chunk)
                chunk = chunk[:left]
            self._left = left = left - len(chunk)
            if left == 0:
                self._complete(chunk)
                return
        if self.outbox is None:
            self.outbox = Outbox(self._mailbox)
            if self.abandoned:  # before there was an outbox to be told
                self.outbox.gone = True
            self._hand_over()
        self.outbox.put(chunk)

    def _finish(self) -> None:
        """The app has produced all it will."""
        if self._over:
            return
        if not self.status:
            raise RuntimeError("the app returned without calling start_response")
        if self._left and not self._bodiless:
            raise IncompleteResponse(f"the response ended {self._left} bytes before its declared length")
        if not self._sent and not self._bodiless and self._left is None:
            self._declare(0)
        self._complete(b"")

    def _declare(self, length: int) -> None:
        """PEP 3333, "Handling the Content-Length Header": the server may set it when it knows."""
        self.headers.append(length_field(length))
        self._left = length

    def _complete(self, last: bytes) -> None:
        self._over = True
        if self.outbox is not None:
            self.outbox.end(last)
        else:
            self.body = last
            self._hand_over()

    def _fail(self, error: BaseException) -> None:
        if self._over:
            logger.error("%s: the app raised after the end of its response", self._name(), exc_info=error)
            return
        self._over = True
        if isinstance(error, Exception):
            failure = error
        else:
            # SystemExit, say: raised in the event loop it would end the server.
            failure = RuntimeError(f"the app raised {type(error).__name__}")
            failure.__cause__ = error
        if self.outbox is not None:
            self.outbox.end(error=failure)
        else:
            self.error = failure
            self._hand_over()

    def _hand_over(self) -> None:
        self._sent = True
        if not self._mailbox.resolve(self.ready) and self.outbox is not None:
            self.outbox.gone = True  # the loop is closed

    def _excess(self, data: bytes) -> None:
        if data and not self._bodiless:
            logger.warning("%s: the response is longer than its Content-Length and was cut there", self._name())

    def _name(self) -> str:
        return f"{self._environ.get('REQUEST_METHOD')} {self._environ.get('PATH_INFO')!r}"
