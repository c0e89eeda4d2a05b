"""One line a message, on stderr: time, level, who, what."""

from __future__ import annotations

import asyncio
import logging
import sys

_FORMAT = "%(asctime)s.%(msecs)03d %(levelname)-7s {who}: %(message)s"


def configure(who: str) -> None:
    """Set up this process' logging. ``who`` is ``control`` or ``worker 1``."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(_FORMAT.format(who=who), "%H:%M:%S"))
    # Other people's libraries log at INFO what is only of interest to themselves (httpx: every request).
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("gateway").setLevel(logging.INFO)
    # Never NOTSET: uvicorn's protocols read `logger.level` itself, and take 0 for "trace everything".
    server = logging.getLogger("uvicorn.error")
    server.setLevel(logging.WARNING)
    server.addFilter(_of_interest)


def _of_interest(record: logging.LogRecord) -> bool:
    """Drops what uvicorn says when the drain time is over, a traceback for every cut request: we say it in a line."""
    if record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError):
        return False
    return not record.getMessage().endswith("timeout graceful shutdown exceeded")
