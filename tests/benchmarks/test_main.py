from __future__ import annotations

import importlib.util

import pytest

from benchmarks.__main__ import NAMES, main


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_exists(name: str) -> None:
    assert importlib.util.find_spec(f"benchmarks.{name}") is not None


def test_an_unknown_name_is_refused_with_the_names_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reload", "relaod"]) == 2
    assert "no benchmark named relaod; there are: routing, " in capsys.readouterr().err
