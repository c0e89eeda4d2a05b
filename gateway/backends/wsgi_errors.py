"""``wsgi.errors``: what an app writes there becomes lines of the log."""

from __future__ import annotations

import io
import logging
import sys
import threading


class ErrorLog(io.TextIOBase):
    """A text stream; each line, or group of lines written at once, is one record of ``logger`` at ERROR.

    Threads write to one object at the same time, so what has no line end yet is kept for each thread.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._local = threading.local()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        text_so_far = getattr(self._local, "text", "") + text
        if text_so_far.endswith("\n"):
            self._local.text = ""
            self._log(text_so_far)
        else:
            self._local.text = text_so_far
        return len(text)

    def flush(self) -> None:
        text = getattr(self._local, "text", "")
        if text:
            self._local.text = ""
            self._log(text)

    def _log(self, text: str) -> None:
        # Flask's documentation has the root logger write to wsgi.errors. This record would go to that logger, come
        # back here, and so on without end.
        if getattr(self._local, "logging", False):
            sys.stderr.write(text)
            return
        self._local.logging = True
        try:
            self._logger.error("%s", text.rstrip("\n"))
        finally:
            self._local.logging = False
