"""Starting the apps that stand behind the proxies."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from benchmarks.server import Server, free_port, running


def quick() -> contextlib.AbstractContextManager[Server]:
    """Small answers, and event streams."""
    return _app("an app on the bare event loop", "benchmarks.apps.quick")


def bulk() -> contextlib.AbstractContextManager[Server]:
    """Large bodies."""
    return _app("an app that copies nothing", "benchmarks.apps.bulk")


@contextlib.contextmanager
def _app(name: str, module: str) -> Iterator[Server]:
    port = free_port()
    with running(name, [sys.executable, "-m", module, str(port)], port) as server:
        yield server
