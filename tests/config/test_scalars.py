from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.scalars import resolve


@pytest.mark.parametrize("word", ["", "~", "null", "Null", "NULL"])
def test_null(word: str) -> None:
    assert resolve(word) is None


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("true", True),
        ("False", False),
        ("0", 0),
        ("90", 90),
        ("-3", -3),
        ("+3", 3),
        ("0.5", 0.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("-12.25", -12.25),
    ],
)
def test_numbers_and_booleans(word: str, value: object) -> None:
    resolved = resolve(word)
    assert resolved == value
    assert type(resolved) is type(value)


@pytest.mark.parametrize(
    "word",
    [
        *("yes", "no", "on", "off", "y", "NO", "ON"),  # booleans in YAML 1.1
        *("012", "0o14", "0x1F", "0b1", "1_000"),  # numbers in YAML 1.1
        *("12:30", "1:30:00", "192:168"),  # 12:30 is 750 in YAML 1.1
        *("2024-01-01", "2024-01-01T00:00:00Z"),  # dates in YAML 1.1
        *("1e3", ".inf", "-.inf", ".nan", "=", "<<", "90%", "-", "+", ".", "-.", "1.2.3"),
    ],
)
def test_all_else_is_text_as_it_was_written(word: str) -> None:
    assert resolve(word) == word


def test_a_number_of_a_million_digits_stays_text() -> None:
    word = "9" * 1_000_000
    assert resolve(word) is word


@given(st.text(max_size=30))
def test_never_raises(word: str) -> None:
    assert resolve(word) is None or isinstance(resolve(word), str | int | float | bool)
