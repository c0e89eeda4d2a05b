"""What else an app may take a path for.

The table decides on one string (path.py). Apps, and the servers before them, make more of some: then two spellings lead
to one endpoint, and a client could ask an app, by the other one, for what the table sends elsewhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Final

# Werkzeug's <int:x> is \d+, which are the digits of every script, and int() reads them all.
_NUMBER: Final = re.compile(r"(?<=/)\d+(?=/|\Z)")


def read_otherwise(path: str, interfaces: Collection[str]) -> set[str]:
    """The other readings of ``path`` by an app in this process that is ``asgi`` or ``wsgi``, or by a ``remote`` one.

    An ASGI app here gets the string that was decided on, and routes by it. WSGI apps are Flask's, and Werkzeug strips
    slashes at the beginning (``werkzeug.sansio.request.Request``). Nobody knows what a remote app is, and gunicorn and
    uvicorn decode an encoded slash before it.
    """
    readings: set[str] = set()
    if "remote" in interfaces:
        decoded = path.replace("%2F", "/")
        readings |= {decoded, _stripped(decoded)}
    if "wsgi" in interfaces:
        readings.add(_stripped(path))
    if not path.isascii():
        readings |= {_NUMBER.sub(_in_ascii, reading) for reading in readings}
    return readings - {path}


def _stripped(path: str) -> str:
    return "/" + path.lstrip("/")


def _in_ascii(number: re.Match[str]) -> str:
    return "".join(str(unicodedata.decimal(digit)) for digit in number[0])
