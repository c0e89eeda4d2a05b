"""Texts of routes.yaml without the secret that may stand in them."""

from __future__ import annotations

import re

from gateway.config.loader import load_text
from gateway.config.problem import ConfigError

MASK = "********"

# `secret: value` in a block or in braces, and in a line of a diff. `${NAME}` alone is no secret; `${NAME:-value}` is.
_KEY = re.compile(
    r"""(\bsecret["']?[ \t]*:[ \t]+)(?!["']?\$\{\w+\}["']?(?:[ \t]|[,}]|$))("[^"\n]*"|'[^'\n]*'|[^\s,}][^\n,}]*)""",
    re.MULTILINE,
)


def masked(text: str, *sources: str) -> str:
    """``text`` with the `override.secret` of every one of ``sources`` masked, by default of itself.

    Whatever is written at the key goes, also in a file that is too bad to be read; and so do the secret's own words,
    wherever else YAML lets them be: below the key, behind an anchor, in a comment.
    """
    result = _KEY.sub(rf"\1{MASK}", text)
    for source in sources or (text,):
        for word in _secret(source).split():
            result = result.replace(word, MASK)
    return result


def _secret(text: str) -> str:
    try:
        override = load_text(text, env={}, keep_unset=True).config.override
    except ConfigError:
        return ""
    secret = "" if override is None or override.secret is None else override.secret
    # A reference that stays one is no secret.
    return "" if secret.startswith("${") else secret
