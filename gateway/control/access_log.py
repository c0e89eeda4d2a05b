"""Where the access log goes: from the command line, through a worker's options, to an open file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.telemetry.access_line import Format
from gateway.telemetry.access_log import AccessLog
from gateway.telemetry.log_file import LogFile
from gateway.telemetry.slots import SlotFile

OFF: Final = "off"
STDOUT: Final = "-"


class AccessLogError(Exception):
    """``str()`` is one line for the user."""


@dataclass(frozen=True, slots=True)
class LogTarget:
    """``place`` is a path, ``-`` for standard output, or ``off``.

    Standard output is then ``descriptor``: the workers' own is the standard error, for what apps print.
    """

    place: str = OFF
    form: Format = "text"
    descriptor: int = -1

    @property
    def inherited(self) -> tuple[int, ...]:
        """What a worker must get from the control process."""
        return (self.descriptor,) if self.descriptor >= 0 else ()

    def open(self, slots: SlotFile) -> AccessLog | None:
        """A worker's log. Raises OSError."""
        if self.place == OFF:
            return None
        if self.place == STDOUT:
            # Ours alone: what the apps start must not keep it open.
            os.set_inheritable(self.descriptor, False)
            file = LogFile(None, self.descriptor)
        else:
            file = LogFile(Path(self.place))
        return AccessLog(file, self.form, slots)


NO_LOG: Final = LogTarget()


@contextlib.contextmanager
def log_target(place: str, form: Format) -> Iterator[LogTarget]:
    """For as long as the control process runs. Raises AccessLogError if nothing can be written there."""
    if place == OFF:
        yield NO_LOG
        return
    if place != STDOUT:
        yield LogTarget(_writable(place), form)
        return
    try:
        descriptor = os.dup(1)
    except OSError as error:
        raise AccessLogError(f"--access-log: there is no standard output: {error.strerror}") from error
    try:
        yield LogTarget(STDOUT, form, descriptor)
    finally:
        os.close(descriptor)


def _writable(place: str) -> str:
    """The absolute path: the workers may have another working directory."""
    path = Path(place).absolute()
    try:
        LogFile(path).close()
    except OSError as error:
        raise AccessLogError(f"--access-log: {path} cannot be written: {error.strerror}") from error
    return str(path)
