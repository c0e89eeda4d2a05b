"""What a newcomer's typing mistakes are answered with: the place of the mistake and what to do about it."""

from __future__ import annotations

import pytest
import yaml

from gateway.config import document
from gateway.config.document import compose
from gateway.config.problem import ConfigError

COLON = "a ':' is not expected here: "

QUOTES = "put text that has ': ' in it in quotes, or check the indentation"

CONFLICT = "a merge conflict was left here: keep one side, and delete the marks"

MISTAKES = [
    ("routes:\n\t- path: /x\n", "2:1: a tab is used for indentation; YAML wants spaces"),
    ("routes:\n  - path: /x\n\tto: new\n", "3:1: a tab is used for indentation; YAML wants spaces"),
    ("routes:\n  - path: /x\n  \tto: new\n", "3:3: a tab is used for indentation; YAML wants spaces"),
    ("host: *.example.com\n", "1:7: text that begins with * must be in quotes"),
    ("host: @example\n", "1:7: text that begins with @ must be in quotes"),
    ("host: `example`\n", "1:7: text that begins with ` must be in quotes"),
    ("host: %example\n", "1:7: text that begins with % must be in quotes"),
    ("a:\n  - b\n  - \tc: d\n", "3:5: text that begins with a tab must be in quotes"),
    ("- {path: /books/{id}, to: new}\n", "1:17: inside { } or [ ], put text that has {…} in it in quotes"),
    ("a: {app: ${APP}}\n", "1:11: inside { } or [ ], put text that has {…} in it in quotes"),
    ("path: {id}/x\n", "1:11: nothing can follow the closing } on this line: put the whole value in quotes"),
    ("name: 'a' b\n", "1:11: nothing can follow the closing ' on this line: put the whole value in quotes"),
    ("to: {legacy: 90, new: 10\nx: 1\n", "1:5: the '{' that opens here is never closed with '}'"),
    ("methods: [GET\nto: new\n", "1:10: the '[' that opens here is never closed with ']'"),
    ("methods: [GET, POST\n", "1:10: the '[' that opens here is never closed with ']'"),
    ("to: {legacy: 90,\n", "1:5: the '{' that opens here is never closed with '}'"),
    ("a: {methods: [GET]}\nto: [\n", "2:5: the '[' that opens here is never closed with ']'"),
    ("a: [[GET], {to:\n", "1:12: the '{' that opens here is never closed with '}'"),
    ("a: [,]\n", "1:5: expected a value, found ','"),
    ("a: {b: [}\n", "1:9: expected a value, found '}'"),
    ("to: {legacy: 90 new: 10}\n", f"1:20: {COLON}is a ',' missing before the word in front of it?"),
    ("a: {b: [c}\n", "1:10: expected ',' or ']' here"),
    ("name: 'unfinished\nto: new\n", "1:7: the quote that opens here is never closed"),
    ('name: "a\\d"\n', "1:9: unknown escape in double quotes; write '\\\\' for a backslash, or use single quotes"),
    ("version: 1\nbackends\ndefault: a\n", "2:1: a ':' is missing after this word"),
    ("default: legacy: x\n", f"1:16: {COLON}{QUOTES}"),
    ("a:\n  b: 1\n c: 2\n", "3:2: this line does not fit the lines above: is its indentation right?"),
    ("a:\n  - b\n  c: 1\n", "3:3: expected '- ' here, as on the lines above: is the indentation right?"),
    ("a: ]\n", "1:4: expected a value, found ']'"),
    ("a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> branch\n", f"2:1: {CONFLICT}"),
    ("to:\n  - b\n<<<<<<< HEAD\n  - c\n", f"3:1: {CONFLICT}"),
    ("{a: 1}}\n", "1:7: '}' is not expected here: what it closes was never opened"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_says_where_and_what_to_do(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compose("f", text)
    assert str(caught.value) == f"f:{message}"


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_the_other_parser_is_understood_too(text: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "_LOADER", yaml.SafeLoader)
    with pytest.raises(ConfigError) as caught:
        compose("f", text)
    # The two do not agree on the column of everything.
    line, _, words = message.split(":", 2)
    assert str(caught.value).startswith(f"f:{line}:")
    assert str(caught.value).endswith(words)


def test_what_has_no_words_of_its_own_is_passed_on() -> None:
    with pytest.raises(ConfigError, match=r"^f:1:4: this is not YAML: found undefined tag handle$"):
        compose("f", "a: !x!y z")
