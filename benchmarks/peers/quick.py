"""The app of our own that costs next to nothing."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from benchmarks.server import Server, free_port, running


@contextlib.contextmanager
def quick() -> Iterator[Server]:
    """See benchmarks/apps/quick.py."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.apps.quick", str(port)]
    with running("an app on the bare event loop", command, port) as server:
        yield server
