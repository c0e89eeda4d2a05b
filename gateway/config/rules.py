"""All rules, each a function of one thing that must hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from gateway.config import access_rules, backend_rules, route_rules, survival_rules, table_rules
from gateway.config.draft import Draft
from gateway.config.finding import Finding
from gateway.config.problem import MOST_PROBLEMS

Rule = Callable[[Draft], Iterator[Finding]]

RULES: Final[tuple[Rule, ...]] = (
    backend_rules.default_is_a_backend,
    backend_rules.each_has_one_address,
    backend_rules.apps_are_import_strings,
    backend_rules.urls_are_addresses,
    backend_rules.settings_fit_the_kind,
    backend_rules.outliers_are_among_several,
    access_rules.override_is_guarded,
    access_rules.networks_are_valid,
    access_rules.cookies_are_apart,
    access_rules.sticky_keys_belong_to_the_client,
    access_rules.domain_is_valid,
    route_rules.paths_are_templates,
    route_rules.hosts_are_names,
    route_rules.targets_are_backends,
    route_rules.percentages_have_two_decimals,
    route_rules.percentages_add_up,
    route_rules.headers_can_match,
    route_rules.methods_are_named_once,
    route_rules.compat_is_named_once,
    route_rules.nothing_is_empty,
    route_rules.names_are_free,
    survival_rules.fallbacks_are_backends,
    survival_rules.occasions_are_named_once,
    table_rules.routes_do_not_tie,
    table_rules.labels_are_unique,
    table_rules.groups_stick_alike,
)


def check(draft: Draft) -> Iterator[Finding]:
    """Everything the rules find; of a rule that finds very much, as much as anyone will read."""
    for rule in RULES:
        yield from islice(rule(draft), MOST_PROBLEMS)
