from __future__ import annotations

import pytest

from gateway.control.dashboard import words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"), (0, "0"), (0.04, "<0.1"), (0.1, "0.1"), (0.25, "0.3"), (9.94, "9.9"), (12.5, "13"),
        (1234.4, "1234"), (12_345, "12.3k"),
    ],
)  # fmt: skip
def test_rates(value: float | None, text: str) -> None:
    assert words.rate(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0, "0 %"), (1e-6, "<0.1 %"), (0.001, "0.1 %"), (0.0125, "1.3 %"), (0.125, "13 %"), (1, "100 %")],
)
def test_ratios_never_round_an_error_away(value: float | None, text: str) -> None:
    assert words.ratio(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"), (0.0004, "0.4 ms"), (0.0042, "4.2 ms"), (0.042, "42 ms"), (0.9, "900 ms"), (1.25, "1.3 s"),
        (60, "60 s"),
    ],
)  # fmt: skip
def test_durations(value: float | None, text: str) -> None:
    assert words.seconds(value) == text


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (10, "10"), (12.5, "12.5"), (33.33, "33.33"), (100, "100")])
def test_weights_keep_the_decimals_they_have(value: float, text: str) -> None:
    assert words.percent(value) == text


def test_moments_are_in_utc_and_say_so() -> None:
    assert words.moment(1_700_000_000.25) == "2023-11-14 22:13:20 UTC"
    assert words.iso(1_700_000_000.25) == "2023-11-14T22:13:20.250+00:00"
