"""The name of a header field: how its sender spelt it, and what it is to those who pass it on.

Case means nothing in a name (RFC 9110 5.1), ASGI has lower case, and so does the gateway where it compares. But clients
and apps exist that look for ``X-API-Key`` and know no ``x-api-key``: what is passed on is spelt as it came.
"""

from __future__ import annotations

import re
from typing import Any, Final

# What a field is. PLAIN ones go on unread. DATE and SERVER are bits: response_head.py adds them up.
PLAIN, DATE, SERVER = 0, 1, 2
CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION, TE, EXPECT, MAX_FORWARDS = 3, 4, 5, 6, 7, 8
# Of one connection (RFC 9110 7.6.1), whether or not Connection names them. Proxy-Connection is an old mistake that is
# still sent. A trailer is announced only by who sends one (RFC 9110 6.6.2).
OF_ONE_HOP = 9
# For or by a proxy that asks for authentication (RFC 9110 11.7), which is the next one to the client; and Upgrade.
OF_THE_NEXT = 10
# May pose as the name with dashes (upstream/headers.py).
UNDERSCORED = 11

KINDS: Final = {
    b"date": DATE,
    b"server": SERVER,
    b"content-length": CONTENT_LENGTH,
    b"transfer-encoding": TRANSFER_ENCODING,
    b"connection": CONNECTION,
    b"te": TE,
    b"expect": EXPECT,
    b"max-forwards": MAX_FORWARDS,
    b"keep-alive": OF_ONE_HOP,
    b"proxy-connection": OF_ONE_HOP,
    b"trailer": OF_ONE_HOP,
    b"upgrade": OF_THE_NEXT,
    b"proxy-authenticate": OF_THE_NEXT,
    b"proxy-authorization": OF_THE_NEXT,
    b"proxy-authentication-info": OF_THE_NEXT,
}

_TOKEN: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNDERSCORE: Final = b"_"

_MEMORY: Final = 1024
_LONGEST_KNOWN: Final = 64


class FieldName(bytes):
    """A name in lower case that remembers its spelling.

    It is equal to the plain bytes, with the same hash: all that lies between two connections takes it for them.

    ``spelling`` is the beginning of its line, with the line end before it: ``b"\\r\\nContent-Type: "``. ``line`` is the
    same where ``kind`` is PLAIN, and None otherwise. An attribute is found as fast as the entry of a table, and knows
    one spelling from the other.
    """

    kind: int
    line: bytes | None
    spelling: bytes

    def __new__(cls, name: bytes) -> FieldName:
        """Raises ValueError for what is no token (RFC 9110 5.6.2): it could end the line."""
        if _TOKEN.fullmatch(name) is None:
            raise ValueError(f"{name!r} is not the name of a header field")
        lower = name.lower()
        made = super().__new__(cls, lower)
        made.kind = KINDS.get(lower, UNDERSCORED if _UNDERSCORE in name else PLAIN)
        made.spelling = b"\r\n%b: " % name
        made.line = None if made.kind else made.spelling
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled and copied as the plain bytes: an app may store its request where nobody knows this class."""
        return bytes, (bytes(self),)


# The one object for each spelling. To be read by whoever cannot spare a call.
KNOWN: Final[dict[bytes, FieldName]] = {}


def field_name(name: bytes) -> FieldName:
    """The object for this spelling, which is remembered unless it is very long. Raises ValueError for no name."""
    known = KNOWN.get(name)
    if known is None:
        known = FieldName(name)
        if len(name) <= _LONGEST_KNOWN:
            if len(KNOWN) >= _MEMORY:
                # Names can be invented without end.
                KNOWN.clear()
            KNOWN[name] = known
    return known
