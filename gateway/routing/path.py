"""The one form of a request path that is both matched and passed on.

Most routing bypasses are two readers of one path that disagree: the proxy decides on ``/public/..%2Fadmin`` and the
app serves ``/admin``. Here the table decides on the very string that an embedded app gets as ``scope["path"]`` or
``PATH_INFO``, a remote gets bytes that decode to it, and what different readers read differently is refused.
"""

from __future__ import annotations

import itertools
import re


class PathError(ValueError):
    """The path is refused with 400. The text is the reason, made only of our own words: safe to show to the client."""


# RFC 3986 3.3: pchar and "/", without "%". A path of nothing else is its own canonical form, if no segment is dots.
_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/"
_UNRESERVED = frozenset(_PLAIN[: _PLAIN.index(b"!")])

# Also encoded control characters are refused, not only NUL: Starlette's patterns end in "$", which matches before a
# trailing newline, so it serves /admin for /admin%0A, a path that no route for /admin has matched.
_REFUSED = re.compile(
    rb"(?P<control>[\x00-\x20\x7f]|%(?:[01][0-9A-Fa-f]|7[Ff]))"
    rb"|(?P<backslash>\\|%5[Cc])"
    rb"|(?P<fragment>\#)"
    rb"|(?P<query>\?)"
    rb"|(?P<escape>%(?![0-9A-Fa-f]{2}))"
)
_REASONS = {
    "control": "the path has a control character or a space in it",
    "backslash": "the path has a backslash in it",
    "fragment": "the path has a fragment (#)",
    "query": "the path has a question mark in it",
    "escape": "the path has a percent sign without two hexadecimal digits after it",
}

# An encoded slash ends a dot segment too, as it does for every app that decodes it. So does ";": to servlet containers
# /..;x/ is /../, the oldest way around a proxy's path rules.
_DOT_SEGMENT = re.compile(r"(?:/|%2F)\.\.?(?:/|%2F|;|\Z)", re.IGNORECASE)

# For every byte outside ASCII, as a Latin-1 character, its escape.
_ESCAPES = {byte: f"%{byte:02X}" for byte in range(0x80, 0x100)}


def _escapes() -> dict[bytes, tuple[bytes, bytes]]:
    """What the two digits of an escape, in any case, stand for: in the decoded path, and in the forwarded one."""
    meanings: dict[bytes, tuple[bytes, bytes]] = {}
    for high, low in itertools.product("0123456789ABCDEFabcdef", repeat=2):
        byte = bytes.fromhex(high + low)
        escape = b"%%%02X" % byte[0]
        decoded = escape if byte == b"/" else byte
        meanings[f"{high}{low}".encode()] = decoded, byte if byte[0] in _UNRESERVED else escape
    return meanings


_MEANINGS = _escapes()


def canonical(raw_path: bytes) -> tuple[str, bytes]:
    """Return the path to decide on and the path to forward, for the path of a request as it was sent.

    The first is decoded once, as UTF-8, with U+FFFD for what is not UTF-8 (overlong forms of "/" and "." among it).
    Nothing decoded becomes a separator: an encoded slash stays the three characters ``%2F`` inside its segment. So
    ``path.split("/")`` are the decoded segments of the request. ``;``, ``//`` and full-width forms stay as they are.
    (Werkzeug takes the slashes that a path begins with for one, so a Flask app serves ``/admin`` for ``//admin``: what
    must not reach it by that name needs a route, or a rule in the app.)

    The second has the escapes of RFC 3986 6.2.2: hexadecimal digits in upper case, unreserved characters bare; and
    the bytes that should have been escaped, as curl sends them, are. It is its own canonical form.

    ``%25`` becomes ``%`` and is not decoded again, so ``%252F`` and ``%2F`` give the same decoded path. That is safe:
    the table and the embedded app see one string, the dot rule above reads it as a slash in both, and the forwarded
    bytes stay different. Keeping ``%25`` instead would show the apps ``100%25`` where the client said ``100%``.

    Raises PathError for what must not reach any app: dot segments, control characters and backslashes, plain or
    encoded, also beside an encoded slash; malformed escapes; a fragment or a query; no slash at the start.
    """
    # Deleting every plain byte is the cheapest test for other ones, and str finds "/." four times as fast as bytes do.
    # /.well-known is caught by it too; the long way lets it through.
    if not raw_path.translate(None, _PLAIN):
        path = raw_path.decode("ascii")
        if path[:1] == "/" and "/." not in path:
            return path, raw_path
    if raw_path[:1] != b"/":
        raise PathError("the path does not start with a slash")
    refused = _REFUSED.search(raw_path)
    if refused is not None:
        assert refused.lastgroup is not None
        raise PathError(_REASONS[refused.lastgroup])
    first, *parts = raw_path.split(b"%")
    decoded = [first]
    forwarded = [first]
    for part in parts:
        meaning, form = _MEANINGS[part[:2]]
        rest = part[2:]
        decoded += (meaning, rest)
        forwarded += (form, rest)
    path = b"".join(decoded).decode("utf-8", "replace")
    if _DOT_SEGMENT.search(path):
        raise PathError("the path has a dot segment (. or ..)")
    raw_path = b"".join(forwarded)
    if not raw_path.isascii():
        raw_path = raw_path.decode("latin-1").translate(_ESCAPES).encode("ascii")
    return path, raw_path
