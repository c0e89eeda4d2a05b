"""The co-operative bookshop as it has always been: one Flask app, server-rendered pages and a JSON API.

Pages (HTML; forms carry a CSRF token)
    GET       /                        catalogue, ?page=&category=
    GET       /catalogue/<int:id>      one product
    GET POST  /catalogue/new           new product (login)
    GET POST  /login                   ?next= a path of this site
    POST      /logout
    GET       /reports/                bestsellers; /reports redirects here with 308

JSON (errors are {"error": text, "status": number} and, for invalid data, "fields": {name: text})
    GET       /books                   ?page=&per_page= (20, at most 100)
    POST      /books                   (login) 201, Location
    GET       /books/<int:id>
    PUT       /books/<int:id>          (login) replaces the whole book
    DELETE    /books/<int:id>          (login) 204; 409 while second-hand copies are on offer
    GET       /users                   ?page=&per_page=; no e-mail addresses
    POST      /users                   register; 201, Location; 409 for an address already taken
    GET       /users/<int:id>
    GET       /items                   second-hand copies, ?book_id=&page=&per_page=
    POST      /items                   (login) 201, Location; the seller is who is logged in
    GET       /items/<int:id>
    GET       /products/search         ?q=&category=&min_price=&max_price=&in_stock=&page=&per_page=
    GET       /me                      who is logged in, or 401
    POST      /sessions                log in with {"email", "password", "remember"}; 201
    DELETE    /sessions                log out; 204
    GET       /external-data           exchange rates from a slow third party; 502 and 504 when it fails
    POST      /uploads                 multipart, field "file" (one or more): name, size, SHA-256
    PUT       /uploads/<name>          the same for a raw body, chunked or not
    GET       /quote-of-the-day        an async view

Other
    GET       /reports/sales.csv       every order line, streamed
    GET       /static/...

"login" means Flask's session cookie with Flask-Login's keys in it; without it JSON answers 401 and pages redirect to
/login?next=.... Members for trying it out: alice@example.com / wonderland and bob@example.com / builder-of-things.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from . import (
    account,
    auth,
    books,
    catalogue,
    config,
    database,
    errors,
    external,
    identity,
    items,
    products,
    quotes,
    reports,
    uploads,
    users,
)
from .extensions import csrf, db

PAGES = (catalogue.bp, auth.bp, reports.bp)
API = (books.bp, users.bp, items.bp, products.bp, account.bp, external.bp, uploads.bp, quotes.bp)


def create_app(overrides: Mapping[str, object] | None = None) -> Flask:
    """The app, configured from the environment and then from `overrides`, on a database that is ready to use."""
    app = Flask(__name__)
    app.config.update(config.from_environment(os.environ))
    app.config.update(overrides or {})

    api_names = frozenset(blueprint.name for blueprint in API)
    db.init_app(app)
    csrf.init_app(app)
    identity.init_app(app, api_names)
    for blueprint in PAGES:
        app.register_blueprint(blueprint)
    for blueprint in API:
        app.register_blueprint(blueprint)
        csrf.exempt(blueprint)  # api.py says what protects it instead
    errors.init_app(app, api_names)
    app.add_template_filter(lambda amount: f"€ {amount:,.2f}", "euros")

    proxies = app.config["TRUSTED_PROXIES"]
    if proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies, x_port=proxies, x_prefix=proxies
        )
    with app.app_context():
        database.prepare(db.engine)
    return app
