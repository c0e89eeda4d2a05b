from __future__ import annotations

from fastapi import FastAPI, WebSocket
from flask import Flask
from werkzeug.routing import Rule

from gateway.config.loader import load_text
from gateway.migrate.entry import Entry, Proposal
from gateway.migrate.inventory.compare import compare
from gateway.migrate.inventory.reader import inventory_of
from gateway.migrate.propose import propose
from gateway.migrate.routes_text import App, routes_text


def flask(*rules: str, static: bool = False) -> Flask:
    """An app with rules such as ``GET,POST /books/<int:id>``."""
    app = Flask("old", static_folder="." if static else None, static_url_path="/static")
    for number, written in enumerate(rules):
        methods, rule = written.split()
        app.add_url_rule(rule, f"v{number}", lambda **values: "", methods=methods.split(","))
    return app


def fastapi(*routes: str) -> FastAPI:
    app = FastAPI(openapi_url=None)
    for written in routes:
        methods, path = written.split()
        app.add_api_route(path, lambda: None, methods=methods.split(","))
    return app


def proposed(old: Flask, new: FastAPI) -> Proposal:
    proposal = propose(compare(inventory_of(old, "old"), inventory_of(new, "new")))
    load_text(routes_text(App("old:app", False, "Flask"), App("new:app", False, "FastAPI"), proposal))
    return proposal


def shown(entries: tuple[Entry, ...]) -> list[str]:
    return [f"{','.join(each.methods)} {each.path}" for each in entries]


def test_one_entry_for_each_endpoint_of_both() -> None:
    proposal = proposed(
        flask("GET /b", "POST /b", "GET,PUT /b/<int:n>", "GET /only-old"),
        fastapi("GET /b", "POST /b", "GET /b/{m}", "PUT /b/{m}"),
    )
    assert shown(proposal.entries) == ["GET,HEAD /b", "POST /b", "GET,HEAD,PUT /b/{n:int}"]
    assert {each.group for each in proposal.entries} == {"b"}


def test_methods_that_the_new_side_lacks_stay() -> None:
    [entry] = proposed(flask("GET,POST,DELETE /b"), fastapi("GET /b")).entries
    assert shown((entry,)) == ["GET,HEAD /b"]
    assert entry.remarks == ("POST, DELETE are missing in the new app, and stay",)


def test_what_the_new_side_does_not_take_stays() -> None:
    new = FastAPI(openapi_url=None)

    @new.get("/b/{n}")
    def read(n: int) -> None: ...

    [entry] = proposed(flask("GET /b/<name>"), new).entries
    assert entry.path == "/b/{name:int}"
    assert entry.remarks == ("name is of the type string in the legacy app, and int in the new one: the rest stays",)


def test_types_that_have_nothing_in_common_are_two_endpoints() -> None:
    proposal = proposed(flask("GET /b/<int:n>"), fastapi("GET /b/{n:uuid}"))
    assert shown(proposal.of("both")) == []
    assert shown(proposal.of("new")) == ["GET /b/{n:uuid}"]


def test_an_endpoint_that_a_wider_path_would_take_along_is_pinned() -> None:
    proposal = proposed(
        flask("GET /u/me", "POST /u/me", "GET /u/<name>", "GET /u/<int:n>/x", "GET /v/", "GET /<path:page>"),
        fastapi("GET /u/{name}", "GET /{page:path}"),
    )
    assert shown(proposal.of("both")) == ["GET,HEAD /u/{name}", "GET,HEAD /{page:path}"]
    # A redirect of the old app's own is a request that it answers, too.
    assert shown(proposal.of("pinned")) == ["GET,HEAD /u/me", "GET,HEAD /u/{n:int}/x", "GET,HEAD /v/", "GET,HEAD /v"]
    assert proposal.of("pinned")[-1].remarks == ("a redirect to the same path with a slash",)


def test_two_endpoints_that_the_gateway_cannot_tell_apart() -> None:
    old = flask("GET /x/<float:n>", "GET /x/<name>")
    proposal = proposed(old, fastapi("GET /x/{n:float}"))
    # The new side has one of them. Its entry would take the other along.
    assert proposal.of("both") == ()
    whys = {each.why for each in proposal.left_out}
    assert "the gateway cannot tell its path from that of GET /x/<name>, which only the legacy app has" in whys
    [entry] = proposed(old, fastapi("GET /x/{n:float}", "GET /x/{name}")).of("both")
    assert [each.rule for each in entry.endpoints] == ["/x/<float:n>", "/x/<name>"]


def test_an_entry_that_may_take_more_than_its_own_says_so() -> None:
    proposal = proposed(flask("GET /x/<float:n>/a", "GET /x/<name>/<op>"), fastapi("GET /x/{n:float}/a"))
    [entry] = proposal.of("both")
    assert entry.remarks[-1] == "it may take requests of GET /x/<name>/<op> along"


def test_both_writings_of_a_lax_slash() -> None:
    old = flask()
    old.add_url_rule("/b/", "b", lambda: "", strict_slashes=False)
    proposal = proposed(old, fastapi("GET /b/"))
    assert shown(proposal.entries) == ["GET,HEAD /b/", "GET,HEAD /b"]


def test_websockets_and_pages_of_one_path_go_together_or_not_at_all() -> None:
    old = flask("GET /chat")
    old.url_map.add(Rule("/chat", endpoint="ws", websocket=True))
    new = fastapi("GET /chat")
    assert proposed(old, new).of("both") == ()

    @new.websocket("/chat")
    async def chat(websocket: WebSocket) -> None: ...

    [entry] = proposed(old, new).of("both")
    assert (len(entry.endpoints), entry.methods) == (2, ("GET", "HEAD"))


def test_static_files_are_told_of() -> None:
    [entry] = proposed(flask(static=True), fastapi("GET /static/{name:path}")).of("both")
    assert entry.remarks == ("files: the two apps give them different ETags, so move it whole rather than split it",)


def test_what_only_the_new_app_has() -> None:
    proposal = proposed(
        flask("GET /docs/<path:page>", "GET /b"), fastapi("GET /docs/api", "POST /b", "GET /new", "GET /{rest:path}")
    )
    new = proposal.of("new")
    assert shown(new) == ["GET /docs/api", "POST /b", "GET /new", "GET /"]
    assert new[0].remarks == ("in the legacy app, these requests are for GET /docs/<path:page>",)
    # It would take every page of the old app that has no entry.
    assert [(each.endpoint.rule, each.why) for each in proposal.left_out] == [
        ("/{rest:path}", "the legacy app has GET /docs/<path:page> in its reach")
    ]


def test_methods_that_the_front_door_refuses_are_in_no_entry() -> None:
    assert proposed(flask("BREW /pot"), fastapi("BREW /pot")).entries == ()


def test_an_app_for_every_method() -> None:
    old = flask()
    old.url_map.add(Rule("/any", endpoint="any"))
    [entry] = proposed(old, fastapi("GET,POST /any")).of("both")
    assert entry.methods == ("GET", "POST")


def test_hosts_are_kept_apart() -> None:
    old = Flask("old", static_folder=None, host_matching=True)
    old.add_url_rule("/b", "a", lambda: "", host="a.example.com")
    old.add_url_rule("/b", "b", lambda: "", host="<tenant>.b.example.com")
    entries = proposed(old, fastapi("GET /b")).of("both")
    assert [(each.host, each.group) for each in entries] == [
        ("a.example.com", "a-example-com-b"),
        ("*.b.example.com", "b-example-com-b"),
    ]
