from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Invoke
from tests.cli.project import ROUTES


@pytest.mark.parametrize(
    ("shares", "written"),
    [
        (["new=25"], "{legacy: 75, new: 25}"),
        (["new=25%"], "{legacy: 75, new: 25}"),
        (["new=0.5"], "{legacy: 99.5, new: 0.5}"),
        (["new=33.33", "legacy=66.67"], "{legacy: 66.67, new: 33.33}"),
        (["new=100"], "new"),
        (["new=0"], "legacy"),
    ],
)
def test_the_rest_goes_to_the_default(folder: Path, invoke: Invoke, shares: list[str], written: str) -> None:
    done = invoke("split", "/books", *shares)
    assert done.code == 0, done.err
    assert (folder / "routes.yaml").read_text() == ROUTES.replace("{legacy: 90, new: 10}", written)


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        (["new"], "'new' is not a backend and a percentage with up to two decimals, such as new=25"),
        (["new="], "'new=' is not a backend"),
        (["new=1.234"], "'new=1.234' is not a backend"),
        (["new=-1"], "'new=-1' is not a backend"),
        (["new=1e2"], "'new=1e2' is not a backend"),
        (["new=5", "new=6"], "'new' is given twice"),
        (["new=101"], "a split has percentages from 0 to 100"),
        (["new=60", "legacy=50"], "the percentages add up to 110, more than 100"),
        (["new=60", "legacy=10"], "the percentages add up to 70, not 100; leave out legacy, and it gets the rest"),
        (["nwe=5"], "no backend is called 'nwe'; did you mean 'new'?"),
    ],
)
def test_what_is_no_split_is_exit_code_2(folder: Path, invoke: Invoke, shares: list[str], message: str) -> None:
    done = invoke("split", "/books", *shares)
    assert done.code == 2
    assert message in " ".join(done.err.split())
    assert (folder / "routes.yaml").read_text() == ROUTES


def test_who_moves_is_said(folder: Path, invoke: Invoke) -> None:
    assert "  15 % of the users move from legacy to new\n" in invoke("split", "/books", "new=25").out
    assert "  5 % of the users move from new to legacy\n" in invoke("split", "/books", "new=20").out
