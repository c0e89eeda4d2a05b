from __future__ import annotations

import pytest

from benchmarks import wrk
from benchmarks.load import WrongAnswerError


def test_the_figures_of_wrk_become_seconds() -> None:
    told = "Running 1s test\n\nfigures 5000 1001000 250 1750 0 0 \n"
    assert wrk.read(told, "") == wrk.Load(answers=5000, seconds=1.001, p50=0.00025, p99=0.00175)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("figures 5000 1001000 250 1750 3 0 502 Bad Gateway", "3 of 5000 answers were wrong.*502 Bad Gateway"),
        ("figures 5000 1001000 250 1750 0 2 ", "2 requests failed"),
        ("figures 0 1001000 0 0 0 0 ", "of 0 answers"),
        ("unable to connect", "did not say"),
    ],
)
def test_a_run_with_a_wrong_answer_or_none_is_not_measured(line: str, says: str) -> None:
    with pytest.raises(WrongAnswerError, match=says):
        wrk.read(line + "\n", "")


def test_a_payload_survives_as_a_lua_string() -> None:
    assert wrk.lua_string(b'a"\r\n\\1') == '"\\097\\034\\013\\010\\092\\049"'
