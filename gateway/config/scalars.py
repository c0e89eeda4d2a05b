"""What a plain YAML word means: YAML 1.2, not 1.1.

PyYAML reads YAML 1.1, where ``NO`` is false, ``012`` is ten, ``12:30`` is 750 and ``2024-01-01`` is a date: a method,
a version header or a host would silently become something else. Here a plain word is text unless it is ``null``,
``true``, ``false`` or a decimal number as everyone writes it.
"""

from __future__ import annotations

import re

# Bounded, so that a number of a million digits stays text: int() is quadratic in the digits and refuses 4,301 of them.
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})?\.(?:[0-9]{1,18})|[-+]?(?:0|[1-9][0-9]{0,17})\.")

_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_NUMBER_STARTS = frozenset("0123456789+-.")


def resolve(word: str) -> str | int | float | bool | None:
    """The value of a plain (unquoted, untagged) scalar."""
    if word in _WORDS:
        return _WORDS[word]
    if word[0] in _NUMBER_STARTS:
        if _INTEGER.fullmatch(word):
            return int(word)
        if _DECIMAL.fullmatch(word):
            return float(word)
    return word
