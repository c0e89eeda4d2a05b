"""Which routes the requests for a path go by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.config.rule_of import template_of
from gateway.migrate.lint.placed import Placed
from gateway.routing.overlap import covers
from gateway.routing.rule import Rule
from gateway.routing.template import Template


class Takers:
    """The routes of a file. What was asked once is kept: every rule asks for the same paths."""

    def __init__(self, placed: Iterable[Placed]) -> None:
        self._in_order = sorted(placed, key=lambda own: own.place)
        self._near: dict[tuple[str, str | None], Sequence[Placed]] = {}

    def of(self, path: str, host: str | None, methods: Iterable[str]) -> list[tuple[Placed, list[str]]]:
        """The routes that take some of the requests for ``path``, each with those of ``methods`` that it takes.

        A route takes what no more specific one takes all of. "" stands for every method.
        """
        template = template_of(path)
        near = self._near.get((path, host))
        if near is None:
            near = self._near[path, host] = [own for own in self._in_order if own.overlaps(template, host)]
        methods = list(methods)
        found: list[tuple[Placed, list[str]]] = []
        for at, own in enumerate(near):
            before = [
                each.rule for each in near[:at] if each.rule is not None and _takes_from(each.rule, own, template, host)
            ]
            left = [each for each in methods if own.takes(each) and not any(_takes_all(rule, each) for rule in before)]
            if left:
                found.append((own, left))
        return found


def _takes_from(rule: Rule, own: Placed, template: Template, host: str | None) -> bool:
    """Whether ``rule``, which goes first, takes all that ``own`` has of ``template``, if the method is right."""
    if rule.conditional or (rule.host is not None and rule.host not in (host, own.rule.host if own.rule else None)):
        return False
    return covers(rule.template, template) or (own.rule is not None and covers(rule.template, own.rule.template))


def _takes_all(rule: Rule, method: str) -> bool:
    return not rule.methods or method in rule.methods
