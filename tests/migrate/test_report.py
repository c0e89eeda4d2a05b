from __future__ import annotations

import json
from html.parser import HTMLParser

from gateway.migrate.coverage import Coverage, cover
from gateway.migrate.report import as_data, cells, duration, headline, honesty
from gateway.migrate.report_html import html
from gateway.migrate.report_markdown import markdown
from gateway.migrate.target import Target
from gateway.migrate.traffic import Traffic
from tests.migrate.samples import ROUTES, TARGETS, config

TRAFFIC = Traffic(
    {("GET,HEAD /b", "legacy", "GET"): 30.0, ("GET,HEAD /b", "new", "GET"): 10.0, ("default", "legacy", "GET"): 60.0},
    "the gateway",
    7200.0,
)


def covered(traffic: Traffic | None = TRAFFIC) -> Coverage:
    return cover(TARGETS, config(), "legacy", traffic)


def test_the_headline() -> None:
    assert list(headline(covered())) == [
        "3 of 8 endpoints and methods of the old app have moved (38 %)",
        "of the others: 1 canary, 3 both, 1 legacy only",
        "1 is only in the new app; open: 1",
        "10.0 % of 100 requests in 2 hours were answered by the new side, says the gateway",
    ]
    assert list(headline(covered(Traffic({}, "the gateway"))))[-1] == "no requests yet, says the gateway"
    assert "have moved (100 %)" in next(headline(cover((), config(), "legacy")))


def test_the_cells() -> None:
    found = {row.target.label: cells(row)[1:] for row in covered().rows}
    assert found["GET /b"] == ("canary 10 %", "GET,HEAD /b", "40", "some of its requests go by beta")
    assert found["GET /u/<name>"] == ("both", "default", "≤ 60", "name: string against int")
    assert found["GET /login"] == (
        "moved",
        "/login",
        "0",
        "the new app does not have it; dead: nobody has asked for it in the time seen",
    )
    assert cells(covered(None).rows[0])[3] == ""
    compat = config(ROUTES.replace('"/b/{id:int}", to: new', '"/b/{id:int}", compat: [head, json], to: new'))
    assert cells(cover(TARGETS[2:3], compat, "legacy").rows[0])[4] == "compat: head, json"
    closed = cover((Target("/x", "/x", "GET", only_new=True),), config(), "legacy").only_new
    assert cells(closed[0])[1] == "new only, closed"


def test_what_the_numbers_do_not_say() -> None:
    assert "counted by route, not by endpoint" in (honesty(covered()) or "")
    assert "no metrics" in (honesty(covered(None)) or "")
    assert honesty(cover(TARGETS[:1], config(), "legacy", TRAFFIC)) is None


def test_durations() -> None:
    assert [duration(each) for each in (5, 60, 5400, 86400, 7 * 86400)] == [
        "5 seconds",
        "1 minute",
        "2 hours",
        "1 day",
        "7 days",
    ]


def test_as_data() -> None:
    data = json.loads(json.dumps(as_data(covered(), "new")))
    assert data["moved_percent"] == 37.5
    assert data["counts"] == {"moved": 3, "canary": 1, "both": 3, "legacy only": 1, "new only": 1}
    assert (data["traffic"]["new_percent"], data["traffic"]["backends"]) == (10.0, {"legacy": 90.0, "new": 10.0})
    first = data["endpoints"][0]
    assert (first["endpoint"], first["new_percent"], first["requests"]["exact"]) == ("GET /b", 10.0, True)
    assert data["next"][0]["command"] == "gateway split 'GET,HEAD /b' new=25"
    assert data["only_new"][0]["state"] == "new only"
    assert as_data(covered(None), "new")["traffic"] is None


def test_markdown_keeps_what_has_a_meaning_in_it() -> None:
    text = markdown(covered(), "new")
    assert "| GET /u/\\<name\\> | both | default | ≤ 60 | name: string against int |\n" in text
    assert "1. GET,HEAD /b: it only reads" in text
    assert text.count("\n| ") == 11


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.open.remove(tag)

    def handle_data(self, data: str) -> None:
        self.seen.append(data)


def test_html_is_whole_and_needs_nothing_else() -> None:
    reader = _Text()
    text = html(covered(), "new")
    reader.feed(text)
    assert set(reader.open) <= {"html", "meta", "br"}
    assert "GET /u/<name>" in reader.seen
    assert "http" not in text
