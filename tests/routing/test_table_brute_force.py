"""The table against its own rules, read literally: look at every route, compare every two that match."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.routing.path import PathError, canonical
from gateway.routing.table import Rule, Table, TieError
from gateway.routing.template import Kind
from tests.routing.hostile import raw_paths
from tests.routing.rules import rule

_texts = st.lists(
    st.sampled_from(["a", "b", "1", "", "é", "a%2Fb", "{:int}", "{:uuid}", "{}", "{}"]), min_size=1, max_size=4
)


@st.composite
def _rules(draw: st.DrawFn) -> Rule:
    # Often one path for many rules, so that the rest of the rule decides.
    parts = draw(st.one_of(st.just(["a"]), _texts))
    if draw(st.integers(0, 2)) == 2:
        parts[-1] = "{:path}"
    path = "/" + "/".join(part.replace("{", f"{{p{at}") for at, part in enumerate(parts))
    values = st.sampled_from(["1", "2", None])
    return rule(
        path,
        draw(st.sampled_from(["", "", "GET", "POST", "GET POST"])),
        draw(st.sampled_from([None, None, None, "h.com", "x.h.com", "*.h.com", "*.x.h.com"])),
        draw(st.dictionaries(st.sampled_from(["x", "y"]), values, max_size=2)),
        draw(st.dictionaries(st.sampled_from(["q", "r"]), values, max_size=2)),
    )


def _segments_match(given: Rule, path: str) -> bool:
    """One segment at a time, on nothing but ``path.split("/")``."""
    pieces = path.split("/")[1:]
    segments = given.template.segments
    if segments[-1].kind is Kind.REST:
        if len(pieces) < len(segments) or "/".join(pieces[len(segments) - 1 :]) == "":
            return False
        pieces, segments = pieces[: len(segments) - 1], segments[:-1]
    if len(pieces) != len(segments):
        return False
    for piece, segment in zip(pieces, segments, strict=True):
        if segment.kind is Kind.LITERAL:
            if piece != segment.text:
                return False
        elif segment.kind is Kind.INT:
            if not piece or set(piece) - set("0123456789"):
                return False
        elif segment.kind is Kind.UUID:
            if [len(group) for group in piece.split("-")] != [8, 4, 4, 4, 12]:
                return False
            if set(piece) - set("0123456789abcdefABCDEF-"):
                return False
        elif not piece:
            return False
    return True


def _conditions_hold(
    r: Rule, method: str, host: str, headers: list[tuple[bytes, bytes]], query: dict[str, str]
) -> bool:
    if r.methods and method not in r.methods:
        return False
    if r.host is not None:
        if r.host.startswith("*."):
            if not host.endswith(r.host[1:]) or host == r.host[1:]:
                return False
        elif r.host != host:
            return False
    for name, value in r.headers:
        if not any(sent == name and value in (None, got) for sent, got in headers):
            return False
    return all(key in query and value in (None, query[key]) for key, value in r.query)


_RANKS = {Kind.LITERAL: 0, Kind.INT: 1, Kind.UUID: 1, Kind.SEGMENT: 2, Kind.REST: 3}


def _precedence(r: Rule) -> tuple[object, ...]:
    host = 0 if r.host is None else 1 + r.host.count(".") if r.host.startswith("*") else 99
    return (
        [_RANKS[segment.kind] for segment in r.template.segments],
        -host,
        0 if r.methods else 1,
        -len(r.headers),
        -len(r.query),
    )


def _without_ties(rules: list[Rule]) -> list[Rule]:
    try:
        Table([(r, None) for r in rules])
    except TieError as error:
        losers = {second for _, second in error.pairs}
        return [r for index, r in enumerate(rules) if index not in losers]
    return rules


_paths = st.one_of(
    raw_paths,
    st.lists(
        st.sampled_from(["a", "b", "1", "", "%C3%A9", "a%2fb", "00000000-0000-0000-0000-00000000000A"]), max_size=5
    ).map(lambda parts: ("/" + "/".join(parts)).encode()),
    st.just(b"/a"),
)


@settings(deadline=None, max_examples=200)
@given(
    rules=st.lists(_rules(), max_size=14),
    paths=st.lists(_paths, min_size=1, max_size=6),
    method=st.sampled_from(["GET", "POST", "PUT"]),
    host=st.sampled_from(["", "h.com", "x.h.com", "y.x.h.com", "z.h.com"]),
    headers=st.dictionaries(st.sampled_from([b"x", b"y"]), st.sampled_from([b"1", b"2"])),
    query=st.dictionaries(st.sampled_from(["q", "r"]), st.sampled_from(["1", "2"])),
)
def test_the_table_agrees_with_brute_force(
    rules: list[Rule], paths: list[bytes], method: str, host: str, headers: dict[bytes, bytes], query: dict[str, str]
) -> None:
    rules = _without_ties(rules)
    compiled = Table([(r, index) for index, r in enumerate(rules)])
    fields = [(b"host", host.encode()), *headers.items()]
    query_string = "&".join(f"{key}={value}" for key, value in query.items()).encode()
    for sent in paths:
        try:
            path, _ = canonical(sent)
        except PathError:
            continue
        on_path = [index for index, r in enumerate(rules) if _segments_match(r, path)]
        matching = [i for i in on_path if _conditions_hold(rules[i], method, host, fields, query)]
        best = sorted(matching, key=lambda i: _precedence(rules[i]))
        if len(best) > 1:
            # What the table let pass as free of ties is.
            assert _precedence(rules[best[0]]) != _precedence(rules[best[1]])
        assert compiled.match(method, path, fields, query_string) == (best[0] if best else None)
        explained = compiled.explain(method, path, fields, query_string)
        assert sorted(index for index, _ in explained) == on_path
        assert [index for index, reason in explained if reason is None] == best
        assert [_precedence(rules[index]) for index, _ in explained] == sorted(
            _precedence(rules[index]) for index in on_path
        )


@settings(deadline=None)
@given(st.lists(_rules(), max_size=10), st.randoms(use_true_random=False))
def test_the_order_of_the_file_is_nowhere_seen(rules: list[Rule], shuffler: random.Random) -> None:
    rules = _without_ties(rules)
    shuffled = list(rules)
    shuffler.shuffle(shuffled)
    assert Table([(r, r.order) for r in rules]).in_order() == Table([(r, r.order) for r in shuffled]).in_order()
