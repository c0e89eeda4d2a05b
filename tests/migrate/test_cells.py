from __future__ import annotations

import pytest

from gateway.migrate.cells import ANY, cells_of, hosts_overlap, known, order_is_uncertain, rules_overlap
from gateway.migrate.inventory.endpoint import Endpoint
from gateway.routing.rule import Rule
from gateway.routing.template import parse
from tests.migrate.inventory.methods import methods
from tests.routing.rules import rule


def test_what_the_gateway_cannot_tell_apart_is_one_cell() -> None:
    first = Endpoint("/x/{a}", methods("GET HEAD OPTIONS"), automatic=methods("HEAD OPTIONS"))
    second = Endpoint("/x/{b}", methods("GET"), also=("/x/{b}/",))
    found = {(cell.path, cell.method): cell.endpoints for cell in cells_of([first, second]).values()}
    assert found == {
        ("/x/{a}", "GET"): (first, second),
        ("/x/{a}", "HEAD"): (first,),
        ("/x/{b}/", "GET"): (second,),
    }


def test_a_redirect_is_a_cell_unless_an_endpoint_is_there() -> None:
    branch = Endpoint("/a/", methods("GET"), redirected=("/a",))
    [_, redirect] = cells_of([branch]).values()
    assert (redirect.path, redirect.redirected) == ("/a", True)
    leaf = Endpoint("/a", methods("GET"))
    assert not any(cell.redirected for cell in cells_of([branch, leaf]).values())


def test_every_method_is_a_cell_of_its_own() -> None:
    [cell] = cells_of([Endpoint("/a", frozenset())]).values()
    assert (cell.method, cell.rule.methods) == (ANY, frozenset())
    assert known(methods("GET BREW")) == methods("GET")
    assert known(methods("BREW")) == frozenset()


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (None, "a.example", True),
        ("a.example", "a.example", True),
        ("a.example", "b.example", False),
        ("*.example", "a.example", True),
        ("*.example", "example", False),
        ("*.example", "*.a.example", True),
        ("*.a.example", "*.b.example", False),
    ],
)
def test_hosts(one: str | None, other: str | None, both: bool) -> None:
    assert hosts_overlap(one, other) is both
    assert hosts_overlap(other, one) is both


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (rule("/a/{x}", "GET"), rule("/a/b", "GET POST"), True),
        (rule("/a/{x}", "GET"), rule("/a/b", "POST"), False),
        (rule("/a/{x}", "GET"), rule("/a/b"), True),
        (rule("/a/{x}"), rule("/b/{x}"), False),
        (rule("/a", "", "a.example"), rule("/a", "", "b.example"), False),
    ],
)
def test_rules(one: Rule, other: Rule, both: bool) -> None:
    assert rules_overlap(one, other) is both


def test_only_uuid_and_text_may_be_tried_in_another_order() -> None:
    assert order_is_uncertain(parse("/{a:uuid}"), parse("/{a}"))
    assert order_is_uncertain(parse("/x/{a}/b"), parse("/x/{a:uuid}/{c}"))
    assert not order_is_uncertain(parse("/{a:int}"), parse("/{a}"))
    assert not order_is_uncertain(parse("/x/{a}"), parse("/{a:uuid}"))
