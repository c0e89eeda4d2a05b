from __future__ import annotations

from gateway.routing.leaf import Leaf
from gateway.routing.particulars import Particulars
from gateway.routing.rule import Rule
from tests.routing.rules import rule

_asked: list[Rule] = []


class Counted(Rule):
    """A rule that notes that it was asked."""

    __slots__ = ()

    def holds(self, particulars: Particulars) -> bool:
        _asked.append(self)
        return super().holds(particulars)


def counted(host: str | None = None) -> Rule:
    plain = rule("/", host=host)
    return Counted(plain.template, plain.methods, plain.host)


def particulars(host: str) -> Particulars:
    return Particulars([(b"host", host.encode())], b"")


def test_a_thousand_hosts_are_not_looked_through() -> None:
    rules = [counted(f"h{n}.example.com") for n in range(1000)]
    rules += [counted(f"*.w{n}.example.com") for n in range(1000)]
    rules.append(counted())
    leaf = Leaf([(r, r.host) for r in sorted(rules, key=lambda r: r.order)])
    for host, found in [
        ("h999.example.com", "h999.example.com"),
        ("x.w7.example.com", "*.w7.example.com"),
        ("else.example.com", None),
    ]:
        _asked.clear()
        entry = leaf.pick("GET", particulars(host))
        assert entry is not None
        assert entry[1] == found
        assert len(_asked) == 1


def test_a_method_that_a_host_does_not_take_falls_through_to_a_less_specific_host() -> None:
    entries = [
        (rule("/", "GET", host="shop.example.com"), "exact"),
        (rule("/", "PUT GET", host="*.example.com"), "wildcard"),
        (rule("/"), "any"),
    ]
    leaf = Leaf(entries)
    assert [
        entry and entry[1]
        for entry in (leaf.pick(method, particulars("shop.example.com")) for method in ("GET", "PUT", "POST"))
    ] == ["exact", "wildcard", "any"]


def test_a_condition_that_does_not_hold_falls_through_to_the_rule_for_any_method() -> None:
    entries = [(rule("/", "GET", headers={"x-beta": "1"}), "beta"), (rule("/"), "any")]
    entry = Leaf(entries).pick("GET", particulars("example.com"))
    assert entry is not None
    assert entry[1] == "any"
