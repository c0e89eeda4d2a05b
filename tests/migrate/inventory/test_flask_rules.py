from __future__ import annotations

import pytest
from flask import Blueprint, Flask
from flask.views import MethodView
from werkzeug.routing import BaseConverter, Rule

from gateway.config.rule_of import template_of
from gateway.migrate.inventory.endpoint import Endpoint
from gateway.migrate.inventory.flask_rules import flask_inventory, without_shadowed
from gateway.routing.template import Kind
from tests.migrate.inventory.methods import methods


def view(**values: object) -> str:
    return ""


def app(*rules: str, **settings: object) -> Flask:
    made = Flask("shop", static_folder=None, **settings)  # type: ignore[arg-type]
    for number, rule in enumerate(rules):
        made.add_url_rule(rule, f"v{number}", view)
    return made


def only(made: Flask) -> Endpoint:
    [endpoint] = flask_inventory(made).endpoints
    return endpoint


@pytest.mark.parametrize(
    ("rule", "path", "type_name", "kind", "exact"),
    [
        ("/b/<name>", "/b/{name}", "string", Kind.SEGMENT, True),
        ("/b/<string:name>", "/b/{name}", "string", Kind.SEGMENT, True),
        ("/b/<default:name>", "/b/{name}", "string", Kind.SEGMENT, True),
        ("/b/<int:n>", "/b/{n:int}", "int", Kind.INT, True),
        ("/b/<uuid:u>", "/b/{u:uuid}", "uuid", Kind.UUID, True),
        ("/b/<path:p>", "/b/{p:path}", "path", Kind.REST, True),
        ("/b/<float:x>", "/b/{x}", "float", Kind.SEGMENT, False),
        ("/b/<any(about, 'what else'):page>", "/b/{page}", "any", Kind.SEGMENT, False),
        ("/b/<string(length=2):lang>", "/b/{lang}", "string", Kind.SEGMENT, False),
        ("/b/<string(minlength=2, maxlength=9):x>", "/b/{x}", "string", Kind.SEGMENT, False),
        ("/b/<int(min=1, max=9):n>", "/b/{n:int}", "int", Kind.INT, False),
        ("/b/<int(fixed_digits=4):year>", "/b/{year:int}", "int", Kind.INT, False),
        ("/b/<int(signed=True):n>", "/b/{n}", "int", Kind.SEGMENT, False),
        ("/b/<path:p>/edit", "/b/{p:path}", "path", Kind.REST, False),
        ("/b/v<int:n>", "/b/{v_n}", "int", Kind.INT, False),
        ("/b/<name>.<ext>", "/b/{name_ext}", "string", Kind.SEGMENT, False),
        ("/b/page-<path:p>", "/b/{page_p:path}", "path", Kind.REST, False),
    ],
)
def test_converters(rule: str, path: str, type_name: str, kind: Kind, exact: bool) -> None:
    endpoint = only(app(rule))
    assert (endpoint.path, endpoint.rule, endpoint.exact) == (path, rule, exact)
    assert (endpoint.parameters[0].type, endpoint.parameters[0].kind) == (type_name, kind)


def test_what_is_lost_is_told() -> None:
    assert only(app("/<float:x>")).notes == ("x is wider here: it is of the type float",)
    assert only(app("/<string(length=2):x>")).notes == ("x is wider here: it is of the type string (length=2)",)
    assert only(app("/<a>-<b>")).notes == ("a_b is wider here: '{a}-{b}' is only a part of the segments that match",)
    assert only(app("/<path:p>/x")).notes == ("what follows p cannot be told: it takes the rest of the path",)


class Slug(BaseConverter):
    regex = "[a-z-]+"


class Tree(BaseConverter):
    regex = "[a-z/]+"


def test_converters_of_the_app_go_by_their_name() -> None:
    made = Flask("shop", static_folder=None)
    made.url_map.converters.update(slug=Slug, tree=Tree)
    made.add_url_rule("/s/<slug:s>", "s", view)
    made.add_url_rule("/t/<tree:t>", "t", view)
    slug, tree = flask_inventory(made).endpoints
    assert (slug.path, slug.parameters[0].type, slug.notes) == (
        "/s/{s}",
        "slug",
        ("s is wider here: it is of the type slug",),
    )
    assert (tree.path, tree.parameters[0].type) == ("/t/{t:path}", "tree")


def test_a_converter_that_replaces_int_is_not_taken_for_it() -> None:
    made = Flask("shop", static_folder=None)
    made.url_map.converters["int"] = Slug
    made.add_url_rule("/s/<int:n>", "s", view)
    assert only(made).path == "/s/{n}"


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("/über/größe", "/über/größe"),
        ("/a b", "/a%20b"),
        ("/{a}", "/%7Ba%7D"),
        ("/*", "/%2A"),
        ("/100%", "/100%25"),
        ("/why?", "/why%3F"),
        ("/a//b", "/a/b"),
    ],
)
def test_literals_are_written_as_templates_have_them(rule: str, path: str) -> None:
    endpoint = only(app(rule))
    assert endpoint.path == path
    template_of(path)


def test_what_no_request_can_ask_for_is_left_out() -> None:
    inventory = flask_inventory(app("/a/../b", "/c"))
    assert [each.path for each in inventory.endpoints] == ["/c"]
    assert inventory.warnings == ("/a/../b is left out: the path has a dot segment (. or ..)",)


def test_methods_and_those_that_come_by_themselves() -> None:
    made = Flask("shop", static_folder=None)
    made.add_url_rule("/a", "a", view, methods=["GET", "POST"])
    made.add_url_rule("/b", "b", view, methods=["DELETE"])
    made.add_url_rule("/c", "c", view, methods=["GET", "OPTIONS"])
    a, b, c = flask_inventory(made).endpoints
    assert (a.methods, a.own) == (methods("GET HEAD OPTIONS POST"), methods("GET POST"))
    assert (b.methods, b.own) == (methods("DELETE OPTIONS"), methods("DELETE"))
    assert (c.methods, c.own) == (methods("GET HEAD OPTIONS"), methods("GET OPTIONS"))


def test_a_rule_without_methods_answers_all_of_them() -> None:
    made = Flask("shop", static_folder=None)
    made.url_map.add(Rule("/any", endpoint="any"))
    assert only(made).methods == frozenset()


def test_class_based_views() -> None:
    class Book(MethodView):
        def get(self, book_id: int) -> str:
            return ""

        def put(self, book_id: int) -> str:
            return ""

    made = Flask("shop", static_folder=None)
    made.add_url_rule("/books/<int:book_id>", view_func=Book.as_view("book"))
    endpoint = only(made)
    assert endpoint.own == methods("GET PUT")
    assert endpoint.source.endswith("test_class_based_views.<locals>.Book")


def test_blueprints_and_prefixes() -> None:
    inner = Blueprint("reviews", __name__, url_prefix="/reviews")
    inner.add_url_rule("/", "list", view)
    outer = Blueprint("books", __name__)
    outer.register_blueprint(inner)
    made = Flask("shop", static_folder=None)
    made.register_blueprint(outer, url_prefix="/books/<int:book_id>")
    endpoint = only(made)
    assert (endpoint.name, endpoint.path) == ("books.reviews.list", "/books/{book_id:int}/reviews/")
    assert endpoint.source == "tests.migrate.inventory.test_flask_rules:view"


def test_static_files() -> None:
    made = Flask("shop", static_url_path="/assets")
    blueprint = Blueprint("docs", __name__, static_folder="files", static_url_path="/docs/files")
    made.register_blueprint(blueprint)
    made.add_url_rule("/thing/<filename>", "thing", view)
    assert [(each.path, each.kind) for each in flask_inventory(made).endpoints] == [
        ("/assets/{filename:path}", "static"),
        ("/docs/files/{filename:path}", "static"),
        ("/thing/{filename}", "http"),
    ]


def test_slashes_at_the_end() -> None:
    made = Flask("shop", static_folder=None)
    made.add_url_rule("/branch/", "a", view)
    made.add_url_rule("/leaf", "b", view)
    made.add_url_rule("/lax/", "c", view, strict_slashes=False)
    made.add_url_rule("/laxleaf", "d", view, strict_slashes=False)
    made.add_url_rule("/", "e", view)
    found = [(each.path, each.also, each.redirected, each.strict_slashes) for each in flask_inventory(made).endpoints]
    assert found == [
        ("/branch/", (), ("/branch",), True),
        ("/leaf", (), (), True),
        ("/lax/", ("/lax",), (), False),
        ("/laxleaf", ("/laxleaf/",), (), False),
        ("/", (), (), True),
    ]


def test_strict_slashes_of_the_whole_app() -> None:
    made = Flask("shop", static_folder=None)
    made.url_map.strict_slashes = False
    made.add_url_rule("/lax/", "a", view)
    assert only(made).also == ("/lax",)


def test_defaults_and_redirects() -> None:
    made = Flask("shop", static_folder=None)
    made.add_url_rule("/all/", "all", view, defaults={"page": 1})
    made.url_map.add(Rule("/old/<slug>", redirect_to="new/<slug>"))
    made.url_map.add(Rule("/older", redirect_to=lambda adapter: "new"))
    made.url_map.add(Rule("/elsewhere", endpoint="elsewhere", build_only=True))
    every, old, older = flask_inventory(made).endpoints
    assert every.defaults == {"page": 1}
    assert old.redirects_to == "new/<slug>"
    assert older.redirects_to is not None


def test_websockets() -> None:
    made = Flask("shop", static_folder=None)
    made.url_map.add(Rule("/ws/<room>", endpoint="chat", websocket=True))
    endpoint = only(made)
    assert (endpoint.kind, endpoint.methods, endpoint.path) == ("websocket", methods("GET"), "/ws/{room}")


def test_subdomains() -> None:
    made = Flask("shop", static_folder=None, subdomain_matching=True)
    made.config["SERVER_NAME"] = "example.com:8000"
    made.add_url_rule("/", "root", view)
    made.add_url_rule("/", "api", view, subdomain="api")
    made.add_url_rule("/", "tenant", view, subdomain="<tenant>")
    made.add_url_rule("/", "deep", view, subdomain="<tenant>.eu")
    assert [(each.host, each.exact) for each in flask_inventory(made).endpoints] == [
        ("example.com", True),
        ("api.example.com", True),
        ("*.example.com", False),
        ("*.eu.example.com", False),
    ]


@pytest.mark.parametrize(
    ("matching", "why"),
    [
        (False, "/ is left out: it is for the subdomain 'api', and the app's subdomain_matching is off"),
        (True, "/ is left out: it is for the subdomain 'api', and the app has no SERVER_NAME"),
    ],
)
def test_a_subdomain_that_flask_never_serves(matching: bool, why: str) -> None:
    made = Flask("shop", static_folder=None, subdomain_matching=matching)
    made.add_url_rule("/", "api", view, subdomain="api")
    inventory = flask_inventory(made)
    assert (inventory.endpoints, inventory.warnings) == ((), (why,))


def test_hosts() -> None:
    made = Flask("shop", static_folder=None, host_matching=True)
    made.add_url_rule("/", "a", view, host="Shop.Example.com:8080")
    made.add_url_rule("/", "b", view, host="<tenant>.example.com")
    made.add_url_rule("/", "c", view, host="<anything>")
    made.add_url_rule("/", "d", view)
    inventory = flask_inventory(made)
    assert [each.host for each in inventory.endpoints] == ["shop.example.com", "*.example.com", None]
    assert inventory.warnings == (
        "/ is left out: the app matches hosts, and this rule has none, so Flask never serves it",
    )


def test_what_a_mounted_app_takes() -> None:
    endpoints = flask_inventory(app("/api/x", "/apix", "/api")).endpoints
    kept, left_out = without_shadowed(endpoints, ["/api"])
    assert ([each.path for each in kept], left_out) == (["/apix"], 2)
