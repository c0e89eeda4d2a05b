"""Whatever the apps are: each entry takes the requests of its own endpoints, and of no other."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.loader import load_text
from gateway.config.rule_of import rule_of
from gateway.migrate.additions import additions
from gateway.migrate.inventory.compare import compare
from gateway.migrate.inventory.flask_rules import flask_inventory
from gateway.migrate.propose import propose
from gateway.migrate.routes_text import App, entry_lines, routes_text
from gateway.routing.path import canonical
from gateway.routing.table import Table
from tests.migrate.flask_apps import Written, flask_app, paths, rules, served_by

LEGACY, NEW = App("old:app", False, "Flask"), App("new:app", False, "FastAPI")


def renamed(rule: str) -> str:
    """The same shape with other names."""
    return rule.replace("p0", "q0").replace("p1", "q1").replace("p2", "q2")


@st.composite
def two_apps(draw: st.DrawFn) -> tuple[list[Written], list[Written]]:
    legacy = draw(st.lists(rules(), min_size=1, max_size=7, unique=True))
    kept = [rule for rule in legacy if draw(st.booleans())]
    new = [(renamed(rule), draw(st.sampled_from([methods, frozenset({"GET"})])), s) for rule, methods, s in kept]
    return legacy, new + draw(st.lists(rules(), max_size=2))


@settings(deadline=None, max_examples=120)
@given(two_apps(), st.data())
def test_a_request_meets_the_entry_of_its_own_endpoint(
    apps: tuple[list[Written], list[Written]], data: st.DataObject
) -> None:
    legacy, new = apps
    app = flask_app(legacy)
    inventory = flask_inventory(app)
    by_name = {endpoint.name: endpoint for endpoint in inventory.endpoints}
    comparison = compare(inventory, flask_inventory(flask_app(new)))
    # What the new side takes less of stays in part.
    on_both = {
        each.endpoint.name: each.methods for each in comparison.legacy if each.on_both_sides and not each.narrowed
    }
    narrowed = {each.endpoint.name for each in comparison.legacy if each.narrowed}
    proposal = propose(comparison)
    left_out = {(id(each.endpoint), method) for each in proposal.left_out for method in each.methods}

    loaded = load_text(routes_text(LEGACY, NEW, proposal))
    assert len(loaded.config.routes) == len(proposal.entries)
    by_label = {route.label: route for route in loaded.config.routes}
    assert len(by_label) == len(proposal.entries)
    entries = {(each.path, each.methods): each for each in proposal.entries}
    table = Table([(rule_of(route), entries[route.path, route.methods or ()]) for route in loaded.config.routes])

    rule = data.draw(st.sampled_from(legacy))[0]
    path = data.draw(paths(rule))
    method = data.draw(st.sampled_from(["GET", "HEAD", "POST", "PUT"]))
    entry = table.match(method, canonical(path.encode())[0], (), b"")
    answers = served_by(app, method, path)
    if answers == "redirect":
        # Where the legacy app redirects, it goes on doing so, unless the path is one it cannot be told from.
        assert entry is None or entry.section != "both" or not all(each.exact for each in entry.endpoints)
    elif answers == "none":
        assert entry is None or entry.section == "new" or not all(each.exact for each in entry.endpoints)
    elif not isinstance(answers, str):
        endpoint = by_name[answers.endpoint]
        if entry is not None:
            assert endpoint in (*entry.endpoints, *entry.may_take)
        if method in on_both.get(endpoint.name, ()) and (id(endpoint), method) not in left_out:
            assert entry is not None
        elif entry is not None and endpoint in entry.endpoints and endpoint.name not in narrowed:
            # Nobody moves what the new app lacks.
            assert entry.section == "pinned" or len(entry.endpoints) > 1


@settings(deadline=None, max_examples=40)
@given(two_apps(), two_apps())
def test_a_second_run_sends_no_request_elsewhere(
    first: tuple[list[Written], list[Written]], second: tuple[list[Written], list[Written]]
) -> None:
    before = propose(compare(flask_inventory(flask_app(first[0])), flask_inventory(flask_app(first[1]))))
    text = routes_text(LEGACY, NEW, before)
    moved = load_text(text.replace("    to: legacy", "    to: new")).config
    grown = propose(compare(flask_inventory(flask_app(second[0])), flask_inventory(flask_app(second[1]))))
    more = additions(grown, moved)
    lines = [
        *(text.replace("    to: legacy", "    to: new")).splitlines(),
        *entry_lines(more.entries, "  ", "to: legacy"),
    ]
    after = load_text("\n".join(lines).replace("routes: []", "routes:" if more.entries else "routes: []")).config
    old = Table([(rule_of(route), route.to) for route in moved.routes])
    new = Table([(rule_of(route), route.to) for route in after.routes])
    for path in ("/", "/a", "/a/", "/1", "/b/a", "/a/b/1", "/x/y/z", "/12/a", "/a/1.5/v1", "/ab/"):
        for method in ("GET", "HEAD", "POST", "PUT"):
            decided = old.match(method, path, (), b""), new.match(method, path, (), b"")
            assert (decided[0] or "legacy") == (decided[1] or "legacy")
    assert additions(grown, after).entries == ()
