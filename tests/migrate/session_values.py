"""Values that a Flask session can hold, for the property tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st
from markupsafe import Markup

# Keys that look like tags are the reason for the " di" tag.
tag_like = st.sampled_from([" t", " b", " m", " u", " d", " di", " t__", " di__", "__", " x"])
keys = st.one_of(st.text(max_size=5), tag_like)

aware_times = st.datetimes(
    min_value=datetime(1000, 1, 3), timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])
)
leaves: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=8),
    st.binary(max_size=8),
    st.uuids(),
    st.text(max_size=8).map(Markup),
    aware_times.map(lambda value: value.replace(microsecond=0)),
)


def _nested(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(children, max_size=3)
    return st.one_of(lists, lists.map(tuple), st.dictionaries(keys, children, max_size=3))


values: st.SearchStrategy[Any] = st.recursive(leaves, _nested, max_leaves=8)
sessions: st.SearchStrategy[dict[str, Any]] = st.dictionaries(keys, values, max_size=4)
