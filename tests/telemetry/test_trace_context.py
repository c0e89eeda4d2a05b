from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.telemetry.trace_context import Parent, drawn, new_span_id, new_trace_id, read, write

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


def of(*values: str) -> Parent | None:
    return read([(b"host", b"a"), *((b"traceparent", value.encode("latin-1")) for value in values)])


def test_a_parent_is_read() -> None:
    assert of(GOOD) == Parent(int(TRACE, 16), int(SPAN, 16), True)
    assert of(f"00-{TRACE}-{SPAN}-00") == Parent(int(TRACE, 16), int(SPAN, 16), False)


def test_flags_that_are_not_known_are_ignored() -> None:
    """3.2.2.5"""
    assert of(f"00-{TRACE}-{SPAN}-fe") == Parent(int(TRACE, 16), int(SPAN, 16), False)
    assert of(f"00-{TRACE}-{SPAN}-ff") == Parent(int(TRACE, 16), int(SPAN, 16), True)


@pytest.mark.parametrize("value", [f"01-{TRACE}-{SPAN}-01", f"cc-{TRACE}-{SPAN}-01-what-comes-later"])
def test_of_a_later_version_what_is_known_is_read(value: str) -> None:
    """4.3"""
    assert of(value) == Parent(int(TRACE, 16), int(SPAN, 16), True)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "00",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01-",
        f"00-{TRACE}-{SPAN}-01-more",
        f"01-{TRACE}-{SPAN}-01more",
        f" {GOOD}",
        f"{GOOD}\n",
        f"{GOOD}, {GOOD}",
    ],
)
def test_what_is_not_valid_is_none(value: str) -> None:
    assert of(value) is None


def test_two_are_none() -> None:
    assert of(GOOD, GOOD) is None


def test_none_is_none() -> None:
    assert of() is None


@given(st.integers(1, (1 << 128) - 1), st.integers(1, (1 << 64) - 1), st.booleans())
def test_what_is_written_is_read(trace_id: int, span_id: int, sampled: bool) -> None:
    value = write(trace_id, span_id, sampled=sampled)
    assert len(value) == 55
    assert read([(b"traceparent", value)]) == Parent(trace_id, span_id, sampled)


@given(st.binary(max_size=80))
def test_nothing_that_is_written_is_an_error(value: bytes) -> None:
    parent = read([(b"traceparent", value)])
    assert parent is None or (parent.trace_id and parent.span_id)


def test_ids_differ() -> None:
    assert len({new_trace_id() for _ in range(1000)}) == len({new_span_id() for _ in range(1000)}) == 1000


def test_a_share_is_kept() -> None:
    assert not any(drawn(0.0) for _ in range(1000))
    assert all(drawn(1.0) for _ in range(1000))
    assert 2300 < sum(drawn(0.25) for _ in range(10_000)) < 2700
