from __future__ import annotations

import time

import pytest

from gateway.config.words import did_you_mean, listed, nearest, shorten


@pytest.mark.parametrize(
    ("word", "names", "meant"),
    [
        ("lagacy", ["legacy", "new"], "legacy"),
        ("nwe", ["legacy", "new"], "new"),
        ("LEGACY", ["legacy", "new"], "legacy"),
        ("GTE", ["GET", "DELETE"], "GET"),
        ("get", ["GET", "DELETE"], "GET"),
        ("xyz", ["legacy", "new"], None),
        ("", ["legacy"], None),
        ("new", [], None),
    ],
)
def test_the_name_that_was_meant(word: str, names: list[str], meant: str | None) -> None:
    assert nearest(word, names) == meant


def test_names_keep_their_case() -> None:
    assert did_you_mean("sessionid", ["SessionId"]) == "; did you mean 'SessionId'?"


def test_words_without_a_neighbour() -> None:
    assert did_you_mean("x", ["legacy"], otherwise="; known are a") == "; known are a"


def test_the_search_is_bounded() -> None:
    begun = time.process_time()
    assert nearest("x" * 100_000, ["y" * 100_000]) is None
    nearest("n" * 50, ("n" * 40 + str(n) for n in range(1_000_000)))
    assert time.process_time() - begun < 1


def test_lists_of_names() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b"]) == "a or b"
    assert listed(["a", "b", "c"], "and") == "a, b and c"


def test_shown_text_is_short_and_printable() -> None:
    assert shorten("x" * 100) == "x" * 60 + "…"
    assert shorten("a\nb\x1b[31m\u202ec") == "a�b�[31m�c"
