"""Paths as attackers and odd clients send them."""

from __future__ import annotations

from hypothesis import strategies as st

# Everything that has ever made two readers of a path disagree, and some that never should.
_PIECES = [
    *(b"/", b"//", b"%2F", b"%2f", b"%252F", b"%252f", b"%25", b"%2525"),
    *(b".", b"..", b"%2e", b"%2E%2e", b"%252e", b"...", b".well-known"),
    *(b"\\", b"%5c", b"%5C", b"%255c", b";", b"..;", b";a=1", b"%3b"),
    *(b"%00", b"\x00", b"%0a", b"%0D%0A", b"\n", b"\t", b" ", b"%20", b"%7f", b"+", b"?", b"#", b"%3F", b"%23"),
    *(b"%", b"%2", b"%zz", b"%%", b"%u002f"),
    *(b"%c0%af", b"%c0%ae%c0%ae", b"\xc0\xaf", b"%e0%80%af", b"%ed%a0%80", b"%ff", b"\xff", b"%c3", b"\xc3"),
    *("é".encode(), b"%c3%a9", b"%C3%A9", "／".encode(), b"%ef%bc%8f", "．．".encode(), b"%e2%80%a8"),
    *(b"admin", b"%61dmin", b"Admin", b"a", b"b", b"1", b"42", b"%34%32", b"\xd9\xa1"),
    b"00000000-0000-0000-0000-00000000000A",
    *(b"~", b"%7E", b"-", b"_", b"{id}", b"<x>", b'"', b"|", b"^", b"@", b":80"),
]

_soup = st.lists(st.sampled_from(_PIECES), max_size=8).map(b"".join)
_segments = st.lists(st.sampled_from([b"admin", b"a", b"b", b"42", b"", b"%2F", b"a%2Fb", b"x;y"]), max_size=5)

# Mostly with a slash at the start, or little would get past the first check.
raw_paths = st.one_of(
    _soup.map(lambda raw: b"/" + raw),
    _segments.map(lambda parts: b"/" + b"/".join(parts)),
    _soup,
    st.binary(max_size=12).map(lambda raw: b"/" + raw),
)
