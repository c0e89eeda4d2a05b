from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from gateway.http1.field_name import KNOWN, FieldName, field_name

TOKENS = st.text("abcXYZ019-_!#$%&'*+.^`|~", min_size=1, max_size=80).map(str.encode)


@given(TOKENS)
def test_it_is_the_name_in_lower_case_to_all_who_look_at_it(name: bytes) -> None:
    made = FieldName(name)
    lower = name.lower()
    assert made == lower
    assert lower == made
    assert hash(made) == hash(lower)
    assert {lower: 1}[made] == 1
    assert not {made}.isdisjoint((lower,))
    assert repr(made) == repr(lower)
    assert b"%b: " % made == lower + b": " == b"".join((made, b": "))
    assert made.decode() == lower.decode()
    assert Headers(raw=[(made, b"1")])[name.decode()] == "1"


@given(TOKENS)
def test_its_line_begins_as_its_sender_spelt_it(name: bytes) -> None:
    assert FieldName(name).spelling == b"\r\n" + name + b": "
    assert FieldName(name).line in (None, FieldName(name).spelling)


@pytest.mark.parametrize("name", [b"Connection", b"CONTENT-LENGTH", b"te", b"Date", b"X_A", b"_"])
def test_what_has_to_be_read_first_has_no_line_to_go_on_with(name: bytes) -> None:
    assert FieldName(name).line is None


@pytest.mark.parametrize("name", [b"", b"a b", b"a:", b"a\r\n", b"\r\na", b"\xe9", b"a\0", b"(a)", "ä".encode()])
def test_what_could_end_a_line_is_no_name(name: bytes) -> None:
    for make in (FieldName, field_name):
        with pytest.raises(ValueError, match="not the name"):
            make(name)


def test_there_is_one_object_for_each_spelling() -> None:
    assert field_name(b"X-One") is field_name(bytes(bytearray(b"X-One")))
    assert field_name(b"x-one") is not field_name(b"X-One")
    assert field_name(b"x-one") == field_name(b"X-One")


def test_invented_names_do_not_fill_the_memory() -> None:
    for number in range(3000):
        field_name(b"X-%d" % number)
    long = b"x" * 65
    assert field_name(long) == long
    assert len(KNOWN) <= 1024
    assert long not in KNOWN


def test_what_is_stored_are_plain_bytes() -> None:
    name = FieldName(b"X-A")
    for stored in (pickle.loads(pickle.dumps(name)), copy.copy(name), copy.deepcopy([name])[0]):
        assert type(stored) is bytes
        assert stored == b"x-a"
