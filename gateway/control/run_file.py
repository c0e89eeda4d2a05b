"""How the command line finds the gateway that serves a file: ``run.json`` in its state folder, and a lock beside it.

The lock says whether the gateway runs, the file says where. The kernel lets go of a lock when its holder ends, however
that happens, so a file that a killed gateway has left behind misleads nobody; and it tells the process apart from
another that has got its number since.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from gateway.history.folder import make_private, put

logger = logging.getLogger("gateway.control")

_LOCK: Final = "lock"
_FILE: Final = "run.json"
# Seconds. A command that asks whether a gateway runs holds the lock for some microseconds.
_PATIENCE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Run:
    """A gateway that runs. ``admin`` is the URL of its admin listener, None if it has none; ``routes`` its file."""

    pid: int
    admin: str | None
    routes: str


class RunFile:
    """Held for as long as the gateway runs."""

    def __init__(self, folder: Path, lock: int) -> None:
        self._path = folder / _FILE
        self._lock = lock

    @classmethod
    def take(cls, folder: Path) -> Self | None:
        """None where another gateway has this state folder. Raises OSError where the folder cannot be used."""
        make_private(folder)
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        until = time.monotonic() + _PATIENCE
        try:
            while not _try(lock, fcntl.LOCK_EX):
                if time.monotonic() > until:
                    os.close(lock)
                    return None
                time.sleep(0.01)
        except BaseException:
            os.close(lock)
            raise
        return cls(folder, lock)

    def write(self, run: Run) -> None:
        """Say where it runs. Raises OSError."""
        put(self._path, json.dumps(asdict(run)).encode() + b"\n")

    def release(self) -> None:
        self._path.unlink(missing_ok=True)
        os.close(self._lock)


def running(folder: Path) -> Run | None:
    """The gateway that has this state folder, if one runs. Raises PermissionError where that cannot be looked up."""
    try:
        lock = os.open(folder / _LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        if _try(lock, fcntl.LOCK_SH):
            return None
    finally:
        os.close(lock)
    try:
        data = json.loads((folder / _FILE).read_bytes())
        return Run(pid=int(data["pid"]), admin=data["admin"], routes=str(data["routes"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        # It has not written it yet, or is just ending.
        return None


def _try(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
