"""Every target over its corpus, and over what hypothesis makes of it in a few seconds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.corpus import seeds
from tests.fuzz.targets import TARGETS

CASES = [(name, number) for name in TARGETS for number in range(len(seeds(name)))]


@pytest.mark.parametrize(("name", "number"), CASES)
def test_a_seed_holds(name: str, number: int) -> None:
    TARGETS[name](seeds(name)[number])


@st.composite
def mutated(draw: st.DrawFn, name: str) -> bytes:
    """A seed with pieces of others, and of nothing known, in the place of some of its own."""
    known = seeds(name)
    data = draw(st.sampled_from(known))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 12)))
        other = draw(st.sampled_from(known))
        begin = draw(st.integers(0, len(other)))
        piece = draw(st.one_of(st.binary(max_size=6), st.just(other[begin : begin + 20]), st.just(data[start:end] * 2)))
        data = data[:start] + piece + data[end:]
    return data


@pytest.mark.parametrize("name", TARGETS)
@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_what_is_like_a_seed_holds(name: str, data: st.DataObject) -> None:
    TARGETS[name](data.draw(mutated(name)))


@pytest.mark.parametrize("name", TARGETS)
@settings(deadline=None, max_examples=100)
@given(data=st.binary(max_size=64))
def test_anything_holds(name: str, data: bytes) -> None:
    TARGETS[name](data)
