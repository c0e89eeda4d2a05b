"""Who may do what on the admin listener: tokens, and the rights they give."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, MutableMapping
from enum import IntEnum
from pathlib import Path

# In the environment: one that may change, and one that may only read.
CHANGE_VARIABLE = "GATEWAY_ADMIN_TOKEN"
READ_VARIABLE = "GATEWAY_ADMIN_READ_TOKEN"

# Characters. Of random ones this is far beyond guessing; of a word it at least says that a word is not meant.
SHORTEST = 16


class Right(IntEnum):
    """Each includes those before it."""

    NONE = 0
    READ = 1
    CHANGE = 2


class TokenError(Exception):
    """``str()`` is one line for the user, and never has a token in it."""


class Tokens:
    """The tokens that are accepted. Without any there is no authentication."""

    def __init__(self, tokens: Iterable[tuple[Right, str]] = ()) -> None:
        self._tokens = [(right, token.encode()) for right, token in tokens]

    def __repr__(self) -> str:
        return f"<{len(self)} tokens>"

    def __len__(self) -> int:
        return len(self._tokens)

    def right(self, token: str) -> Right:
        """What ``token`` gives. Takes as long for a wrong one as for the right one."""
        given = token.encode("utf-8", "surrogateescape")
        best = Right.NONE
        for right, known in self._tokens:
            if hmac.compare_digest(given, known):
                best = max(best, right)
        return best


def take_tokens(environment: MutableMapping[str, str], file: Path | None) -> Tokens:
    """Those of the environment and those of ``file``. Raises TokenError.

    They are taken out of the environment, which the workers inherit: the apps are not to find them there.

    A line of the file is ``change TOKEN`` or ``read TOKEN``; blank lines and those that begin with # are left out.
    """
    found: list[tuple[Right, str]] = []
    for right, name in ((Right.CHANGE, CHANGE_VARIABLE), (Right.READ, READ_VARIABLE)):
        if token := environment.pop(name, ""):
            found.append((right, _checked(token, name)))
    if file is not None:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise TokenError(f"the token file {file} cannot be read: {reason}") from None
        entries = [_entry(line, f"{file}:{number}") for number, line in enumerate(lines, 1) if _says_something(line)]
        if not entries:
            raise TokenError(f"{file} has no token; a line of it is `change TOKEN` or `read TOKEN`")
        found += entries
    return Tokens(found)


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _entry(line: str, place: str) -> tuple[Right, str]:
    words = line.split()
    rights = {"read": Right.READ, "change": Right.CHANGE}
    # What stands there instead is not repeated: it may be the token.
    if len(words) != 2 or words[0] not in rights:
        raise TokenError(f"{place}: not `change TOKEN` or `read TOKEN`")
    return rights[words[0]], _checked(words[1], place)


def _checked(token: str, place: str) -> str:
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise TokenError(f"{place}: a token is of printable ASCII characters, without a space")
    if len(token) < SHORTEST:
        raise TokenError(
            f"{place}: the token is too short; {SHORTEST} characters at least, "
            "such as `python -c 'import secrets; print(secrets.token_urlsafe())'` makes"
        )
    return token
