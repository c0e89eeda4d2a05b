"""Texts of routes.yaml without the secret that may stand in them."""

from __future__ import annotations

import re

from gateway.config.document import compose
from gateway.config.loader import load_text
from gateway.config.nodes import Node, parse
from gateway.config.problem import ConfigError

MASK = "********"

# `secret: value` in a block or in braces, and in a line of a diff. `${NAME}` alone is no secret; `${NAME:-value}` is.
_KEY = re.compile(
    r"""(\bsecret["']?[ \t]*:[ \t]+)(?!["']?\$\{\w+\}["']?(?:[ \t]|[,}]|$))("[^"\n]*"|'[^'\n]*'|[^\s,}][^\n,}]*)""",
    re.MULTILINE,
)
_REFERENCE = re.compile(r"\$\{\w+\}")
_BLOCK = re.compile(r"[|>]")
_LINES_END = r"(?=[ \t]*(?:$|#|[,}]))"
_QUOTES = "\"'"
_SHORTEST = 8


def masked(text: str, *sources: str) -> str:
    """``text`` with the `override.secret` of every one of ``sources`` masked, by default of itself.

    Whatever is written at the key goes, also in a file that is too bad to be read; and so does the secret, as it is
    written and as it is meant, wherever else YAML lets it be: below the key, behind an anchor, in a comment. It goes as
    a whole: a passphrase is made of common words, and a text without those could not be read.
    """
    for source in sources or (text,):
        written = _written(source)
        first, *others = written.splitlines() or [""]
        if others:
            if not _BLOCK.match(first):
                text = re.sub(rf"(?<=[ \t]){re.escape(first.rstrip())}(?=[ \t]*$)", MASK, text, flags=re.MULTILINE)
            for line in filter(None, map(str.strip, others)):
                text = re.sub(rf"^([ +-]?[ \t]*){re.escape(line)}{_LINES_END}", rf"\1{MASK}", text, flags=re.MULTILINE)
        for whole in (written.strip(_QUOTES), _meant(source)):
            # One line at least as long as a secret must be: shorter text would be found all over the file.
            if len(whole) >= _SHORTEST and "\n" not in whole and not _REFERENCE.fullmatch(whole):
                text = text.replace(whole, MASK)
    return _KEY.sub(rf"\1{MASK}", text)


def _written(text: str) -> str:
    """The secret as the file has it, with its quotes, on one line or several."""
    text = text.removeprefix("\ufeff")
    try:
        # It bounds what parse() takes upon itself.
        compose("", text)
    except ConfigError:
        return ""
    root = parse(text)
    node: Node | None = root
    for key in ("override", "secret"):
        pair = node.get(key) if node is not None else None
        node = pair[1] if pair is not None else None
        if node is not None and node.kind == "alias":
            name = node.name
            node = next((each for each in root.walk() if each.name == name and each.kind != "alias"), None)
    return text[node.content : node.end] if node is not None and node.kind == "scalar" else ""


def _meant(text: str) -> str:
    try:
        override = load_text(text, env={}, keep_unset=True).config.override
    except ConfigError:
        return ""
    return "" if override is None or override.secret is None else override.secret
