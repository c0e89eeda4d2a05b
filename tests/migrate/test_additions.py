from __future__ import annotations

import pytest

from gateway.config.loader import load_text
from gateway.config.model import Config
from gateway.migrate.additions import additions
from gateway.migrate.entry import Entry, Proposal
from gateway.migrate.inventory.endpoint import Endpoint


def config(routes: str = "", default: str = "legacy") -> Config:
    head = f"version: 1\nbackends: {{legacy: {{app: 'a:b'}}, new: {{app: 'c:d'}}}}\ndefault: {default}\n"
    return load_text(head + (f"routes:\n{routes}" if routes else "")).config


def entry(path: str, methods: str = "GET HEAD", host: str | None = None, group: str | None = "b") -> Entry:
    endpoint = Endpoint(path, frozenset(methods.split()), rule=path)
    return Entry("both", path, tuple(methods.split()), host, group, (endpoint,))


def added(each: Entry, file: Config) -> list[str]:
    return [",".join(new.methods) for new in additions(Proposal((each,), ()), file).entries]


@pytest.mark.parametrize(
    ("routes", "lacking"),
    [
        ("", ["GET,HEAD"]),
        ("  - {path: '/b/{other}', methods: [GET, HEAD], to: new}\n", []),
        ("  - {path: '/b/{other}', to: new}\n", []),
        # HEAD alone is no news where GET is decided.
        ("  - {path: '/b/{other}', methods: [GET], to: new}\n", []),
        ("  - {path: '/b/{other}', methods: [HEAD], to: legacy}\n", ["GET"]),
        ("  - {path: '/b/{other}', methods: [POST], to: new}\n", ["GET,HEAD"]),
        ("  - {path: '/b/{other}', methods: [GET, HEAD], headers: {X-B: true}, to: new}\n", ["GET,HEAD"]),
        # To name methods goes before to name headers: it would take these requests back.
        ("  - {path: '/b/{other}', headers: {X-B: true}, to: new}\n", []),
        ("  - {path: '/b/{other}', host: a.example, to: new}\n", ["GET,HEAD"]),
        ("  - {path: '/b/{other:int}', to: new}\n", ["GET,HEAD"]),
        # A wider route to the default: a more specific one, to the default too, changes nothing.
        ("  - {path: '/b/{rest:path}', to: legacy}\n", ["GET,HEAD"]),
        ("  - {path: '/b/{rest:path}', to: {legacy: 100, new: 0}}\n", ["GET,HEAD"]),
        # To the new app: it would take requests back.
        ("  - {path: '/b/{rest:path}', to: new}\n", []),
        ("  - {path: '/b/{rest:path}', methods: [HEAD], to: new}\n", ["GET"]),
        ("  - {path: '/{x}/{y}', to: {legacy: 50, new: 50}}\n", []),
        ("  - {path: '/c/{rest:path}', to: new}\n", ["GET,HEAD"]),
    ],
)
def test_only_what_the_file_lacks(routes: str, lacking: list[str]) -> None:
    assert added(entry("/b/{id}"), config(routes)) == lacking


def test_what_is_sent_elsewhere_already_is_told() -> None:
    proposal = additions(Proposal((entry("/b/{id}"),), ()), config("  - {path: '/b/{rest:path}', to: new}\n"))
    [left_out] = proposal.left_out
    assert (left_out.methods, left_out.why) == (
        ("GET", "HEAD"),
        "the route /b/{rest:path} of the file sends it elsewhere already",
    )


def test_every_method() -> None:
    every = Entry("both", "/b", (), None, None, ())
    assert added(every, config()) == [""]
    assert added(every, config("  - {path: /b, to: new}\n")) == []
    assert added(every, config("  - {path: /b, methods: [GET], to: new}\n")) == [""]


def test_when_the_default_is_the_new_app_nothing_is_sent_back() -> None:
    assert added(entry("/b"), config("  - {path: '/{x}', to: legacy}\n", default="new")) == []
    assert added(entry("/b"), config("  - {path: '/{x}', to: new}\n", default="new")) == ["GET,HEAD"]


@pytest.mark.parametrize(("sticky", "group"), [("cookie", "b"), ("ip", None), ("header:X-User", None)])
def test_a_group_that_sticks_in_another_way_is_not_joined(sticky: str, group: str | None) -> None:
    file = config(f"  - {{path: /x, to: new, group: b, sticky: '{sticky}'}}\n")
    [new] = additions(Proposal((entry("/b"),), ()), file).entries
    assert new.group == group


def test_where_nothing_sticks_there_are_no_groups() -> None:
    file = config("  - {path: /x, to: new}\ndefaults: {sticky: none}\n")
    [new] = additions(Proposal((entry("/b"),), ()), file).entries
    assert new.group is None
