"""From the bytes of a file to text: what a routes.yaml can be at all."""

from __future__ import annotations

import codecs
import os
import stat
from typing import Final

from gateway.config.problem import ConfigError, Problem

# 10,000 routes with every key set take about 2 MB.
MAX_BYTES: Final = 4 * 1024 * 1024

NO_FILE: Final = "no such file"

EMPTY: Final = "the file is empty"

_OTHER_ENCODINGS: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


class Unreadable(ConfigError):
    """There is nothing to be right or wrong: the file is gone, blank, no file, or may not be read."""


def read(path: str | os.PathLike[str], source: str) -> bytes:
    """The bytes of the file at ``path``; one more than MAX_BYTES at most.

    Raises Unreadable for what is not there, cannot be read or is no file.
    """
    try:
        # Opening a named pipe would wait for its writer, and devices have no end.
        if not stat.S_ISREG(os.stat(path).st_mode):
            kind = "is a directory" if os.path.isdir(path) else "is not a regular file"
            raise Unreadable([Problem(source, 0, 0, kind)])
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise Unreadable([Problem(source, 0, 0, NO_FILE)]) from None
    except PermissionError:
        raise Unreadable([Problem(source, 0, 0, "no permission to read it")]) from None
    except OSError as error:
        raise Unreadable([Problem(source, 0, 0, f"cannot be read: {error.strerror or error}")]) from None
    except ValueError:
        raise Unreadable([Problem(source, 0, 0, "a path cannot have a NUL character in it")]) from None


def decode(raw: bytes, source: str) -> str:
    """``raw`` as text, a byte order mark included. Raises ConfigError."""
    if len(raw) > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES // 1024**2} MiB, the most that is read"
        raise ConfigError([Problem(source, 0, 0, message)])
    for mark, encoding in _OTHER_ENCODINGS:
        if raw.startswith(mark):
            raise ConfigError([Problem(source, 1, 1, f"the file is {encoding}; save it as UTF-8")])
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line_start = max(before.rfind(b"\n"), before.rfind(b"\r")) + 1
        line = before.replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n") + 1
        column = len(before[line_start:].decode("utf-8")) + 1
        message = f"not UTF-8: the byte 0x{raw[error.start]:02X} at offset {error.start}; save the file as UTF-8"
        raise ConfigError([Problem(source, line, column, message)]) from None
